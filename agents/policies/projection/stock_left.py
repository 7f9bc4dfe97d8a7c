"""The stock that is left when an order arrives: the quantity by which projected-inventory-level policies steer.

Mean and variance of stock on hand are carried through the open orders and the forecast, stretch by stretch; with lost
sales, stock stops at zero (`positive_part.py`).

Everything comes twice: in plain numbers for one inventory, and vectorised over inventories (the last axis), so that the
shadows of all arms are projected at once.

van Jaarsveld, Arts (2024), "Projected Inventory Level Policies for Lost Sales Inventory Systems", Operations Research.
"""

import numpy as np

from agents.policies.arrays import Floats
from agents.policies.projection.arrivals import Arrivals
from agents.policies.projection.outlook import Outlook
from agents.policies.projection.positive_part import one_positive_part, positive_part
from agents.policies.projection.route import Route


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
