"""What follows from how time passes: the windows that are looked at, and where in its cycle a period stands.

>>> daily, monthly = Pace.of(Rhythm(7, 1.0)), Pace.of(Rhythm(12, 30.0))
>>> daily.windows, monthly.windows
((3, 7, 14, 28, 56, 112), (3, 6, 9, 12, 18, 24))
>>> daily.phase(0, 86_400_000), monthly.phase(0, 31 * 86_400_000)  # a Thursday in January
(3, 0)
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from agents.forecasting.base import Ahead, Rhythm
from schemas.quantities import DAY_MS

_MOST_PHASES = 24


class Pace(msgspec.Struct, frozen=True):
    """The constants of a rhythm."""

    season: int
    windows: tuple[int, ...]
    """Periods of the rolling figures, shortest first but for the season's."""
    phases: int
    """Places in the cycle that are distinguished: weekdays, months, or periods of the season."""
    cycle: str
    long_memory: int
    """Periods remembered one by one."""
    sums: int
    """How many of the last sums of a horizon the empirical quantiles are read from."""
    keep: float
    """Share of regret kept a period."""
    variance_rate: float
    settled: int
    """Periods after which an item's level counts in its shard."""
    trend: int
    """Periods of the shard's demand that its last season is compared with."""

    @classmethod
    def of(cls, rhythm: Rhythm) -> "Pace":
        """Days, weeks and months each have their own windows; shorter periods go by their season."""
        season = max(1, rhythm.season)
        if rhythm.period_days >= 20:
            return cls(season, (3, 6, 9, 12, 18, 24), 12, "month", max(24, 3 * season), 8, 0.97, 0.1, 3, 24)
        if rhythm.period_days >= 5:
            return cls(season, (2, 4, 8, 13, 26, 52), 12, "month", max(52, 3 * season), 20, 0.98, 0.1, 5, 52)
        long_memory = max(112, min(3 * season, 168))
        windows = (3, min(season, long_memory), 14, 28, 56, 112)
        if rhythm.period_days >= 0.9:
            return cls(season, windows, 7, "weekday", long_memory, 28, 0.99, 0.05, 10, 56)
        return cls(season, windows, min(season, _MOST_PHASES), "season", long_memory, 28, 0.99, 0.05, 10, 56)

    def phases_of(self, ahead: Sequence[Ahead]) -> list[int]:
        """The phase of each coming period."""
        if self.cycle == "weekday":
            return [((period.starts + period.ends) // (2 * DAY_MS) + 3) % 7 for period in ahead]
        return [self.phase(period.starts, period.ends) for period in ahead]

    def phase(self, starts: int, ends: int) -> int:
        """Where in the cycle a period's middle lies, so that a day's beginning in another time zone does not matter."""
        middle = (starts + ends) // 2
        if self.cycle == "weekday":
            return (middle // DAY_MS + 3) % 7
        if self.cycle == "month":
            return datetime.fromtimestamp(middle / 1000, UTC).month - 1
        return (starts // max(1, ends - starts)) % self.season * self.phases // self.season
