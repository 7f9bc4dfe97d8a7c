"""The working sheet of a forecast: one row of numbers whose parts have names.

A blend forecasts on one sheet and judges on another, and uses both again for the next item. The parts are views that
are made once, because making them takes as long as the arithmetic. A filed forecast is a copy in two bytes a number.

The experts stand in an order in which those that are computed or read together are neighbours.
"""

import numpy as np

from agents.forecasting.base import LEVELS
from agents.forecasting.blend.arrays import Floats, Halves, aligned, constant
from agents.forecasting.blend.inputs import CEILING, FLOOR, LEVEL_INPUTS, ItemInputs

SHAPED, SUMS, QUICK, SHARED, STACKED, MEDIAN = 0, 4, 5, 6, 7, 8
"""Rows of the experts; those between the first two are the moving averages."""
EXPERTS = 9
AROUND_MEANS = slice(SHAPED, SUMS)
SEEN = 7
"""Experts that the stacked regression sees: the first ones."""
USUAL = slice(SHAPED + 1, SHARED + 1)
"""Experts that the median is of."""
ANCHORS = slice(SHARED, MEDIAN + 1)
"""Experts whose median every other one must keep near."""
MEANS = 5
"""Experts on the mean: the shared regression, the average by phase and plan, and the three moving averages."""
OUTPUTS = (EXPERTS + 2) * len(LEVELS) + MEANS
"""What a row holds beside the inputs."""

_CEILING, _FLOOR = constant(CEILING), constant(FLOOR)


class Sheet:
    """A row of so many inputs, and of the outputs that follow from them; outputs are divided by scale x H."""

    __slots__ = (
        "advised",
        "anchors",
        "around_means",
        "corrected",
        "derived",
        "experts",
        "inputs",
        "levels",
        "means",
        "median",
        "mixture",
        "row",
        "seen",
        "stacked",
        "sums",
        "usual",
        "values",
        "visible",
    )  # fmt: skip

    def __init__(self, inputs: int) -> None:
        width = width_of(inputs)
        self.row: Floats = aligned(width + OUTPUTS)
        self.row[0] = 1.0
        self.inputs = self.row[:inputs]
        """The first is always 1."""
        self.values = self.inputs[1:]
        self.levels = self.values[:LEVEL_INPUTS]
        self.seen = self.row[inputs:width].reshape(SEEN, len(LEVELS))
        """Logs of the experts that the stacked regression sees."""
        outputs = self.row[width:]
        self.experts = outputs[: EXPERTS * len(LEVELS)].reshape(EXPERTS, len(LEVELS))
        self.derived = outputs[EXPERTS * len(LEVELS) :]
        """Mixture, calibrated mixture and means, which follow from the experts."""
        self.mixture = self.derived[: len(LEVELS)]
        self.corrected = self.derived[len(LEVELS) : -MEANS]
        """The mixture as published, but for rounding."""
        self.means = self.derived[-MEANS:]
        self.around_means, self.sums = self.experts[AROUND_MEANS], self.experts[SUMS]
        self.advised = self.experts[QUICK : SHARED + 1]
        self.stacked, self.median = self.experts[STACKED], self.experts[MEDIAN]
        self.visible, self.usual, self.anchors = self.experts[:SEEN], self.experts[USUAL], self.experts[ANCHORS]

    def see(self, inputs: ItemInputs, scale: float) -> None:
        """Write an item's inputs; levels as logs of so many times its scale."""
        self.values[:] = inputs.values
        levels = self.levels
        levels /= scale
        np.minimum(levels, _CEILING, out=levels)
        levels += _FLOOR
        np.log(levels, out=levels)

    def copy(self) -> Halves:
        """The row as it is filed."""
        return self.row.astype(np.float16)

    def take(self, row: Halves) -> None:
        """Read what was filed."""
        self.row[:] = row


def width_of(inputs: int) -> int:
    """How much of a row is input of the stacked regression: all inputs, and the logs of the experts that it sees."""
    return inputs + SEEN * len(LEVELS)
