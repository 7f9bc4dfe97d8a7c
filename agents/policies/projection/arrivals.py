"""What arrives of an item's open orders before an order placed now does."""

from typing import NamedTuple

from agents.policies.base import Situation
from agents.policies.projection.route import MATURE, Route


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
