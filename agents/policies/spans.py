"""Very long waits are looked at in spans of several periods, so that no policy's work or state grows with them."""

import math
from functools import lru_cache

import msgspec

from agents.forecasting.base import DemandForecast
from agents.policies.base import Economics, PipelineOrder, Situation

MOST_SPANS = 21
"""Waits of up to so many periods are looked at period by period."""


def span_of(lead_time: tuple[float, ...]) -> int:
    """How many periods make a span.

    >>> span_of((0.0,) * 21 + (1.0,)), span_of((0.0,) * 86_401 + (1.0,))
    (1, 4115)
    """
    return max(1, -(-(len(lead_time) - 1) // MOST_SPANS))


def condensed(situation: Situation) -> Situation:
    """The situation with time counted in spans; the same one where a span is a period.

    Orders are still decided at every review: a little more is held, since one covers at least a span.
    """
    span = span_of(situation.lead_time)
    if span == 1:
        return situation
    terms = situation.economics
    return Situation(
        item=situation.item,
        period=situation.period // span,
        available=situation.available,
        pipeline=tuple(
            PipelineOrder(order.quantity, order.due / span, -(-order.age // span), order.soonest // span)
            for order in situation.pipeline
        ),
        lead_time=_merged(situation.lead_time, span),
        forecast=_summed(situation.forecast, span),
        economics=_dearer(terms, span),
        may_order=situation.may_order,
        likely=None if situation.likely is None else _summed(situation.likely, span),
    )


def _dearer(terms: Economics, span: int) -> Economics:
    """Costs of a span: holding, and waiting, cost in all of its periods."""
    return msgspec.structs.replace(
        terms,
        holding=terms.holding * span,
        shortage=terms.shortage * (span if terms.stock_out == "backorder" else 1),
        review_periods=max(1, round(terms.review_periods / span)),
    )


@lru_cache(maxsize=64)
def _merged(lead_time: tuple[float, ...], span: int) -> tuple[float, ...]:
    """Chances by span; what comes within a span counts at its end."""
    spans = [0.0] * (-(-(len(lead_time) - 1) // span) + 1)
    for periods, chance in enumerate(lead_time):
        spans[-(-periods // span)] += chance
    return tuple(spans)


@lru_cache(maxsize=64)
def _summed(forecast: DemandForecast, span: int) -> DemandForecast:
    """The forecast with its path in spans."""
    path = forecast.path
    sums = tuple(math.fsum(path[first : first + span]) for first in range(0, len(path) - span + 1, span))
    return DemandForecast(forecast.horizon / span, forecast.mean, forecast.variance, forecast.quantiles, sums)
