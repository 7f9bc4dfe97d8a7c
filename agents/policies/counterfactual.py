"""What every arm would have ordered: the projected-inventory-level rule for all shadows of an item at once."""

from functools import lru_cache

import numpy as np

from agents.policies.arms import ARMS, RATES, Menu
from agents.policies.averages import Averages
from agents.policies.base import Situation
from agents.policies.chance import uniform
from agents.policies.levels import CAP_DEVIATIONS, lift, lot, targets
from agents.policies.projection import Demand, Floats, Paths, Route, by_period, horizon_of, stock_left
from agents.policies.shadow import Shadows, admitted, drawn_lead_time


def paths_of(averages: Averages, source: int, situation: Situation, way: Route) -> Paths:
    """Demand by coming period as one source sees it."""
    periods = horizon_of(situation, way)
    if source == 0 or averages.periods == 0:
        return by_period(situation.forecast, periods)
    k = source - 1
    variance, doubt = averages.variance_of(k), averages.doubt_of(k)
    return Paths([averages.mean[k]] * periods, [variance * (1.0 + (2 * ahead + 1) * doubt) for ahead in range(periods)])


def begin(averages: Averages, situation: Situation, way: Route, menu: Menu) -> Shadows:
    """Begin in each arm's steady state, where stock at a period's start is about its target."""
    means, variances = _demand(averages, situation, way)
    weights = _weights(way.own.tobytes(), max(1, situation.economics.review_periods))
    nothing = np.zeros(ARMS)
    mean, variance = (weights @ means)[menu.source], (weights @ variances)[menu.source]
    high, deviation = targets(mean, variance, nothing, nothing, situation.economics)
    every_period = situation.economics.review_periods <= 1 and situation.economics.order_cost <= 0.0
    return Shadows.steady(high + menu.shift * deviation, float(means[-1, 0]) if every_period else 0.0, way.longest)


def order(shadows: Shadows, averages: Averages, situation: Situation, way: Route, menu: Menu) -> None:
    """Place every arm's order."""
    terms = situation.economics
    shadows.fit(way.longest)
    drawn = way.longest
    if not way.certain:
        drawn = drawn_lead_time(situation.lead_time, uniform(situation.item, situation.period, "lead time"))
    if not situation.may_order:
        shadows.place(np.zeros(ARMS, dtype=np.int32), drawn, 0.0)
        return
    wanted = wanted_by(shadows, averages, situation, way, menu)
    shadows.place(admitted(wanted, shadows, terms), drawn, terms.order_cost)


def wanted_by(shadows: Shadows, averages: Averages, situation: Situation, way: Route, menu: Menu) -> Floats:
    """What each arm would order from its own stock: `pil.levels` for all arms at once."""
    terms = situation.economics
    lost, review = terms.stock_out == "lost", max(1, terms.review_periods)
    means, variances = _demand(averages, situation, way)
    arrivals, spread = shadows.arrivals(way)
    demand = Demand(means[:, menu.source], variances[:, menu.source])
    left, left_variance = stock_left(shadows.stock.astype(float), arrivals, spread, demand, way, lost=lost)
    weights = _weights(way.own.tobytes(), review)
    each, each_variance = weights @ means, weights @ variances
    mean, variance = each[menu.source], each_variance[menu.source]
    if terms.order_cost <= 0.0:
        bends = [lift(m, v, terms)[1] for m, v in zip(each.tolist(), each_variance.tolist(), strict=True)]
        high, deviation = targets(mean, variance, left_variance, np.array(bends)[menu.source], terms)
        wanted = np.maximum(high + menu.shift * deviation - left, 0.0)
        return np.minimum(wanted, mean + CAP_DEVIATIONS * np.sqrt(variance)) if lost else wanted
    typical = float(left_variance.mean())
    lots = np.array(
        [
            lot(m / review, v / review, typical, terms, stretch)[:2]
            for m, v in zip(each.tolist(), each_variance.tolist(), strict=True)
            for stretch in menu.stretches
        ]
    )
    pairs = lots[menu.source * len(menu.stretches) + menu.stretch_number]
    moved = menu.shift * np.sqrt(variance + typical)
    low, high = pairs[:, 0] + moved, pairs[:, 1] + moved
    return np.where(left <= low, np.maximum(high, low) - left, 0.0)


def _demand(averages: Averages, situation: Situation, way: Route) -> tuple[Floats, Floats]:
    """Mean and variance of demand as [coming period, source]."""
    periods = horizon_of(situation, way)
    means, variances = np.empty((periods, 1 + len(RATES))), np.empty((periods, 1 + len(RATES)))
    known = by_period(situation.forecast, periods)
    if averages.periods == 0:
        means[:], variances[:] = np.array(known.mean)[:, None], np.array(known.variance)[:, None]
        return means, variances
    means[:, 0], variances[:, 0] = known.mean, known.variance
    means[:, 1:] = averages.mean
    doubt = np.array([averages.doubt_of(k) for k in range(len(RATES))])
    each = np.array([averages.variance_of(k) for k in range(len(RATES))])
    variances[:, 1:] = each + _odd(periods) * (each * doubt)
    return means, variances


@lru_cache
def _odd(periods: int) -> Floats:
    """1, 3, 5… as a column: how the squares of 1, 2, 3… grow."""
    return 2.0 * np.arange(float(periods))[:, None] + 1.0


@lru_cache(maxsize=1024)
def _weights(own: bytes, review: int) -> Floats:
    """How much each coming period counts in the review interval that begins when an order arrives."""
    chances = np.frombuffer(own)
    weights = np.zeros(len(chances) - 1 + review)
    for lead, chance in enumerate(chances):
        weights[lead : lead + review] += chance
    return weights
