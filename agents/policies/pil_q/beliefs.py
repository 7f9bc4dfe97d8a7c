"""What each source says of demand: the item's forecast, and the item's own averages at their rates, side by side."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from agents.forecasting.base import DemandForecast
from agents.policies.arrays import Floats
from agents.policies.base import Situation
from agents.policies.pil_q.arms import RATES
from agents.policies.pil_q.averages import Averages
from agents.policies.projection.outlook import Outlook, outlook
from agents.policies.projection.route import ROUTES, Route, route
from agents.policies.rules.levels import CAP_DEVIATIONS, lift, safety_factor

TAIL = 0.95
"""The quantile by which a forecast's tail is judged: dearer ones are too rare to be known well."""
MOST = 1e15
"""No demand is greater, whatever a forecaster says; what is no number is taken as this."""


class Beliefs(NamedTuple):
    """A column a source."""

    stretches: Floats
    """Mean demand of each stretch of the route, then its variance."""
    covered: Floats
    """Of the review interval that an order has to cover: mean, variance, what skewness adds (`lift`), largest order."""
    interval: Floats
    """Of the protection interval: mean, quantile at the critical ratio, variance."""


def beliefs(averages: Averages, situation: Situation) -> Beliefs:
    """All sources at once."""
    terms, protection = situation.economics, situation.protection
    review, span, z = max(1, terms.review_periods), max(protection.horizon, 1.0), safety_factor(terms.critical_ratio)
    said = outlook(situation.forecast, situation.lead_time, review)
    flows = 2 * len(said.used)
    table = np.empty((flows + 7, 1 + len(RATES)))
    own = said.mean, said.variance, protection.mean, max(protection.variance, 0.0)
    table[: flows + 4, 0] = [min(MOST, number) for number in (*said.used, *said.variances, *own)]
    if averages.periods:
        table[: flows + 4, 1:] = np.dot(_levers(situation.lead_time, review, span), np.array(averages.moments()))
    else:
        table[: flows + 4, 1:] = table[: flows + 4, :1]
    means, variances, spans, spreads = table[flows : flows + 4].tolist()
    quantiles = [min(MOST, protection.quantile(terms.critical_ratio))] * len(means)
    if averages.periods:
        quantiles[1:] = [quantile_of(mean, spread, z) for mean, spread in zip(spans[1:], spreads[1:], strict=True)]
    covered = list(zip(means, variances, strict=True))
    table[flows + 2] = [lift(mean, variance, z) for mean, variance in covered]
    table[flows + 3] = [mean + CAP_DEVIATIONS * math.sqrt(variance) for mean, variance in covered]
    table[flows + 4 :] = spans, quantiles, spreads
    return Beliefs(table[:flows], table[flows : flows + 4], table[flows + 4 :])


def quantile_of(mean: float, variance: float, z: float) -> float:
    """The quantile that a normal deviate stands for, with the skewness that counts of such a mean and variance have."""
    deviation = math.sqrt(variance)
    return mean + z * deviation + lift(mean, variance, z) / (variance * deviation)


def tail_of(said: DemandForecast) -> float:
    """How far the forecast's quantile `TAIL` lies from what mean and variance make of it, in deviations.

    >>> tail_of(DemandForecast(1, 5.0, 25.0, (2.0, 8.0, 11.0, 13.0, 24.0), (5.0,)))
    -0.6
    """
    if not (said.mean > 0.0 and 0.0 < said.variance < math.inf):
        return 0.0
    usual = quantile_of(said.mean, said.variance, safety_factor(TAIL))
    return round(min(max((said.quantile(TAIL) - usual) / math.sqrt(said.variance), -0.8), 0.2), 1)


@lru_cache(maxsize=ROUTES)
def _levers(lead_time: tuple[float, ...], review: int, span: float) -> Floats:
    """What an item's own mean, variance, and variance × doubt make of each row."""
    way = route(lead_time)
    used = [(last - first, 0.0, 0.0) for first, last in way.blocks]
    variances = [(0.0, last - first, last * last - first * first) for first, last in way.blocks]
    covered = [(review, 0.0, 0.0), (0.0, review, review * (2.0 * way.wait + review))]
    return np.array([*used, *variances, *covered, (span, 0.0, 0.0), (0.0, span, span * span)])


def outlook_of(averages: Averages, source: int, situation: Situation, way: Route) -> Outlook:
    """Demand by stretch as one source sees it, in plain numbers."""
    review = max(1, situation.economics.review_periods)
    if source == 0 or averages.periods == 0:
        return outlook(situation.forecast, situation.lead_time, review)
    k = source - 1
    mean, variance, doubt = averages.mean[k], averages.variance_of(k), averages.doubt_of(k)
    return Outlook(
        [mean * (last - first) for first, last in way.blocks],
        [variance * (last - first + doubt * (last * last - first * first)) for first, last in way.blocks],
        mean * review,
        variance * review * (1.0 + doubt * (2.0 * way.wait + review)),
    )
