"""What the kernel computes at a review: an item lives through the period, orders in shadow, and is looked at itself."""

from math import floor, sqrt
from typing import NamedTuple

import numpy as np

from agents.kernel.compiled import Bytes, Numbers, Places, Record, Records, compiled
from agents.policies.pil_q.arms import ANALYTIC, ARM, ARMS, PILS
from agents.policies.pil_q.asking import by_level, by_pil, together
from agents.policies.pil_q.averages import average, variance_of
from agents.policies.pil_q.beliefs import MEAN, QUANTILE, SOURCES, VARIANCE, Beliefs, beliefs, tail_of
from agents.policies.pil_q.hidden_demand import uncensored
from agents.policies.pil_q.pool import MOST_VARIABILITY, POOLED, kind_of
from agents.policies.pil_q.prior import expect
from agents.policies.pil_q.shares import all_for_one, greatest, share_out
from agents.policies.pil_q.state import ITEM, SHADOWS
from agents.policies.pil_q.worth import judge, weigh
from agents.policies.projection.arrivals import QUANTITY, arrivals, by_age, shadow_arrivals
from agents.policies.projection.outlook import FORECAST, credible
from agents.policies.projection.route import Odds, odds_of
from agents.policies.projection.stock_left import stocks_left
from agents.policies.rules.pil import Levels, Projected, levels_of, placement, quantity_of
from agents.policies.shadow.shadows import admitted, place, position, serve
from agents.policies.terms import TERMS

RECONSIDER, SETTLE = 4, 32
"""Shares are worked out anew every so many periods; every period until so many were seen."""
TABLE = (np.float64, 2)


@compiled(ITEM, TABLE, np.int64, TERMS, np.float64, POOLED, np.float64, float, bool)
def live(  # noqa: PLR0913, PLR0917 - what the kernel is given, piece by piece
    items: Records,
    units: Numbers,
    drawn: Places,
    terms: Records,
    lead_time: Numbers,
    pools: Records,
    costs: Numbers,
    demand: float,
    censored: bool,  # noqa: FBT001 - Numba has no keywords only
) -> int:
    """Let shadows and averages live through a period, and write what it cost; the kind that learned of it, or 0.

    Costs say something of arms from the first period on in which an order of the shadows may have come.
    """
    item = items[0]
    averages, judged, soonest = item["averages"], 0, 0
    demand = uncensored(averages, credible(demand), censored)
    if len(drawn):
        serve(units, drawn, demand, terms[0], item["fee"], costs)
        item["lived"] += 1
        while soonest < len(lead_time) - 1 and lead_time[soonest] == 0.0:
            soonest += 1
        if item["lived"] > soonest:
            judged = kind_of(_variability(averages), lead_time[len(lead_time) - 1] == 1.0)
            judge(item, costs, terms[0], pools, judged)
    average(averages, demand, item["expected"])
    return judged


@compiled(ITEM, TABLE, np.int64, ARM, TERMS, FORECAST, np.float64, np.float64, POOLED, TABLE, bool, int)
def order(  # noqa: PLR0913, PLR0917 - what the kernel is given, piece by piece
    items: Records,
    units: Numbers,
    drawn: Places,
    menu: Records,
    terms: Records,
    forecasts: Records,
    path: Numbers,
    lead_time: Numbers,
    pools: Records,
    lots: Numbers,
    may_order: bool,  # noqa: FBT001 - Numba has no keywords only
    lead: int,
) -> None:
    """Work shares out anew, if it is time, and place the orders of shadows, with the lead time drawn for all."""
    item, costs, orders, odds = items[0], terms[0], np.zeros(SHADOWS), odds_of(lead_time)
    item["expected"] = credible(path[0]) if len(path) else -1.0
    item["fee"] = costs["order_cost"] if may_order else 0.0
    kind = kind_of(_variability(item["averages"]), lead_time[len(lead_time) - 1] == 1.0)
    _consider(item, menu, costs, odds, tail_of(forecasts[len(forecasts) - 1]), pools, kind)
    if may_order:
        seen, ages = beliefs(item["averages"], forecasts, path, odds, lots, costs), by_age(odds)
        stocks = PILS + SOURCES  # those of the family `pil`, then that of what all decide together, by source
        on_hand, flows, sources = np.empty(stocks), np.zeros((len(ages[0]), 3, stocks)), np.empty(stocks, np.int64)
        for stock in range(stocks):
            shadow, sources[stock] = (stock, menu[stock]["source"]) if stock < PILS else (ARMS, stock - PILS)
            on_hand[stock] = units[0, shadow]
            shadow_arrivals(flows, stock, units, shadow, ages)
        left = stocks_left(on_hand, flows, seen.stretches, sources, odds.landing, costs["lost"] > 0.0)
        for number in range(ARMS):
            arm, at = menu[number], position(units, number)
            missing = (
                by_pil(arm, left[0, number], left[1, number], seen, costs)
                if arm["projects"]
                else by_level(arm, at, seen, costs)
            )
            orders[number] = admitted(missing, at, costs)
        at = position(units, ARMS)
        wanted = together(item["parts"], menu, left, PILS, at, seen, costs)
        orders[ARMS] = admitted(wanted.quantity, at, costs)
    place(units, drawn, orders, lead)


@compiled
def _variability(averages: Record) -> int:
    """How variable demand is, in steps."""
    steps: float = 2.0 * sqrt(variance_of(averages, 0)) / max(averages["mean"][0], 1e-6)
    return floor(min(steps, float(MOST_VARIABILITY)))


@compiled
def _consider(item: Record, menu: Records, terms: Record, odds: Odds, tail: float, pools: Records, kind: int) -> None:
    """Work out how much each arm has to say."""
    parts, periods = item["parts"], item["averages"]["periods"]
    if parts[greatest(parts)] > 0 and periods % RECONSIDER > 0 and periods >= SETTLE:
        return
    worth = weigh(item, menu, terms, odds, tail, pools, kind)
    _share(parts, worth, item["learned"], menu, terms)
    usual = whole = 0.0
    for number in range(ARMS):
        usual += parts[number] * worth[number]
        whole += parts[number]
    item["advantage"] = worth[ANALYTIC] - usual / whole


@compiled
def _share(parts: Bytes, worth: Numbers, periods: int, menu: Records, terms: Record) -> None:
    if terms["order_cost"] > 0.0:
        all_for_one(parts, worth)
    else:
        share_out(parts, worth, periods * (1.0 - terms["ratio"]), menu["weight"])


class Reply(NamedTuple):
    """What arms say of an item."""

    place: int
    """The arm that has most to say, …"""
    share: float
    """… its share of that, …"""
    heard: int
    """… and how many have something to say."""
    baseline: float
    """What the analytic rule would order, where an order costs nothing; below, what arms decide together."""
    quantity: float
    reorder_point: int
    order_up_to: int
    safety_stock: int
    expected_cost: float


@compiled(ITEM, ARM, TERMS, FORECAST, np.float64, np.float64, TABLE, float, TABLE, np.uint8)
def look(  # noqa: PLR0913, PLR0917 - what the kernel is given, piece by piece
    items: Records,
    menu: Records,
    terms: Records,
    forecasts: Records,
    path: Numbers,
    lead_time: Numbers,
    orders: Numbers,
    available: float,
    found: Numbers,
    parts: Bytes,
) -> Reply:
    """Ask arms about the item itself; what each has to say is written, and by source, what `Sight` names."""
    item, costs, odds = items[0], terms[0], odds_of(lead_time)
    parts[:] = item["parts"]
    if parts[greatest(parts)] == 0 or (item["lots"] > 0) != (costs["order_cost"] > 0.0):
        worth = np.empty(ARMS)  # before the first period, as analysis has it
        parts[:] = 0
        expect(worth, menu, costs, odds, tail_of(forecasts[len(forecasts) - 1]))
        _share(parts, worth, 0, menu, costs)
    at, whole, heard, first = available, 0.0, 0, greatest(parts)
    for number in range(len(orders)):
        at += orders[number, QUANTITY]
    for number in range(ARMS):
        whole += parts[number]
        heard += 1 if parts[number] > 0 else 0
    seen = beliefs(item["averages"], forecasts, path, odds, np.empty((0, 3)), costs)
    flows = np.zeros((len(odds.edges), 3, SOURCES))
    arrivals(flows, orders, odds)
    for source in range(1, SOURCES):
        flows[:, :, source] = flows[:, :, 0]
    sources = np.arange(SOURCES)
    left = stocks_left(np.full(SOURCES, available), flows, seen.stretches, sources, odds.landing, costs["lost"] > 0.0)
    for source in range(SOURCES):
        found[source, 0], found[source, 1] = left[0, source], left[1, source]
        found[source, 2], found[source, 3] = seen.covered[source, MEAN], seen.covered[source, VARIANCE]
        for number, column in enumerate((MEAN, VARIANCE, QUANTILE)):
            found[source, 4 + number] = seen.interval[source, column]
    if costs["order_cost"] > 0.0:  # then one has all the say, and its lots are worked out with its answer
        return Reply(first, 1.0, 1, 0.0, 0.0, 0, 0, 0, 0.0)
    analytic, wanted = _levels(left, seen, 0, 0.0, costs), together(parts, menu, left, 0, at, seen, costs)
    level, arm = analytic.left + wanted.missing, menu[first]
    if heard == 1 and arm["projects"]:
        levels = _levels(left, seen, arm["source"], arm["shift"], costs)
    else:
        levels = Levels(analytic.left, level, level, analytic.deviation, analytic.mean, np.inf)
    stands = placement(levels, at, costs)
    return Reply(
        first,
        parts[first] / whole,
        heard,
        quantity_of(analytic),
        wanted.quantity,
        stands.reorder_point,
        stands.order_up_to,
        stands.safety_stock,
        stands.expected_cost,
    )


@compiled
def _levels(left: Numbers, seen: Beliefs, source: int, shift: float, terms: Record) -> Levels:
    mean, variance = seen.covered[source, MEAN], seen.covered[source, VARIANCE]
    return levels_of(Projected(left[0, source], left[1, source], mean, variance), shift, terms)
