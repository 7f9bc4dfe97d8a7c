"""The mean of the last four seasons (28 days, a year of months): what spreadsheets do."""

from collections.abc import Sequence
from typing import Any, ClassVar

from agents.forecasting.base import Ahead
from agents.forecasting.simple.simple import SeenPeriod, Simple


class MovingAverage(Simple):
    """Mean of the window that the rhythm calls usual."""

    name: ClassVar[str] = "moving-average"

    def foresee(self, seen: Sequence[SeenPeriod], ahead: Sequence[Ahead], model: Any) -> Sequence[float]:
        """Average the newest periods."""
        del model
        newest = seen[-self.window :]
        return [sum(period.demand for period in newest) / len(newest)] * len(ahead)
