"""Demand as one source sees it, summed over the stretches of a route."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from agents.forecasting.base import DemandForecast
from agents.policies.projection.route import BLOCKS, Route, route

LEAST_VARIANCE = 1e-6
LEAST_LEVEL = 1e-9


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
