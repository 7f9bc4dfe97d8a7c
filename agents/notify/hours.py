"""When people are told: moments of digests, the morning, quiet hours, all by the clock on their wall.

>>> hours = Hours(ZoneInfo("Europe/Berlin"), morning_minute=450, digest_minutes=(720, 960), quiet=(1200, 420))
>>> from datetime import UTC
>>> def at(text):
...     return int(datetime.fromisoformat(text).timestamp() * 1000)
>>> hours.is_quiet(at("2026-03-01T23:00+01:00")), hours.is_quiet(at("2026-03-02T07:00+01:00"))
(True, False)
>>> hours.shown(hours.last_moment(at("2026-03-02T06:59+01:00")))
'2026-03-01 16:00'
>>> hours.is_morning(at("2026-03-01T16:00+01:00"), at("2026-03-02T07:30+01:00"))
True
"""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

HOUR_MINUTES = 60


class Hours(NamedTuple):
    """The hours of one team, in minutes after midnight of its own time zone."""

    zone: ZoneInfo
    morning_minute: int
    digest_minutes: tuple[int, ...]
    quiet: tuple[int, int] | None
    """From the first minute up to, and without, the second; over midnight where the second is less."""

    def is_quiet(self, now_ms: int) -> bool:
        """Whether only what is critical may be said."""
        if self.quiet is None:
            return False
        local, (starts, ends) = self._local(now_ms), self.quiet
        minute = local.hour * HOUR_MINUTES + local.minute
        return starts <= minute < ends if starts <= ends else minute >= starts or minute < ends

    def last_moment(self, now_ms: int) -> int:
        """The latest moment of a digest that has come."""
        return max(moment for moment in self._moments(now_ms, {self.morning_minute, *self.digest_minutes}))

    def is_morning(self, after_ms: int, moment_ms: int) -> bool:
        """Whether a morning came after one moment and no later than the other."""
        return max(self._moments(moment_ms, {self.morning_minute})) > after_ms

    def shown(self, moment_ms: int) -> str:
        """A moment as their wall shows it."""
        return self._local(moment_ms).strftime("%Y-%m-%d %H:%M")

    def _local(self, moment_ms: int) -> datetime:
        return datetime.fromtimestamp(moment_ms / 1_000, self.zone)

    def _moments(self, now_ms: int, minutes: set[int]) -> list[int]:
        """The moments of today and yesterday that have come."""
        today = self._local(now_ms).date()
        days = (today, today - timedelta(days=1))
        moments = [self._moment(day, minute) for day in days for minute in minutes]
        return [moment for moment in moments if moment <= now_ms]

    def _moment(self, day: date, minute: int) -> int:
        at = datetime.combine(day, time(*divmod(minute, HOUR_MINUTES)), self.zone)
        return int(at.timestamp() * 1_000)
