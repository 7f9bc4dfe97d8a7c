"""What each source says of demand: the item's forecast, and the item's own averages at their rates, side by side."""

from math import floor, sqrt
from typing import NamedTuple

import numpy as np

from agents.kernel.compiled import Numbers, Record, Records, compiled
from agents.policies.pil_q.averages import OWN, doubt_of, variance_of
from agents.policies.projection.outlook import credible, outlook, quantile
from agents.policies.projection.route import Odds
from agents.policies.rules.target import quantile_of

SOURCES = 1 + OWN
TAIL = 0.95
"""The quantile by which a forecast's tail is judged: dearer ones are too rare to be known well."""
TAIL_FACTOR = 1.6448536269514722
"""Its normal deviate."""
MEAN, VARIANCE, QUANTILE, REVIEW, SPREAD, LOT = range(6)


class Beliefs(NamedTuple):
    """By source."""

    stretches: Numbers
    """[source, moment, stretch of the route]"""
    covered: Numbers
    """[source, moment] of the review interval that an order has to cover."""
    interval: Numbers
    """Of the protection interval, by source: mean, variance, and the quantile at the critical ratio; mean and deviation
    of a review interval's share of it; the economic lot at that demand."""
    lots: Numbers
    """Where an order costs something, by pair of source and stretch of the cycle: the stock left at which to order, up
    to which, and the variance of the stock left for which that is so."""


@compiled
def beliefs(averages: Record, forecasts: Records, path: Numbers, odds: Odds, lots: Numbers, terms: Record) -> Beliefs:
    """All sources at once; `forecasts` are that of the longest protection interval and that of the likely one."""
    review, count, likely = terms["review"], len(odds.edges) - 1, forecasts[len(forecasts) - 1]
    span = max(likely["horizon"], 1.0)
    stretches, covered, interval = np.empty((SOURCES, 2, count)), np.empty((SOURCES, 2)), np.empty((SOURCES, 6))
    said = outlook(stretches[0], forecasts[0], path, odds, int(review))
    covered[0, MEAN], covered[0, VARIANCE] = said.mean, said.variance
    interval[0, MEAN], interval[0, VARIANCE] = credible(likely["mean"]), credible(likely["variance"])
    interval[0, QUANTILE] = quantile(likely, terms["ratio"])
    for source in range(1, SOURCES):
        if averages["periods"] == 0:
            stretches[source], covered[source], interval[source] = stretches[0], covered[0], interval[0]
            continue
        mean, variance = averages["mean"][source - 1], variance_of(averages, source - 1)
        doubt = doubt_of(averages, source - 1)
        for number in range(count):
            first, last = odds.edges[number], odds.edges[number + 1]
            stretches[source, MEAN, number] = mean * (last - first)
            stretches[source, VARIANCE, number] = variance * (last - first + doubt * (last * last - first * first))
        covered[source, MEAN] = mean * review
        covered[source, VARIANCE] = variance * review * (1.0 + doubt * (2.0 * odds.wait + review))
        interval[source, MEAN] = mean * span
        interval[source, VARIANCE] = variance * span * (1.0 + doubt * span)
        interval[source, QUANTILE] = quantile_of(mean * span, interval[source, VARIANCE], terms["z"])
    for source in range(SOURCES):
        mean, share = interval[source, MEAN], review / span
        interval[source, REVIEW] = share * mean
        interval[source, SPREAD] = sqrt(share * interval[source, VARIANCE])
        interval[source, LOT] = economic_lot(mean / span, terms)
    return Beliefs(stretches, covered, interval, lots)


@compiled
def economic_lot(rate: float, terms: Record) -> float:
    """`reorder_level.economic_lot`."""
    lot = sqrt(2.0 * terms["order_cost"] * rate / terms["holding"]) if terms["holding"] > 0.0 else 0.0
    return float(max(lot, rate * terms["review"]))


@compiled
def tail_of(forecast: Record) -> float:
    """How far the forecast's quantile `TAIL` lies from what mean and variance make of it, in deviations."""
    mean, variance = forecast["mean"], forecast["variance"]
    if not (mean > 0.0 and 0.0 < variance < np.inf):
        return 0.0
    apart = (quantile(forecast, TAIL) - quantile_of(mean, variance, TAIL_FACTOR)) / sqrt(variance)
    return floor(min(max(apart, -0.8), 0.2) * 10.0 + 0.5) / 10.0
