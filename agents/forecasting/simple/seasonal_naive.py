"""Each period is like the one a season before it: last Tuesday for Tuesday."""

from collections.abc import Sequence
from typing import Any, ClassVar

from agents.forecasting.base import Ahead
from agents.forecasting.simple.simple import SeenPeriod, Simple


class SeasonalNaive(Simple):
    """The last season, repeated; the last period until a season is known."""

    name: ClassVar[str] = "seasonal-naive"

    def foresee(self, seen: Sequence[SeenPeriod], ahead: Sequence[Ahead], model: Any) -> Sequence[float]:
        """Repeat the last season."""
        del model
        season = self.season if len(seen) >= self.season else 1
        return [seen[-season + step % season].demand for step in range(len(ahead))]
