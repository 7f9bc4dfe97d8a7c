"""Holt-Winters: level, trend and an additive season, by River's estimator. About 10 µs a period.

It starts on the first two seasons, and where those were lumpy it stays wrong for long; a moving average is the safer
choice then.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from river.time_series import HoltWinters as RiverHoltWinters

from agents.forecasting.base import Ahead
from agents.forecasting.simple.simple import SeenPeriod, Simple

LEVEL_RATE, TREND_RATE, SEASON_RATE = 0.1, 0.01, 0.1
LIFT = 1.0
"""Added to what is learned: River divides by the first season's level, which is 0 for an item nobody buys yet."""


class HoltWinters(Simple):
    """River's Holt-Winters, with the rates that suit daily sales."""

    name: ClassVar[str] = "holt-winters"

    def begin(self) -> RiverHoltWinters:
        """Make River's model."""
        return RiverHoltWinters(LEVEL_RATE, TREND_RATE, SEASON_RATE, max(2, self.season))  # type: ignore[no-untyped-call]

    def teach(self, model: Any, before: Sequence[SeenPeriod], newest: SeenPeriod) -> None:
        """Pass the demand on."""
        del before
        model.learn_one(newest.demand + LIFT)

    def foresee(self, seen: Sequence[SeenPeriod], ahead: Sequence[Ahead], model: Any) -> Sequence[float]:
        """River's path once two seasons are known, the mean before."""
        if len(seen) <= 2 * max(2, self.season):
            return [sum(period.demand for period in seen) / len(seen)] * len(ahead)
        return [mean - LIFT for mean in model.forecast(len(ahead))]
