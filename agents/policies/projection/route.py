"""What a distribution of lead times means for open orders and for the one to be placed.

The coming periods up to the longest lead time are cut into stretches, each of which is projected as one. Units count in
the flow of a stretch when they come before its end, and in that of the next one when they come at its end; the last
flow is what comes with the longest lead time.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from agents.kernel.compiled import Numbers, Places, compiled

BLOCKS = 4
"""Longer lead times than this are projected in so many stretches, which costs little and saves much."""
MATURE = 1e-9
"""What is less likely does not happen."""


class Route(NamedTuple):
    """How long orders take."""

    longest: int
    """Longest lead time, in periods."""
    certain: bool
    """Whether there is only one lead time and no loss."""


def route(lead_time: Sequence[float]) -> Route:
    """The longest lead time, and whether it is the only one.

    >>> route((0.0, 0.0, 1.0)), route((0.0, 0.5, 0.4, 0.0))
    (Route(longest=2, certain=True), Route(longest=2, certain=False))
    """
    longest = len(lead_time) - 1
    while longest > 0 and lead_time[longest] <= MATURE:
        longest -= 1
    return Route(longest, lead_time[longest] >= 1.0 - MATURE)


class Odds(NamedTuple):
    """When orders come."""

    longest: int
    certain: bool
    edges: Places
    """The periods at which stretches begin and end."""
    chances: Numbers
    """Of a lead time of 0, 1, 2… periods, up to the longest."""
    still: Numbers
    """Chance that an order is not there before it is so old."""
    own: Numbers
    """Chance that an order placed now takes so many periods, given that it arrives."""
    landing: Numbers
    """The same by flow: at once, then in each stretch."""
    wait: float
    """Mean lead time."""


@compiled
def odds_of(lead_time: Numbers) -> Odds:
    """Work out the odds of a distribution of lead times."""
    longest = len(lead_time) - 1
    while longest > 0 and lead_time[longest] <= MATURE:
        longest -= 1
    stretches = min(longest, BLOCKS)
    edges, landing = np.zeros(stretches + 1, np.int64), np.zeros(stretches + 1)
    for number in range(1, stretches + 1):
        quarters = longest * number * BLOCKS // stretches
        edges[number] = (quarters + 1 + quarters // BLOCKS % 2) // BLOCKS  # rounded; to even in the middle
    still, own, total, wait = np.ones(longest + 1), np.zeros(longest + 1), 0.0, 0.0
    for lead in range(longest + 1):
        still[lead] -= total
        total += lead_time[lead]
    for lead in range(longest + 1):
        own[lead] = lead_time[lead] / total if total > MATURE else 1.0 if lead == longest else 0.0
        landing[flow_of(edges, lead - 1) + 1 if lead else 0] += own[lead]
        wait += own[lead] * lead
    return Odds(longest, lead_time[longest] >= 1.0 - MATURE, edges, lead_time, still, own, landing, wait)


@compiled
def flow_of(edges: Places, periods: int) -> int:
    """The flow in which units count that arrive after so many periods."""
    number = 0
    while number + 1 < len(edges) and edges[number + 1] <= periods:
        number += 1
    return number


@compiled
def chance_of(odds: Odds, age: int, periods: int) -> float:
    """Chance that an order of that age, still open, arrives after so many periods; one overdue, where it is certain."""
    if age > odds.longest:
        return 1.0 if odds.certain and periods == 0 else 0.0
    if age + periods > odds.longest or odds.still[age] <= MATURE:
        return 0.0
    return float(min(odds.chances[age + periods] / odds.still[age], 1.0))
