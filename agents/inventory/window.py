"""The events an item has seen lately, so that one that is published twice counts once.

An entry is 28 bytes in packed arrays: the event's identity, 48 bits of its body's fingerprint with the highest
ordinal applied, the order it placed with the period that took its demand, and when it was appended. Entries lie in
pages of 64, so that a checkpoint rewrites the page in hand and not the window.

>>> bounds = FoldSettings(duplicate_window_ms=1000, duplicate_window_ids=100)
>>> window = Window()
>>> window.judge(7, 99, 0, 5000, bounds), window.remember(7, 99, 0, 0, 5000, bounds)
('new', None)
>>> window.judge(7, 99, 0, 5001, bounds), window.judge(7, 98, 0, 5001, bounds)
('duplicate', 'conflict')

Another line of the same event about the same item has a higher ordinal and is no duplicate; after the window's time
the same event is news.

>>> window.judge(7, 99, 1, 5002, bounds), window.judge(7, 99, 1, 5003, bounds), window.judge(7, 98, 0, 9000, bounds)
('further', 'duplicate', 'new')
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from struct import Struct
from typing import Literal, TypeAlias

from agents.inventory.position import MINUTE
from schemas.ledger import FoldSettings, Milliseconds

PAGE = 64
ORDINALS = 0xFFFF
BODY = 0xFFFF_FFFF_FFFF
_HEAD = Struct("<QQ")
_ENTRY = 28
_OLDEST = 0xFFFF_FFFF
"""A page's entries are at most this many milliseconds younger than its first."""
_FEW = 8
"""A page with fewer entries is not turned for its age: slow sellers would have a page for every sale."""

Judgement: TypeAlias = Literal["new", "further", "duplicate", "conflict"]


class Page:
    """Up to 64 events in the order in which they came."""

    __slots__ = ("ages", "bodies", "changed", "first", "ids", "places", "since")

    def __init__(self, first: int, since: Milliseconds) -> None:
        self.first = first
        """How-manieth event of the item the first entry is."""
        self.since = since
        """When it was appended."""
        self.ids = array("Q")
        self.bodies = array("Q")
        self.places = array("Q")
        self.ages = array("I")
        self.changed = False

    def dump(self) -> bytes:
        """Write the page."""
        columns = (self.ids, self.bodies, self.places, self.ages)
        return _HEAD.pack(self.first, self.since) + b"".join(column.tobytes() for column in columns)

    @classmethod
    def load(cls, data: bytes) -> "Page":
        """Read a page; ValueError when it is not one."""
        count, rest = divmod(len(data) - _HEAD.size, _ENTRY)
        if count < 0 or rest:
            raise ValueError(f"not a page of a duplicate window: {len(data)} bytes")
        page = cls(*_HEAD.unpack_from(data))
        place = _HEAD.size
        for column in (page.ids, page.bodies, page.places, page.ages):
            size = count * column.itemsize
            column.frombytes(data[place : place + size])
            place += size
        return page


class Window:
    """An item's newest events, by count and by age of their ledger records."""

    __slots__ = ("_again", "dropped", "pages", "seen", "tail")

    def __init__(self, dumped: Mapping[int, bytes] | None = None) -> None:
        self.pages = {number: Page.load(dumped[number]) for number in sorted(dumped)} if dumped else {}
        self.seen = {event for page in self.pages.values() for event in page.ids}
        self.tail = next(reversed(self.pages.values()), None)
        self.dropped: list[int] = []
        """Numbers of pages that are gone and perhaps still stored."""
        self._again: Counter[int] = Counter()
        """Events with more than one entry, because the older one was too old to count."""
        if sum(len(page.ids) for page in self.pages.values()) > len(self.seen):
            copies = Counter(event for page in self.pages.values() for event in page.ids)
            self._again = Counter({event: count - 1 for event, count in copies.items() if count > 1})

    def judge(self, event: int, body: int, ordinal: int, appended: Milliseconds, bounds: FoldSettings) -> Judgement:
        """Say whether an event was seen; an ordinal beyond the highest seen is a further line of it, and noted."""
        if event not in self.seen:
            return "new"
        for page in reversed(self.pages.values()):
            place = _find(page.ids, event)
            if place >= 0:
                break
        else:
            return "new"
        if self._expired(page, place, appended, bounds):
            return "new"
        seen = page.bodies[place]
        if seen >> 16 != body & BODY:
            return "conflict"
        if min(ordinal, ORDINALS) <= seen & ORDINALS:
            return "duplicate"
        page.bodies[place] = seen & ~ORDINALS | min(ordinal, ORDINALS)
        page.changed = True
        return "further"

    def remember(
        self, event: int, body: int, ordinal: int, place: int, appended: Milliseconds, bounds: FoldSettings
    ) -> None:
        """Add an event that was judged new."""
        page = self.tail
        if page is None or len(page.ids) == PAGE or appended - page.since > bounds.duplicate_window_ms:
            page = self._turn(appended, bounds)
        if event in self.seen:
            self._again[event] += 1
        else:
            self.seen.add(event)
        page.ids.append(event)
        page.bodies.append((body & BODY) << 16 | (min(ORDINALS, ordinal)))
        page.places.append(place)
        page.ages.append(appended - page.since)
        page.changed = True

    def holds_place(self, place: int) -> bool:
        """Whether an order was placed here into that period."""
        return any(_find(page.places, place) >= 0 for page in reversed(self.pages.values()))

    def changed(self) -> Iterator[tuple[int, bytes | None]]:
        """Write the pages that changed since the last call, by number; None for those that are gone."""
        for number in self.dropped:
            yield number, None
        self.dropped = []
        for number, page in self.pages.items():
            if page.changed:
                page.changed = False
                yield number, page.dump()

    def _turn(self, appended: Milliseconds, bounds: FoldSettings) -> Page:
        """Start a page, and let go of those that nothing can match any more."""
        if self.tail is not None and len(self.tail.ids) < _FEW and appended - self.tail.since <= _OLDEST:
            return self.tail
        last = next(reversed(self.pages), -1)
        first = self.tail.first + len(self.tail.ids) if self.tail is not None else 0
        for number, page in list(self.pages.items()):
            if not self._expired(page, len(page.ids) - 1, appended, bounds, first):
                break
            self._drop(number, page)
        self.tail = self.pages[last + 1] = Page(first, appended)
        return self.tail

    def _drop(self, number: int, page: Page) -> None:
        for event in page.ids:
            if self._again[event] > 0:
                self._again[event] -= 1
            else:
                self.seen.discard(event)
        self._again = +self._again
        self.dropped.append(number)
        del self.pages[number]

    def _expired(
        self, page: Page, place: int, appended: Milliseconds, bounds: FoldSettings, total: int | None = None
    ) -> bool:
        if total is None:
            total = self.tail.first + len(self.tail.ids) if self.tail is not None else 0
        if total - page.first - place > bounds.duplicate_window_ids:
            return True
        return appended - page.since - page.ages[place] > bounds.duplicate_window_ms


def placement(order: int, period: Milliseconds) -> int:
    """Pack an order's identity (36 bits of it) and the start of the period that took its demand into 64 bits.

    >>> hex(placement(1, 600_000))
    '0x1000000a'
    """
    return (order & 0xF_FFFF_FFFF) << 28 | period // MINUTE & 0xFFF_FFFF


def _find(column: "array[int]", value: int) -> int:
    """The place of a value, or −1; in C, where `index` would make an object of every entry."""
    data, wanted = column.tobytes(), value.to_bytes(8, "little")
    at = data.find(wanted)
    while at >= 0 and at % 8:
        at = data.find(wanted, at + 1)
    return at // 8
