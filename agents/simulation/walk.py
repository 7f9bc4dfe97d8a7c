"""Takes a forecaster through a demand history as a worker would have done: period after period, all items in each.

At the end of each period the forecaster learns from it and forecasts the next H periods. It knows planned promotions
and the last price, and nothing else of the future.
"""

from collections.abc import Iterator
from itertools import pairwise
from math import isnan
from typing import Any, NamedTuple

import numpy as np

from agents.forecasting.base import Ahead, ClosedPeriod, DemandForecast, Forecaster, Rhythm
from agents.simulation.closed_loop import DemandHistory
from schemas.quantities import DAY_MS


class Made(NamedTuple):
    """A forecast made at the end of a period, for the sum of the horizon after it."""

    item: int
    period: int
    forecast: DemandForecast


def rhythm_of(history: DemandHistory, season: int | None = None) -> Rhythm:
    """The rhythm of a history: the usual distance between its dates, and the season that goes with it.

    >>> day = 86_400_000
    >>> rhythm_of(DemandHistory(["TEA-01"], [n * day for n in range(9)], np.zeros((1, 8))))
    Rhythm(season=7, period_days=1.0)
    """
    starts = np.asarray(history.starts)
    period_days = float(np.median(np.diff(starts))) / DAY_MS if len(starts) > 1 else 1.0
    usual = 12 if period_days >= 20 else 52 if period_days >= 5 else 7
    return Rhythm(season or usual, period_days)


def walk(history: DemandHistory, forecaster: Forecaster, horizon: int) -> Iterator[Made]:
    """Yield a forecast for every item and period from the item's first period on."""
    starts, ends = _spans(history, horizon)
    periods = history.demand.shape[1]
    beliefs: list[Any] = [forecaster.fresh() for _ in history.items]
    prices: list[float | None] = [None] * len(history.items)
    begins = history.first if history.first is not None else [0] * len(history.items)
    calm = [Ahead(begin, end) for begin, end in zip(starts, ends, strict=True)]
    demands: list[list[float]] = history.demand.astype(float).tolist()
    price_of = history.price.tolist() if history.price is not None else None
    plans_of = _plans(history, horizon)
    for period in range(periods):
        for number, item in enumerate(history.items):
            if period < begins[number]:
                continue
            if price_of is not None and not isnan(price_of[number][period]):
                prices[number] = price_of[number][period]
            price, now = prices[number], 0.0
            coming = calm[period + 1 : period + 1 + horizon]
            if plans_of is not None:
                now, *plans = plans_of[number][period : period + 1 + horizon]
                if any(plans):
                    coming = [
                        Ahead(ahead.starts, ahead.ends, promotion=plan)
                        for ahead, plan in zip(coming, plans, strict=True)
                    ]
            closed = ClosedPeriod(starts[period], ends[period], demands[number][period], promotion=now, price=price)
            forecaster.learn(beliefs[number], item, closed, coming)
            yield Made(number, period, forecaster.forecast(beliefs[number], item, coming))


def _plans(history: DemandHistory, horizon: int) -> list[list[float]] | None:
    """Promotion levels by item and period; beyond the last period nothing is planned."""
    if history.promotion is None:
        return None
    found: list[list[float]] = history.promotion.tolist()
    return [[*levels, *(0.0,) * horizon] for levels in found]


def _spans(history: DemandHistory, horizon: int) -> tuple[list[int], list[int]]:
    """Starts and ends of all periods and of a horizon beyond; the shop is closed between an end and the next start."""
    starts = [int(start) for start in history.starts]
    shortest = min((later - sooner for sooner, later in pairwise(starts)), default=DAY_MS)
    length = starts[-1] - starts[-2] if len(starts) > 1 else DAY_MS
    starts += [starts[-1] + step * length for step in range(1, horizon + 1)]
    ends = [min(later, sooner + shortest * 3 // 2) for sooner, later in pairwise(starts)]
    return starts[:-1], ends
