"""The arms of policy-parameter Q-learning: ways to run the projected-inventory-level rule, tried in shadow.

An arm says whose demand to believe (the item's forecast, or the item's own average at some rate), how far to move the
target (in standard deviations) and, where orders cost something, how far to stretch a cycle.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from agents.policies.arrays import Floats

SOURCES = ("forecast", "running mean", "ewma 0.1", "ewma 0.3")
RATES = (0.0, 0.1, 0.3)
"""Of the item's own averages: 0 is the running mean."""
SHIFTS = (-1.4, -0.8, -0.45, -0.2, 0.0, 0.2, 0.4, 0.7, 1.1)
LOT_SHIFTS = (-0.3, 0.0, 0.3)
STRETCHES = (0.7, 1.0, 1.3)
CURVATURE = 0.5
"""Share by which costs are expected to rise with the square of an arm's distance from the analytic rule."""


class Menu(NamedTuple):
    """Arms by number; the first `reference` is what analysis alone would do."""

    arms: tuple[tuple[int, float, float], ...]
    """Source, shift and stretch of each; below, the same by column."""
    source: npt.NDArray[np.intp]
    shift: Floats
    stretch: Floats
    reference: int
    stretches: tuple[float, ...]
    lot: npt.NDArray[np.intp]
    """Number of each arm's pair of source and stretch."""
    bend: Floats
    """By which an arm is expected to be dearer for being far from the analytic rule: it has to earn that."""

    def followed_by(self, arm: int) -> "Menu":
        """The menu with one more arm, like the one given: the shadow inventory of the arm that acts.

        >>> PLAIN.followed_by(0).arms[-1] == PLAIN.arms[0], len(PLAIN.followed_by(0).source) == ARMS + 1
        (True, True)
        """
        return _followed(self.stretches, arm)

    def words(self, arm: int) -> str:
        """What the arm does.

        >>> PLAIN.words(PLAIN.reference), PLAIN.words(0), LOTS.words(0)
        ('forecast', 'forecast, target -1.40 sd', 'forecast, target -0.30 sd, cycle x 0.7')
        """
        return _said(*self.arms[arm])


@lru_cache
def _said(source: int, shift: float, stretch: float) -> str:
    said = SOURCES[source]
    if shift:
        said += f", target {shift:+.2f} sd"
    return said if stretch == 1.0 else f"{said}, cycle x {stretch:.1f}"


@lru_cache
def _followed(stretches: tuple[float, ...], arm: int) -> Menu:
    menu = PLAIN if stretches == PLAIN.stretches else LOTS
    columns = menu.source, menu.shift, menu.stretch, menu.lot, menu.bend
    source, shift, stretch, lot, bend = (np.append(column, column[arm]) for column in columns)
    return menu._replace(
        arms=(*menu.arms, menu.arms[arm]), source=source, shift=shift, stretch=stretch, lot=lot, bend=bend
    )


def _menu(shifts: tuple[float, ...], stretches: tuple[float, ...]) -> Menu:
    arms = [(i, shift, stretch) for i in range(len(SOURCES)) for shift in shifts for stretch in stretches]
    source, shift, stretch = (np.array(column) for column in zip(*arms, strict=True))
    number = np.array([stretches.index(value) for value in stretch.tolist()])
    bend = CURVATURE * (shift**2 + np.log(stretch) ** 2)
    lots = source * len(stretches) + number
    return Menu(tuple(arms), source, shift, stretch, arms.index((0, 0.0, 1.0)), stretches, lots, bend)


PLAIN = _menu(SHIFTS, (1.0,))
LOTS = _menu(LOT_SHIFTS, STRETCHES)
"""Where an order costs something."""
ARMS = len(PLAIN.source)
