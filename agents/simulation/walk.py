"""A demand history walked through by a forecaster as a worker would have lived it: periods outer, items inner.

At the end of each period the forecaster learns it and says what the next H will bring. It knows the plan of promotions
in advance and the last price, and nothing else of what is to come.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from agents.forecasting.base import Ahead, Forecast, Forecaster, Period
from agents.simulation.closed_loop import History


class Made(NamedTuple):
    """A forecast made at the end of a period, for the sum of the horizon after it."""

    item: int
    period: int
    forecast: Forecast


def walk(
    history: History, forecaster: Forecaster, horizon: int, first: Sequence[int] | None = None
) -> Iterator[Made]:
    """Yield a forecast for every item and period from the item's first period on."""
    begins = first if first is not None else [0] * len(history.items)
    beliefs: list[Any] = [forecaster.fresh() for _ in history.items]
    for period in range(len(history.starts) - 1):
        for number, item in enumerate(history.items):
            if period < begins[number]:
                continue
            now = history.ahead(number, period)
            closed = Period(
                now.starts, now.ends, float(history.demand[number, period]), promotion=now.promotion, price=now.price
            )
            plan = [_planned(history.ahead(number, period + step), now.price) for step in range(1, horizon + 1)]
            forecaster.learn(beliefs[number], item, closed, plan)
            yield Made(number, period, forecaster.forecast(beliefs[number], item, plan))


def _planned(ahead: Ahead, price: float | None) -> Ahead:
    return Ahead(ahead.starts, ahead.ends, promotion=ahead.promotion, price=price)
