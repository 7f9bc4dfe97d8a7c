"""Any model of River as an item's forecaster: a line in the registry names it.

A time-series model (`learn_one(y)`, `forecast(horizon)`) speaks for itself. A regressor (`learn_one(x, y)`,
`predict_one(x)`) learns demand from the last periods, the season's lag and the calendar, and its predictions are fed
back as lags. The distribution of an interval comes from the model's own errors: as often as the errors of so many
successive periods added up to something, as likely is that.

>>> from agents.forecasting.base import ClosedPeriod
>>> nearest = RiverModel(Rhythm(), "nearest", "river.neighbors:KNNRegressor", n_neighbors=3)
>>> state, day = nearest.fresh(), 86_400_000
>>> for number in range(60):
...     nearest.learn(state, "A@X", ClosedPeriod(number * day, (number + 1) * day, 4.0 + 3.0 * (number % 7 == 6)))
>>> forecast = nearest.forecast(state, "A@X", [Ahead(n * day, (n + 1) * day) for n in range(60, 67)])
>>> 25.0 < forecast.mean < 37.0, len(forecast.path)
(True, 7)
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from agents.forecasting.base import LEVELS, Ahead, Rhythm
from agents.forecasting.simple.calendar_regression import calendar_of
from agents.forecasting.simple.simple import KEPT, RememberedPast, SeenPeriod, Simple

LEAST = 20
"""Sums of errors from which a distribution is read; with fewer it is a gamma distribution of their variance."""


class RiverModel(Simple):
    """A model of River under a name: `model` is where it is, as module:class, and `settings` what it is made with."""

    def __init__(self, rhythm: Rhythm, name: str, model: str, version: int = 1, **settings: Any) -> None:
        super().__init__(rhythm)
        self.name = name  # type: ignore[misc]
        self.version = version  # type: ignore[misc]
        self._make: Callable[[], Any] = lambda: _found(model)(**settings)

    def begin(self) -> Any:
        """Make River's model."""
        return self._make()

    def teach(self, model: Any, before: Sequence[SeenPeriod], newest: SeenPeriod) -> None:
        """Pass the demand on."""
        if _is_of_time_series(model):
            model.learn_one(newest.demand)
        else:
            model.learn_one(self._inputs([period.demand for period in before], newest), newest.demand)

    def foresee(self, seen: Sequence[SeenPeriod], ahead: Sequence[Ahead], model: Any) -> Sequence[float]:
        """River's path; of a time series once two seasons are known, the mean before."""
        demand = [period.demand for period in seen]
        if _is_of_time_series(model):
            known = len(seen) > 2 * max(2, self.season)
            return list(model.forecast(len(ahead))) if known else [sum(demand) / len(demand)] * len(ahead)
        for period in ahead:
            demand.append(max(float(model.predict_one(self._inputs(demand, period))), 0.0))
        return demand[len(seen) :]

    def err(self, past: RememberedPast, error: float) -> None:
        """Remember the error."""
        super().err(past, error)
        past.errors = [*past.errors, error][-KEPT:]

    def quantiles(self, past: RememberedPast, mean: float, periods: int) -> tuple[float, ...]:
        """What the errors of so many successive periods added up to, around the mean."""
        sums = sorted(sum(past.errors[first : first + periods]) for first in range(len(past.errors) - periods + 1))
        if len(sums) < LEAST:
            return super().quantiles(past, mean, periods)
        return tuple(max(0.0, mean + sums[int(level * (len(sums) - 1) + 0.5)]) for level in LEVELS)

    def _inputs(self, demand: Sequence[float], period: SeenPeriod | Ahead) -> Mapping[str, float]:
        season = self.season
        last = demand[-season:]
        return {
            "last": demand[-1] if demand else 0.0,
            "season": demand[-season] if len(demand) >= season else 0.0,
            "mean": sum(last) / len(last) if last else 0.0,
            **calendar_of(period),
        }


def _is_of_time_series(model: Any) -> bool:
    return hasattr(model, "forecast")


def _found(model: str) -> Any:
    module, _, name = model.partition(":")
    return getattr(import_module(module), name)
