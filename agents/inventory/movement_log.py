"""The stock's changes minute by minute, so that a count of a past moment can be brought up to date.

A count says what lay there at its `as_of`; the stock now is that and everything timed after it. The changes are kept
per minute, in pages of an hour, for as long as a count may look back.

>>> history = MovementLog()
>>> history.add(600, -3), history.add(601, -2), history.add(700, 40)
(None, None, None)
>>> history.after(600), history.after(599), history.after(700)
(38, 35, 0)
>>> again = MovementLog({hour: data for hour, data in history.changed() if data})
>>> again.after(600), history.forget(660), history.after(599), dict(history.changed())
(38, None, 40, {10: None})
"""

from collections.abc import Iterator, Mapping

import msgspec

_HOUR = 60
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[int, int]).decode


class MovementLog:
    """Changes of an item's stock, by minute since 1970."""

    __slots__ = ("_changed", "_dropped", "_hour", "_hours", "_page")

    def __init__(self, dumped: Mapping[int, bytes] | None = None) -> None:
        self._hours: dict[int, dict[int, int] | bytes] = dict(dumped) if dumped else {}
        """Pages by hour since 1970; they stay encoded until they are needed."""
        self._changed: set[int] = set()
        self._dropped: list[int] = []
        self._hour = -1
        """The hour of the last change, and its page: most changes follow one another."""
        self._page: dict[int, int] = {}

    def add(self, minute: int, delta: int) -> None:
        """Note a change."""
        hour = minute // _HOUR
        if hour != self._hour:
            self._page = self._open(hour)
            self._changed.add(hour)
            self._hour = hour
        page = self._page
        page[minute] = page.get(minute, 0) + delta

    def after(self, minute: int) -> int:
        """All changes of later minutes together."""
        total = 0
        for hour in list(self._hours):
            if (hour + 1) * _HOUR > minute:
                total += sum(delta for at, delta in self._open(hour).items() if at > minute)
        return total

    def forget(self, minute: int) -> None:
        """Drop the hours that end at a minute or before."""
        for hour in [hour for hour in self._hours if (hour + 1) * _HOUR <= minute]:
            del self._hours[hour]
            self._changed.discard(hour)
            self._dropped.append(hour)
        self._hour = -1

    def changed(self) -> Iterator[tuple[int, bytes | None]]:
        """Write the pages that changed since the last call, by hour; None for those that are gone."""
        for hour in self._dropped:
            if hour not in self._hours:
                yield hour, None
        self._dropped = []
        for hour in sorted(self._changed):
            yield hour, _written(hour, self._open(hour))
        self._changed = set()
        self._hour = -1

    def dump(self) -> Iterator[tuple[int, bytes]]:
        """Write every page."""
        for hour, page in self._hours.items():
            yield hour, page if isinstance(page, bytes) else _written(hour, page)

    def _open(self, hour: int) -> dict[int, int]:
        page = self._hours.get(hour)
        if isinstance(page, dict):
            return page
        start = hour * _HOUR
        opened = {start + minute: delta for minute, delta in _decode(page).items()} if page is not None else {}
        self._hours[hour] = opened
        return opened


def _written(hour: int, page: dict[int, int]) -> bytes:
    """Minutes within the hour; the same bytes whatever the order in which they came."""
    start = hour * _HOUR
    return _encode({minute - start: delta for minute, delta in sorted(page.items())})
