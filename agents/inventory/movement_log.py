"""What happened to the stock, moment by moment, so that a count of a past moment can be brought up to date.

A count says what lay there at its `as_of`; the stock now is that and everything timed after it. The changes are kept to
the millisecond, in pages of an hour, for as long as a count may look back. A page of very many moments is thinned to
seconds, and stays so, in whatever order they came; an item that sells all the time stays small. For a count of a moment
in that hour, what happened in the very second of the count then counts as before it.

>>> log = MovementLog()
>>> log.add(3_600_500, -3), log.add(3_600_501, -2), log.add(9_000_000, 40)
(None, None, None)
>>> log.after(3_600_500), log.after(3_600_499), log.after(9_000_000)
(38, 35, 0)
>>> log.lowest(10, 3_600_000, 7_200_000)  # 10 lie there now: 40 came later, 5 went within this hour
-30
>>> again = MovementLog({hour: data for hour, data in log.changed() if data})
>>> again.after(3_600_500), again.forget(7_200_000), again.after(0), dict(again.changed())
(38, None, 40, {1: None})
"""

from collections.abc import Iterator, Mapping
from itertools import accumulate

import msgspec

from schemas.ledger import Milliseconds
from schemas.quantities import HOUR_MS
from schemas.stored import decoder_of

MOST_MOMENTS = 4_096
"""Of a page; one with more is thinned to seconds."""
_SECOND = 1_000
_NO_PAGE = -HOUR_MS
"""In place of where an hour starts: no moment lies in the hour before 1970."""
_THIN = -1
"""A moment just before its hour, of no change, marks a thinned page."""
_encode = msgspec.msgpack.Encoder().encode
_decode = decoder_of(dict[int, int], "an hour of movements")


class MovementLog:
    """Changes of an item's stock, by millisecond."""

    __slots__ = ("_changed", "_dropped", "_hours", "_page", "_starts", "_thin")

    def __init__(self, dumped: Mapping[int, bytes] | None = None) -> None:
        self._hours: dict[int, dict[Milliseconds, int] | bytes] = dict(dumped) if dumped else {}
        """Pages by hour since 1970, changes in them by millisecond of their hour; bytes until one is noted."""
        self._changed: set[int] = set()
        self._dropped: list[int] = []
        self._starts: Milliseconds = _NO_PAGE
        """Where the hour of the last change starts, and its page: most changes follow one another."""
        self._page: dict[Milliseconds, int] = {}
        self._thin = False

    def add(self, time: Milliseconds, delta: int) -> None:
        """Note a change."""
        moment = time - self._starts
        if not 0 <= moment < HOUR_MS:
            moment = self._turn_to(time)
        page = self._page
        if self._thin:
            moment -= moment % _SECOND
        page[moment] = page.get(moment, 0) + delta
        if len(page) > MOST_MOMENTS:
            self._page = self._hours[time // HOUR_MS] = _thinned(page)
            self._thin = True

    def after(self, time: Milliseconds) -> int:
        """All later changes together."""
        total = 0
        for hour, page in self._hours.items():
            moment = time - hour * HOUR_MS
            if moment < HOUR_MS:
                total += sum(delta for at, delta in _read(page).items() if at > moment)
        return total

    def lowest(self, stock: int, starts: Milliseconds, ends: Milliseconds) -> int:
        """The least there was at any moment of [starts, ends), where `stock` is what there is now."""
        at_end = stock - self.after(ends - 1)
        hours = range(starts // HOUR_MS, -(-ends // HOUR_MS))
        pages = {hour * HOUR_MS: _read(self._hours[hour]) for hour in hours if hour in self._hours}
        if all(max(page.values(), default=0) <= 0 for page in pages.values()):
            return at_end  # nothing came, as in most periods
        changes = [(hour + at, delta) for hour, page in pages.items() for at, delta in page.items()]
        within = sorted(change for change in changes if starts <= change[0] < ends)
        return min(accumulate((-delta for _, delta in reversed(within)), initial=at_end))

    def forget(self, time: Milliseconds) -> None:
        """Let go of the hours that end at a moment or before."""
        for hour in [hour for hour in self._hours if (hour + 1) * HOUR_MS <= time]:
            del self._hours[hour]
            self._changed.discard(hour)
            self._dropped.append(hour)
        self._starts = _NO_PAGE

    def changed(self) -> Iterator[tuple[int, bytes | None]]:
        """Write the pages that changed since the last call, by hour; None for those that are gone."""
        for hour in self._dropped:
            if hour not in self._hours:
                yield hour, None
        self._dropped = []
        for hour in sorted(self._changed):
            yield hour, _encode(_in_order(_read(self._hours[hour])))
        self._changed = set()
        self._starts = _NO_PAGE

    def dump(self) -> Iterator[tuple[int, bytes]]:
        """Write every page."""
        for hour, page in self._hours.items():
            yield hour, page if isinstance(page, bytes) else _encode(_in_order(page))

    def _turn_to(self, time: Milliseconds) -> Milliseconds:
        """Put the page of a moment in hand; answers with the millisecond of its hour."""
        hour, moment = divmod(time, HOUR_MS)
        self._page = self._open(hour)
        self._changed.add(hour)
        self._starts = hour * HOUR_MS
        self._thin = _THIN in self._page
        return moment

    def _open(self, hour: int) -> dict[Milliseconds, int]:
        """The page of an hour, in which changes can be noted."""
        opened = self._hours[hour] = _read(self._hours.get(hour, {}))
        return opened


def _read(page: dict[Milliseconds, int] | bytes) -> dict[Milliseconds, int]:
    return _decode(page) if isinstance(page, bytes) else page


def _thinned(page: Mapping[Milliseconds, int]) -> dict[Milliseconds, int]:
    """The same changes by second."""
    thin: dict[Milliseconds, int] = {_THIN: 0}
    for at, delta in page.items():
        second = at - at % _SECOND
        thin[second] = thin.get(second, 0) + delta
    return thin


def _in_order(page: dict[Milliseconds, int]) -> dict[Milliseconds, int]:
    """A page in the order of time, whatever the order in which its changes came: most come so."""
    moments = sorted(page)
    return page if moments == list(page) else {moment: page[moment] for moment in moments}
