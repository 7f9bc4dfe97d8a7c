"""Cuts inputs into bins, and crosses pairs of them: the places of the sparse weights that an item's inputs touch."""

import numpy as np
import numpy.typing as npt

from agents.forecasting.arrays import Floats
from agents.forecasting.inputs import CROSSES, ranges
from agents.forecasting.rhythm import Pace

_COARSE = 8
"""Most bins of an input in a cross."""


class Bins:
    """The bins of a rhythm.

    >>> from agents.forecasting.base import Rhythm
    >>> bins = Bins(Pace.of(Rhythm()))
    >>> places = bins.of(np.zeros((2, bins.inputs), np.float32))
    >>> places.shape == (2, bins.touched), int(places.max()) < bins.count, bool((places[0] == places[1]).all())
    (True, True, True)
    """

    def __init__(self, pace: Pace) -> None:
        spans = ranges(pace)
        names = list(spans)
        count = np.array([span.bins for span in spans.values()], np.int32)
        self._low = np.array([span.low for span in spans.values()], np.float32)
        self._steps = (count / np.array([span.high - span.low for span in spans.values()])).astype(np.float32)
        self._last = (count - 1).astype(np.float32)
        self._starts = (np.cumsum(count) - count).astype(np.int32)
        self._phases = slice(names.index("phase 0"), names.index("phase 0") + pace.phases)
        self._bins, self._coarse = count, np.minimum(count, _COARSE)
        self.inputs, self.count = len(names), int(count.sum())
        where = {name: number for number, name in enumerate(names)} | {"phase": len(names)}
        coarse = np.append(self._coarse, pace.phases)
        self._first = np.array([where[first] for first, _ in CROSSES])
        self._second = np.array([where[second] for _, second in CROSSES])
        self._width = coarse[self._second].astype(np.int32)
        sizes = coarse[self._first] * self._width
        self._cross_starts = (self.count + np.cumsum(sizes) - sizes).astype(np.int32)
        self.count += int(sizes.sum())
        self.touched = len(names) + len(CROSSES)

    def of(self, values: Floats) -> npt.NDArray[np.int32]:
        """The places touched by each row of inputs."""
        exact = (values - self._low) * self._steps
        cut = np.minimum(np.maximum(exact, np.float32(0.0)), self._last).astype(np.int32)
        rough = np.empty((len(values), len(self._bins) + 1), np.int32)
        rough[:, :-1] = cut * self._coarse // self._bins
        rough[:, -1] = values[:, self._phases].argmax(axis=1)
        places = np.empty((len(values), self.touched), np.int32)
        places[:, : len(self._bins)] = cut + self._starts
        places[:, len(self._bins) :] = self._cross_starts + rough[:, self._first] * self._width + rough[:, self._second]
        return places
