"""The stock that will be left when an order arrives: the quantity by which projected-inventory-level policies steer.

Mean and variance of stock on hand are carried through the open orders and the forecast, stretch by stretch; with lost
sales, stock stops at zero. Stock is taken as logistic, which has heavier tails than a normal, as demand has, and a
positive part that costs a few operations: E[X⁺] = s log(1 + exp(μ/s)), and Var[X⁺] close to σ² / (1 + exp(b − aμ/s)).

Everything comes twice: in plain numbers for one inventory, and vectorised over inventories (the last axis), so that the
shadows of all arms are projected at once.

van Jaarsveld, Arts (2024), "Projected Inventory Level Policies for Lost Sales Inventory Systems", Operations Research.
"""

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from agents.forecasting.base import DemandForecast
from agents.policies.base import Situation

Floats = npt.NDArray[np.float64]
DENSITY = 1.0 / math.sqrt(2.0 * math.pi)
SCALE, SLOPE, OFFSET = 0.6, 1.056, 0.66
"""s/σ, a and b above: near the moments of a normal's positive part (a σ/s = 1.76, b = 0.66 match its variance about 0),
with a scale chosen on exact costs of Zipkin's instances with true parameters."""
BLOCKS = 4
"""Lead times longer than this are projected in so many stretches, which costs little and saves much."""
ROUTES = 128
"""Distributions of lead times that are remembered: an item asks for its own several times in a row, and learns a new
one with every arrival. One of 90 periods takes 84 kB."""
MATURE = 1e-9
LEAST_VARIANCE = 1e-6
LEAST_LEVEL = 1e-9
CERTAIN_SCALES = 30.0
"""Stock so far from zero does not notice that it cannot fall below."""
_ZERO, _SCALE, _SLOPE, _OFFSET = (np.array(number) for number in (0.0, SCALE, SLOPE, OFFSET))


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


class Arrivals(NamedTuple):
    """What arrives of the open orders, by flow of the route."""

    flows: list[float]
    ends: list[float]
    """What of it arrives just when its stretch begins."""
    variance: list[float]


def expected_arrivals(situation: Situation, way: Route) -> Arrivals:
    """Mean and variance of what arrives."""
    size = len(way.landing)
    flows, longest = [0.0] * size, way.longest
    if way.certain:
        for order in situation.pipeline:
            flows[way.stretch_of[min(max(int(order.due + 0.5), 0), longest)]] += order.quantity
        return Arrivals(flows, flows, [0.0] * size)
    ends, variance = [0.0] * size, [0.0] * size
    for order in situation.pipeline:
        odds = way.odds[min(order.age, longest + 1)].tolist()
        still = 1.0 - sum(odds[: order.soonest])
        if still <= MATURE:
            continue
        for j, odd in enumerate(odds):
            if odd == 0.0 or j < order.soonest:
                continue
            chance, number = min(odd / still, 1.0), way.stretch_of[j]
            flows[number] += chance * order.quantity
            variance[number] += chance * (1.0 - chance) * order.quantity**2
            if way.borders[j]:
                ends[number] += chance * order.quantity
    return Arrivals(flows, ends, variance)


class Outlook(NamedTuple):
    """Demand as one source sees it: by stretch of the route, and in the interval that the order has to cover."""

    used: Sequence[float]
    variances: Sequence[float]
    mean: float
    variance: float


@lru_cache(maxsize=256)
def outlook(forecast: DemandForecast, lead_time: tuple[float, ...], review: int) -> Outlook:
    """What the item's forecast says; its average goes on beyond its horizon, and variance goes with the mean.

    >>> outlook(DemandForecast(2, 6.0, 12.0, (6.0, 8.0, 9.0, 10.0, 12.0), (2.0, 4.0)), (0.0, 1.0), 2)
    Outlook(used=[2.0], variances=[4.0], mean=7.0, variance=14.0)
    """
    way, span = route(lead_time), max(float(forecast.horizon), 1.0)
    level, each = max(forecast.mean, 0.0) / span, max(forecast.variance, LEAST_VARIANCE) / span
    path, longest = list(forecast.path[: way.longest + review]), way.longest
    path += [level] * (longest + review - len(path))
    used = path[:longest] if longest <= BLOCKS else [sum(path[first:last]) for first, last in way.blocks]
    covered = sum(path[longest:]) if way.certain else _covered(path, way, review)
    if level <= LEAST_LEVEL:
        each = max(each, LEAST_VARIANCE)
        return Outlook(used, [each * (last - first) for first, last in way.blocks], covered, each * review)
    ratio = each / level
    variances = [max(ratio * mean, LEAST_VARIANCE) for mean in used]
    return Outlook(used, variances, covered, max(ratio * covered, LEAST_VARIANCE))


def _covered(path: Sequence[float], way: Route, review: int) -> float:
    """Demand of the review interval that begins when the order arrives, averaged over the possible lead times."""
    return math.fsum(chance * sum(path[lead : lead + review]) for lead, chance in enumerate(way.own) if chance)


def positive_part(mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of X⁺.

    >>> mean, variance = positive_part(np.array([0.0, 50.0]), np.array([1.0, 1.0]))
    >>> mean.round(4).tolist(), variance.round(4).tolist()
    ([0.4159, 50.0], [0.3407, 1.0])
    """
    scale = np.sqrt(variance)
    scale *= _SCALE
    x = mean / scale
    first = np.logaddexp(_ZERO, x)
    first *= scale
    x *= _SLOPE
    x -= _OFFSET
    expit(x, x)
    x *= variance
    return first, x


def one_positive_part(mean: float, variance: float) -> tuple[float, float]:
    """The same of one number."""
    scale = SCALE * math.sqrt(variance)
    x = mean / scale
    if x > CERTAIN_SCALES:
        return mean, variance
    if x < -CERTAIN_SCALES:
        return 0.0, LEAST_VARIANCE * variance
    return scale * math.log1p(math.exp(x)), variance / (1.0 + math.exp(OFFSET - SLOPE * x))


def stock_left(
    on_hand: Floats, pipeline: Floats, used: Floats, variances: Floats, way: Route, *, lost: bool
) -> tuple[Floats, Floats]:
    """Mean and variance of stock at the start of the period in which an order placed now arrives, without it.

    `pipeline` is [age - 1, inventory], `used` and `variances` demand as [stretch, inventory]; with several possible
    lead times the result is their mixture.
    """
    flows = np.dot(way.flows, pipeline)
    mean = flows[0]
    mean += on_hand
    if not way.blocks:
        return mean, np.dot(way.doubts, pipeline)[0] if not way.certain else np.zeros_like(on_hand)
    if not way.certain:
        return _mixture(on_hand, flows, pipeline, used, variances, way, lost=lost)
    before = flows[:-1]
    before -= used
    variance = variances[0]
    if lost:
        mean, variance = positive_part(mean, variance)
    for flow, more in zip(before[1:], variances[1:], strict=True):
        mean, variance = mean + flow, variance + more
        if lost:
            mean, variance = positive_part(mean, variance)
    return mean + flows[-1], variance


def _mixture(
    on_hand: Floats, flows: Floats, pipeline: Floats, used: Floats, variances: Floats, way: Route, *, lost: bool
) -> tuple[Floats, Floats]:
    """`stock_left` over the possible lead times, when they are several."""
    doubts, ends = np.dot(way.doubts, np.square(pipeline)), np.dot(way.ends, pipeline)
    mean, variance = flows[0], doubts[0]
    left, left_variance = way.landing[0] * (on_hand + ends[0]), way.landing[0] * variance
    for number, share in enumerate(way.landing[1:]):
        mean, variance = mean - used[number], variance + variances[number]
        if lost:
            mean, variance = positive_part(mean, variance)
        variance += doubts[number + 1]
        if share:
            left, left_variance = left + share * (mean + ends[number + 1]), left_variance + share * variance
        mean += flows[number + 1]
    return left, left_variance


def one_stock_left(
    on_hand: float, arrivals: Arrivals, demand: Outlook, way: Route, *, lost: bool
) -> tuple[float, float]:
    """`stock_left` of a single inventory, in plain numbers: several times quicker than with arrays of one."""
    mean, variance = on_hand + arrivals.flows[0], arrivals.variance[0]
    if way.certain:
        for used, spread, flow in zip(demand.used, demand.variances, arrivals.flows[1:], strict=True):
            mean -= used
            variance += spread
            if lost:
                mean, variance = one_positive_part(mean, variance)
            mean += flow
        return mean, variance
    left, left_variance = way.landing[0] * (on_hand + arrivals.ends[0]), way.landing[0] * variance
    steps = zip(
        demand.used,
        demand.variances,
        arrivals.flows[1:],
        arrivals.ends[1:],
        arrivals.variance[1:],
        way.landing[1:],
        strict=True,
    )
    for used, spread, flow, end, doubt, share in steps:
        mean -= used
        variance += spread
        if lost:
            mean, variance = one_positive_part(mean, variance)
        variance += doubt
        left += share * (mean + end)
        left_variance += share * variance
        mean += flow
    return left, left_variance
