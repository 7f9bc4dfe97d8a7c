"""What every arm would have ordered: the projected-inventory-level rule for all shadows of an item at once."""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from agents.policies.arrays import Floats
from agents.policies.base import Situation
from agents.policies.chance import uniform
from agents.policies.pil_q.arms import RATES, Menu
from agents.policies.pil_q.averages import Averages
from agents.policies.projection.outlook import Outlook, outlook
from agents.policies.projection.route import ROUTES, Route, route
from agents.policies.projection.stock_left import stock_left
from agents.policies.rules.levels import CAP_DEVIATIONS, lift, lot, patience, safety_factor
from agents.policies.shadow.shadows import MOST_UNITS, NOTHING, Shadows, admitted, drawn_lead_time


def outlook_of(averages: Averages, source: int, situation: Situation, way: Route) -> Outlook:
    """Demand by stretch as one source sees it."""
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


class Prospects(NamedTuple):
    """Outlooks of all arms: their sources' numbers, a column an arm."""

    used: Floats
    variances: Floats
    mean: Floats
    variance: Floats
    bend: Floats
    most: Floats
    sources: list[tuple[float, ...]]
    """Mean and variance of what an order has to cover, by source."""


def prospects(averages: Averages, situation: Situation, way: Route, source: npt.NDArray[np.intp]) -> Prospects:
    """What each arm believes, `source` naming its source."""
    terms, count = situation.economics, len(way.blocks)
    review = max(1, terms.review_periods)
    said = outlook(situation.forecast, situation.lead_time, review)
    table = np.empty((2 * count + 4, 1 + len(RATES)))
    rows = table[:-2]
    rows[:, 0] = (*said.used, *said.variances, said.mean, said.variance)
    if averages.periods:
        rows[:, 1:] = np.dot(_levers(situation.lead_time, review), np.array(averages.moments()))
    else:
        rows[:, 1:] = rows[:, :1]
    z = safety_factor(terms.critical_ratio)
    covered = list(zip(*rows[-2:].tolist(), strict=True))
    table[-2] = [lift(mean, variance, z) for mean, variance in covered]
    table[-1] = [mean + CAP_DEVIATIONS * math.sqrt(variance) for mean, variance in covered]
    each = table.take(source, axis=1)
    return Prospects(each[:count], each[count : 2 * count], each[-4], each[-3], each[-2], each[-1], covered)


@lru_cache(maxsize=ROUTES)
def _levers(lead_time: tuple[float, ...], review: int) -> Floats:
    """What an item's own mean, variance, and variance × doubt make of each row of `prospects`."""
    way = route(lead_time)
    used = [(last - first, 0.0, 0.0) for first, last in way.blocks]
    variances = [(0.0, last - first, last * last - first * first) for first, last in way.blocks]
    covered = [(review, 0.0, 0.0), (0.0, review, review * (2.0 * way.wait + review))]
    return np.array([*used, *variances, *covered])


def begin(averages: Averages, situation: Situation, way: Route, menu: Menu) -> Shadows:
    """Begin in each arm's steady state, where stock at a period's start is about its target."""
    seen, terms = prospects(averages, situation, way, menu.source), situation.economics
    z, deviation = safety_factor(terms.critical_ratio), np.sqrt(seen.variance)
    high = seen.mean + (z + menu.shift) * deviation + seen.bend / (seen.variance * deviation)
    every_period = terms.review_periods <= 1 and terms.order_cost <= 0.0
    flow = float(seen.mean[menu.reference]) if every_period else 0.0
    return Shadows.steady(high, min(flow, MOST_UNITS), way.longest)


def order(shadows: Shadows, averages: Averages, situation: Situation, way: Route, menu: Menu) -> None:
    """Place every arm's order."""
    terms = situation.economics
    if len(shadows.drawn) != way.longest + 1:
        shadows.fit(way.longest)
    drawn = way.longest
    if not way.certain:
        drawn = drawn_lead_time(situation.lead_time, uniform(situation.item, situation.period, "lead time"))
    if not situation.may_order:
        shadows.place(np.zeros(len(shadows.stock)), drawn, 0.0)
        return
    wanted = wanted_by(shadows, averages, situation, way, menu)
    shadows.place(admitted(wanted, shadows, terms), drawn, terms.order_cost)


def wanted_by(shadows: Shadows, averages: Averages, situation: Situation, way: Route, menu: Menu) -> Floats:
    """What each arm would order from its own stock: `pil.levels` for all arms at once."""
    terms = situation.economics
    lost, seen = terms.stock_out == "lost", prospects(averages, situation, way, menu.source)
    left, left_variance = stock_left(shadows.stock, shadows.pipeline, seen.used, seen.variances, way, lost=lost)
    if terms.order_cost > 0.0:
        return _lots(left, left_variance, seen, situation, menu)
    z = safety_factor(terms.critical_ratio)
    whole = seen.variance + left_variance
    deviation = np.sqrt(whole)
    wanted = seen.mean - left
    whole *= deviation
    wanted += seen.bend / whole
    deviation *= menu.shift + z
    wanted += deviation
    if eager := patience(z, terms):
        late = np.sqrt(left_variance)
        late *= eager
        wanted -= late
    np.maximum(wanted, NOTHING, out=wanted)
    return np.minimum(wanted, seen.most if lost else MOST_UNITS, out=wanted)


def _lots(left: Floats, left_variance: Floats, seen: Prospects, situation: Situation, menu: Menu) -> Floats:
    """The same where an order costs something: up to `high` when the stock left is low."""
    terms, review = situation.economics, max(1, situation.economics.review_periods)
    typical = float(left_variance.mean())
    lots = np.array(
        [
            lot(mean / review, variance / review, typical, terms, stretch)[:2]
            for mean, variance in seen.sources
            for stretch in menu.stretches
        ]
    )
    low, high = lots[menu.lot].T
    moved = menu.shift * np.sqrt(seen.variance + typical)
    low, high = low + moved, high + moved
    wanted = np.where(left <= low, np.maximum(high, low) - left, 0.0)
    return np.minimum(np.maximum(wanted, 0.0), MOST_UNITS)
