"""The next period is like the last one: what every other forecaster has to beat."""

from collections.abc import Sequence
from typing import Any, ClassVar

from agents.forecasting.base import Ahead
from agents.forecasting.simple.simple import SeenPeriod, Simple


class LastValue(Simple):
    """Demand of the last period, for ever."""

    name: ClassVar[str] = "last-value"

    def foresee(self, seen: Sequence[SeenPeriod], ahead: Sequence[Ahead], model: Any) -> Sequence[float]:
        """Repeat the last period."""
        del model
        return [seen[-1].demand] * len(ahead)
