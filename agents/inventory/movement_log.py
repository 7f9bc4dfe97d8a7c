"""What happened to the stock, moment by moment, so that a count of a past moment can be brought up to date.

A count says what lay there at its `as_of`; the stock now is that and everything timed after it. The changes are kept to
the millisecond, in pages of an hour, for as long as a count may look back. A page of very many moments is thinned to
seconds, and stays so, in whatever order they came; an item that sells all the time stays small. For a count of a moment
in that hour, what happened in the very second of the count then counts as before it.

A page is an array that only grows, in the order in which changes came: to write it is to copy it. Only a thinned page
is sorted, and adds up what is of one second.

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

from array import array
from collections.abc import Iterator, Mapping
from itertools import accumulate

from schemas.ledger import Milliseconds
from schemas.quantities import HOUR_MS, MOST

MOST_MOMENTS = 4_096
"""Of a page; one with more is thinned to seconds."""
_SECOND = 1_000
_THIN = -1
"""A moment just before its hour, of no change, begins a thinned page."""


class LoggedHour:
    """The changes of an hour: the millisecond of each and then the change itself, which fits four bytes, too."""

    __slots__ = ("changed", "entries", "is_thin", "starts")

    def __init__(self, hour: int, data: bytes = b"") -> None:
        """Read a page, or begin one; ValueError for what is no page."""
        if len(data) % 8:
            raise ValueError(f"not an hour of movements: {len(data)} bytes")
        self.starts = hour * HOUR_MS
        self.entries = array("i", data)
        self.is_thin = len(data) > 0 and self.entries[0] == _THIN
        self.changed = False

    @property
    def deltas(self) -> "array[int]":
        """The changes without their moments."""
        return self.entries[1::2]

    def changes(self) -> Iterator[tuple[Milliseconds, int]]:
        """Each change with its moment."""
        return zip(self.entries[::2], self.deltas, strict=True)

    def thin(self) -> None:
        """Keep the same changes by second, in the order of time."""
        by_second: dict[Milliseconds, int] = {_THIN: 0}
        for at, delta in self.changes():
            second = at if at == _THIN else at - at % _SECOND
            by_second[second] = by_second.get(second, 0) + delta
        self.entries, self.is_thin = array("i"), True
        for second, delta in sorted(by_second.items()):
            for part in _parts(delta):
                self.entries.extend((second, part))

    def dump(self) -> bytes:
        """Write the page."""
        if self.is_thin:
            self.thin()
        return self.entries.tobytes()


class MovementLog:
    """Changes of an item's stock, by millisecond."""

    __slots__ = ("_changed", "_dropped", "_hours", "_page")

    def __init__(self, dumped: Mapping[int, bytes] | None = None) -> None:
        self._hours: dict[int, LoggedHour | bytes] = dict(dumped) if dumped else {}
        """Pages by hour since 1970; bytes until one is looked at."""
        self._changed: list[LoggedHour] = []
        self._dropped: list[int] = []
        self._page = _NO_PAGE
        """That of the last change: most changes follow one another."""

    def add(self, time: Milliseconds, delta: int) -> None:
        """Note a change."""
        page = self._page
        moment = time - page.starts
        if not 0 <= moment < HOUR_MS:
            page = self._turn_to(time // HOUR_MS)
            moment = time - page.starts
        if page.is_thin:
            moment -= moment % _SECOND
        entries = page.entries
        entries.append(moment)
        entries.append(delta)
        if len(entries) > 2 * MOST_MOMENTS:
            page.thin()

    def after(self, time: Milliseconds) -> int:
        """All later changes together."""
        total = 0
        for hour in self._hours:
            moment = time - hour * HOUR_MS
            if moment < 0:
                total += sum(self._read(hour).deltas)
            elif moment < HOUR_MS:
                total += sum(delta for at, delta in self._read(hour).changes() if at > moment)
        return total

    def lowest(self, stock: int, starts: Milliseconds, ends: Milliseconds) -> int:
        """The least there was at any moment of [starts, ends), where `stock` is what there is now."""
        at_end = stock - self.after(ends - 1)
        hours = range(starts // HOUR_MS, -(-ends // HOUR_MS))
        pages = [self._read(hour) for hour in self._hours if hour in hours]
        if not any(max(page.deltas, default=0) > 0 for page in pages):
            return at_end  # nothing came, as in most periods
        within: dict[Milliseconds, int] = {}
        for page in pages:
            for moment, delta in page.changes():
                at = page.starts + moment
                if starts <= at < ends:
                    within[at] = within.get(at, 0) + delta
        return min(accumulate((-within[at] for at in sorted(within, reverse=True)), initial=at_end))

    def forget(self, time: Milliseconds) -> None:
        """Let go of the hours that end at a moment or before."""
        for hour in [hour for hour in self._hours if (hour + 1) * HOUR_MS <= time]:
            page = self._hours.pop(hour)
            if type(page) is LoggedHour:
                page.changed = False
            self._dropped.append(hour)
        self._page = _NO_PAGE

    def changed(self) -> Iterator[tuple[int, bytes | None]]:
        """Write the pages that changed since the last call, by hour; None for those that are gone."""
        for hour in self._dropped:
            if hour not in self._hours:
                yield hour, None
        self._dropped = []
        for page in self._changed:
            if page.changed:
                page.changed = False
                yield page.starts // HOUR_MS, page.dump()
        self._changed = []
        self._page = _NO_PAGE

    def dump(self) -> Iterator[tuple[int, bytes]]:
        """Write every page."""
        for hour, page in self._hours.items():
            yield hour, page if isinstance(page, bytes) else page.dump()

    def _turn_to(self, hour: int) -> LoggedHour:
        """Put the page of an hour in hand, for changes."""
        if hour not in self._hours:
            self._hours[hour] = b""
        page = self._page = self._read(hour)
        if not page.changed:
            page.changed = True
            self._changed.append(page)
        return page

    def _read(self, hour: int) -> LoggedHour:
        """The page of an hour that there is."""
        page = self._hours[hour]
        if isinstance(page, bytes):
            page = self._hours[hour] = LoggedHour(hour, page)
        return page


def _parts(delta: int) -> Iterator[int]:
    """A change in parts none of which is larger than a quantity may be."""
    while abs(delta) > MOST:
        part = MOST if delta > 0 else -MOST
        yield part
        delta -= part
    yield delta


_NO_PAGE = LoggedHour(-1)
"""In place of a page: no moment lies in the hour before 1970."""
