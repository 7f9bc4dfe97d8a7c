"""An adaptive random forest over lags and the calendar, by River's ARFRegressor.

It costs 1-2 ms a period, and an item's model takes about 300 kB in memory while it is in use (what is stored is the
past it is grown from, 5 kB): for a few items that matter, and for comparisons; not for a shard.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from river.forest import ARFRegressor

from agents.forecasting.base import Ahead
from agents.forecasting.simple.calendar_regression import calendar_of
from agents.forecasting.simple.simple import SeenPeriod, Simple

TREES = 5
_SEED = 7


class RandomForest(Simple):
    """Demand from the last periods, the season's lag and the calendar."""

    name: ClassVar[str] = "random-forest"

    def begin(self) -> ARFRegressor:
        """Make River's forest."""
        return ARFRegressor(n_models=TREES, seed=_SEED)

    def teach(self, model: Any, before: Sequence[SeenPeriod], newest: SeenPeriod) -> None:
        """Learn a period from those before it."""
        model.learn_one(self._inputs([period.demand for period in before], newest), newest.demand)

    def foresee(self, seen: Sequence[SeenPeriod], ahead: Sequence[Ahead], model: Any) -> Sequence[float]:
        """Feed predictions back as lags."""
        demand = [period.demand for period in seen]
        for period in ahead:
            demand.append(max(float(model.predict_one(self._inputs(demand, period))), 0.0))
        return demand[len(seen) :]

    def _inputs(self, demand: Sequence[float], period: SeenPeriod | Ahead) -> Mapping[str, float]:
        season = self.pace.season
        last = demand[-season:]
        return {
            "last": demand[-1] if demand else 0.0,
            "season": demand[-season] if len(demand) >= season else 0.0,
            "mean": sum(last) / len(last) if last else 0.0,
            **calendar_of(period),
        }
