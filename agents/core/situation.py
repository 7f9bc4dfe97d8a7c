"""What a policy decides from: an item's stock, open orders, costs and forecast; and how far to look ahead."""

from math import ceil
from typing import Literal, TypeAlias

from agents.forecasting.base import DemandForecast
from agents.forecasting.interval import over_interval
from agents.forecasting.lead_time import MOST_PERIODS
from agents.inventory import replenishments
from agents.inventory.card import Card
from agents.inventory.kpis import YEAR_DAYS
from agents.inventory.periods import start_of, until_next
from agents.inventory.position import available, is_known
from agents.inventory.terms import Effective
from agents.policies.base import Economics, PipelineOrder, Situation
from agents.policies.facts import DemandFacts
from schemas.ledger import FoldSettings, Milliseconds
from schemas.quantities import DAY_MS

ShortageBasis: TypeAlias = Literal["shortage_cost", "service_level", "margin", "usual_service_level"]
_LEAST_HOLDING = 1e-9
"""Holding costs at least so much, so that ratios of costs are defined where a unit costs nothing."""
_MOST_SERVICE = 0.9999


def situation_of(
    card: Card,
    terms: Effective,
    lead_time: tuple[float, ...],
    forecast: DemandForecast,
    now: Milliseconds,
    settings: FoldSettings,
    *,
    may_order: bool,
    facts: DemandFacts,
) -> Situation:
    """An item's situation at a moment; times are in periods."""
    item, period_ms, here = card.item, settings.period_ms, start_of(now, settings)
    pipeline = [
        PipelineOrder(
            order.outstanding,
            max(0.0, (replenishments.due_at(order) - now) / period_ms),
            max(0, (here - start_of(order.decided_at, settings)) // period_ms),
        )
        for order in item.orders
        if order.outstanding > 0
    ]
    interval = until_next(item.starts, terms.review_period_days, terms.order_days, settings)
    return Situation(
        item=card.name,
        period=item.closed_periods,
        available=available(item) if is_known(item, now) else 0,
        pipeline=tuple(sorted(pipeline, key=lambda order: order.due)),
        lead_time=lead_time,
        forecast=forecast,
        economics=economics_of(terms, period_ms, interval, forecast.mean),
        may_order=may_order,
        facts=facts,
        likely=None if lead_time[-1] == 1.0 else over_interval(forecast, lead_time, interval),
    )


def wait_of(terms: Effective, period_ms: int) -> int:
    """The promised lead time in whole periods, rounded up."""
    return ceil(terms.lead_time_days * DAY_MS / period_ms - 1e-9)


def reach(lead_time: tuple[float, ...], interval: int) -> int:
    """How many periods to look ahead: the longest lead time and the review.

    A forecaster begins anew when it has to look further or less far ahead. Learned lead times change with every late
    receipt, so the reach then grows in steps, which widen.

    >>> [reach((0.0,) * wait + (1.0,), 1) for wait in (0, 7, 12, 90_000)]
    [1, 8, 13, 400]
    >>> [reach((0.5,) + (0.0,) * (wait - 1) + (0.5,), 1) for wait in (1, 6, 8, 12, 13, 24)]
    [2, 7, 10, 14, 14, 28]
    """
    periods = len(lead_time) - 1 + interval
    step = 1 if lead_time[-1] == 1.0 else 1 << max(0, periods.bit_length() - 3)
    return min(MOST_PERIODS, -(-periods // step) * step)


def shortage_basis(terms: Effective) -> ShortageBasis:
    """What says how much a lost sale costs.

    A stated `shortage_cost`, else what a stated `service_level` implies. Where neither was stated it costs the margin,
    price less unit cost, else what the usual service level implies.
    """
    if terms.shortage_cost is not None:
        return "shortage_cost"
    if terms.service_level_stated:
        return "service_level"
    return "margin" if _margin(terms) > 0.0 else "usual_service_level"


def economics_of(terms: Effective, period_ms: int, review_periods: int, demand: float) -> Economics:
    """What the terms cost a unit and period; `demand` is that of the protection interval."""
    holding = max(_LEAST_HOLDING, terms.unit_cost * terms.holding_rate * period_ms / DAY_MS / YEAR_DAYS)
    basis = shortage_basis(terms)
    if terms.shortage_cost is not None:
        shortage, ratio = terms.shortage_cost, terms.shortage_cost / (terms.shortage_cost + holding)
    elif basis == "margin":
        shortage, ratio = _margin(terms), _margin(terms) / (_margin(terms) + holding)
    else:
        ratio = min(terms.service_level, _MOST_SERVICE)
        fee = terms.order_cost if terms.stock_out == "lost" else 0.0
        shortage = implied_shortage(holding, fee, ratio, demand)
    return Economics(
        holding=holding,
        shortage=shortage,
        order_cost=terms.order_cost,
        critical_ratio=ratio,
        stock_out=terms.stock_out,
        review_periods=review_periods,
        minimum_order=terms.minimum_order,
        order_multiple=terms.order_multiple,
        capacity=terms.capacity,
        reorder_point=terms.reorder_point,
        order_up_to=terms.order_up_to,
    )


def _margin(terms: Effective) -> float:
    return terms.price - terms.unit_cost if terms.price is not None and terms.stock_out == "lost" else 0.0


def implied_shortage(holding: float, order_cost: float, service_level: float, demand: float) -> float:
    """The shortage cost at which a service level is worth its cost: that of holding and of ordering a unit.

    With lost sales a unit bears its share of an order for the demand of the protection interval. Else, with a high
    order cost, it would be cheapest never to order, whatever the service level. With backorders customers wait until
    there is an order, so waiting costs more and more, and ordering pays in the end.

    >>> round(implied_shortage(0.01, 0.0, 0.95, 40.0), 6), round(implied_shortage(0.01, 5.0, 0.95, 50.0), 6)
    (0.19, 2.09)
    """
    return (holding + order_cost / max(demand, 1.0)) * service_level / (1.0 - service_level)
