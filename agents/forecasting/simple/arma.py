"""ARMA: the next period from the last ones and their errors, by River's SNARIMAX with a scaled linear regression.

About 100 µs a period. Steps are small and the path is bounded, because such a regression runs away on lumpy demand.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from river import linear_model, optim, preprocessing
from river.time_series import SNARIMAX

from agents.forecasting.base import Ahead
from agents.forecasting.simple.simple import SeenPeriod, Simple

ERRORS = 1
_WARM_UP = 2
_STEP = 0.05


class Arma(Simple):
    """As many lags as a season has periods, at most seven, and one error."""

    name: ClassVar[str] = "arma"

    def begin(self) -> SNARIMAX:
        """Make River's model."""
        regression = linear_model.LinearRegression(optimizer=optim.SGD(_STEP), intercept_lr=_STEP, clip_gradient=100.0)
        return SNARIMAX(
            p=min(7, self.season),
            d=0,
            q=ERRORS,
            regressor=preprocessing.StandardScaler() | preprocessing.TargetStandardScaler(regression),
        )

    def teach(self, model: Any, before: Sequence[SeenPeriod], newest: SeenPeriod) -> None:
        """Pass the demand on."""
        del before
        model.learn_one(newest.demand)

    def foresee(self, seen: Sequence[SeenPeriod], ahead: Sequence[Ahead], model: Any) -> Sequence[float]:
        """River's path once two seasons are known, the mean before."""
        if len(seen) < _WARM_UP * self.season:
            return [sum(period.demand for period in seen) / len(seen)] * len(ahead)
        path: list[float] = model.forecast(len(ahead))
        return path
