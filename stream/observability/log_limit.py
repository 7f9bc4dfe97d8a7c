"""Limits repetition in a log: one message from one place comes so often a minute, then how often it was left out."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TextIO, TypeAlias

from stream.observability.log_fields import current

MOST_A_MINUTE = 20
MOST_PLACES = 1000
"""Messages that are counted apart; some libraries write values into what should be a template."""
_Place: TypeAlias = tuple[str, int, object, object]


class _Minute:
    """How often one place has said the same since a moment, and when it may say it anew."""

    def __init__(self, first: logging.LogRecord, ends_at: float) -> None:
        # Without its exception: that would keep alive whatever it came through.
        self.first = logging.LogRecord(first.name, first.levelno, first.pathname, first.lineno, first.msg, None, None)
        self.ends_at = ends_at
        self.said = 0


class LimitedStream(logging.StreamHandler[TextIO]):
    """Writes log records to a stream, each message at most `most` times in so many seconds; debug lines always."""

    def __init__(
        self,
        stream: TextIO,
        most: int = MOST_A_MINUTE,
        seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(stream)
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._minutes: dict[_Place, _Minute] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, or count it. The caller holds the handler's lock."""
        if record.levelno <= logging.DEBUG:
            super().emit(record)
            return
        # What each of many shards says once is no repetition.
        place, now = (record.pathname, record.lineno, record.msg, current().get("shard")), self._clock()
        minute = self._minutes.get(place)
        if minute is None or now >= minute.ends_at:
            self._sum_up(place)
            if len(self._minutes) >= MOST_PLACES:
                self._sum_up_all()
            minute = self._minutes[place] = _Minute(record, now + self._seconds)
        minute.said += 1
        if minute.said <= self._most:
            super().emit(record)
        elif minute.said == self._most + 1:
            later = threading.Timer(minute.ends_at - now, self._after, (place, minute))
            later.daemon = True
            later.start()

    def close(self) -> None:
        """Say what was left out, and close."""
        with self._held():
            self._sum_up_all()
        super().close()

    def _after(self, place: _Place, minute: _Minute) -> None:
        with self._held():
            if self._minutes.get(place) is minute:
                self._sum_up(place)

    def _sum_up_all(self) -> None:
        for place in list(self._minutes):
            self._sum_up(place)

    def _sum_up(self, place: _Place) -> None:
        """Begin anew with one place, and say how many of its lines were left out."""
        minute = self._minutes.pop(place, None)
        if minute is not None and minute.said > self._most:
            first = minute.first
            first.args = (minute.said - self._most, self._seconds, first.msg)
            first.msg = "%d more lines were left out within %g s: %s"
            super().emit(first)

    def _held(self) -> threading.RLock:
        assert self.lock is not None  # noqa: S101 - every handler that createLock made has one
        return self.lock
