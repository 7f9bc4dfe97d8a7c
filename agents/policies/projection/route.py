"""What a distribution of lead times means for open orders and for the order to be placed."""

import itertools
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from agents.policies.arrays import Floats

BLOCKS = 4
"""Lead times longer than this are projected in so many stretches, which costs little and saves much."""
ROUTES = 128
"""Distributions of lead times that are remembered: an item asks for its own several times in a row, and learns a new
one with every arrival. One of 90 periods takes 84 kB."""
MATURE = 1e-9


class Route(NamedTuple):
    """What a distribution of lead times means for open orders and for the one to be placed.

    Stretch b goes over the coming periods blocks[b]. Units count in its flow when they come before its end, and with
    the next stretch when they come at its end; the last flow is what comes with the longest lead time.
    """

    longest: int
    """Longest lead time, in periods."""
    blocks: tuple[tuple[int, int], ...]
    """The stretches of periods that are projected as one, up to the last period before the longest lead time."""
    stretch_of: tuple[int, ...]
    """The flow in which units count that arrive at the start of the j-th coming period."""
    borders: tuple[bool, ...]
    """Whether that is just where a stretch begins or ends."""
    odds: Floats
    """[age, j]: the chance that an order of that age, still open, arrives at the start of the j-th period."""
    own: list[float]
    """Chance that an order placed now arrives at the start of the j-th coming period, given that it arrives."""
    landing: list[float]
    """The same by flow: at once, then at the end of each stretch."""
    certain: bool
    """Whether there is only one lead time and no loss."""
    wait: float
    """Mean lead time."""
    flows: Floats
    """[flow, age - 1]: how much of each shadow order counts in each flow."""
    ends: Floats
    """The same for what arrives just at the end of a stretch."""
    doubts: Floats
    """Like `flows`, of the variance: chance × (1 − chance), by order."""


@lru_cache(maxsize=ROUTES)
def route(lead_time: tuple[float, ...]) -> Route:
    """Work out the route of a lead-time distribution.

    >>> route((0.0, 0.5, 0.5)).odds[1].tolist(), route((0.0, 0.5, 0.5)).wait
    ([0.5, 0.5, 0.0], 1.5)
    """
    chances = np.array(lead_time, dtype=float)
    longest = int(np.flatnonzero(chances > MATURE)[-1]) if (chances > MATURE).any() else 0
    chances, lay = chances[: longest + 1], _layout(longest)
    total, certain = float(chances.sum()), bool(chances[-1] >= 1.0 - MATURE)
    still = 1.0 - np.concatenate(([0.0], np.cumsum(chances[:-1])))
    odds = np.append(chances, np.zeros(longest + 2))[lay.shifted]
    odds[:, :-1] *= np.where(still > MATURE, 1.0 / np.maximum(still, MATURE), 0.0)
    np.minimum(odds, 1.0, out=odds)
    if certain:
        odds[0, longest + 1] = 1.0
    own = chances / total if total > MATURE else np.eye(longest + 1)[longest]
    to_come = odds[:, 1:]
    return Route(
        longest,
        lay.blocks,
        lay.stretch_of,
        lay.borders,
        odds.T,
        own.tolist(),
        (lay.landing @ own).tolist(),
        certain,
        float(own @ np.arange(longest + 1.0)),
        lay.gather @ to_come,
        lay.ends @ to_come,
        lay.gather @ (to_come * (1.0 - to_come)),
    )


class Layout(NamedTuple):
    """What depends on the longest lead time only."""

    blocks: tuple[tuple[int, int], ...]
    stretch_of: tuple[int, ...]
    borders: tuple[bool, ...]
    shifted: npt.NDArray[np.intp]
    """[j, age]: age + j, the lead time of an order of that age that arrives in j periods."""
    gather: Floats
    """[flow, j]: whether units that arrive at the start of the j-th period count in the flow."""
    ends: Floats
    landing: Floats


@lru_cache(maxsize=64)
def _layout(longest: int) -> Layout:
    edges = np.unique(np.linspace(0, longest, min(longest, BLOCKS) + 1).round().astype(int)).tolist()
    blocks = tuple(itertools.pairwise(edges))
    gather, ends, landing = (np.zeros((len(blocks) + 1, longest + 1)) for _ in range(3))
    gather[0, 0] = ends[0, 0] = landing[0, 0] = 1.0
    for number, (first, last) in enumerate(blocks):
        gather[number, first + 1 : last] = 1.0
        gather[number + 1, last] = ends[number + 1, last] = 1.0
        landing[number + 1, first + 1 : last + 1] = 1.0
    ages, coming = np.arange(longest + 2), np.arange(longest + 1)
    stretch_of = tuple(gather.argmax(axis=0).tolist())
    borders = tuple(j in edges for j in range(longest + 1))
    return Layout(blocks, stretch_of, borders, ages[None, :] + coming[:, None], gather, ends, landing)
