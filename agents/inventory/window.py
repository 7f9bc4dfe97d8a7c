"""The events an item has seen lately, so that one that is published twice counts once.

An entry is 28 bytes: the event's identity, 48 bits of its body's fingerprint with the highest ordinal applied, the
placement of an order line (see flows.py), and when it was appended. Entries lie in pages of 64, so that a checkpoint
rewrites the page in hand and not the window.

>>> bounds, tea, mug = FoldSettings(duplicate_window_ms=1000, duplicate_window_ids=100), 7 << 16, 8 << 16
>>> window = Window()
>>> window.judge(1, tea, 0, 5000, bounds), window.remember(1, tea, 0, 0, 5000, bounds)
('new', None)
>>> window.judge(1, tea, 0, 5001, bounds), window.judge(1, mug, 0, 5001, bounds)
('duplicate', 'conflict')

Another line of the same event about the same item has a higher ordinal and is no duplicate; after the window's time
the same event is news.

>>> window.judge(1, tea, 1, 5002, bounds), window.judge(1, tea, 1, 5003, bounds), window.judge(1, mug, 0, 9000, bounds)
('further', 'duplicate', 'new')
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain
from struct import Struct
from typing import Literal, TypeAlias

from schemas.ledger import FoldSettings, Milliseconds
from schemas.quantities import DAY_MS

ORDINALS = 0xFFFF
"""The low bits of a body's fingerprint make room for the ordinal; a line beyond the last that fits is a duplicate."""
BODIES = 0xFFFF_FFFF_FFFF_0000
_HEAD = Struct("<QQ")
_ENTRY = Struct("<QQQI")
_EVENT = Struct("<Q20x")
"""An entry of which only the event is read."""
_SIZE = _ENTRY.size
_FULL = 64 * _SIZE
_FEW = 8 * _SIZE
"""A page with fewer entries takes more at any age: slow sellers would have a page for every sale."""
_A_WEEK = 7 * DAY_MS
_OLDEST = 0xFFFF_FFFF
"""A page's entries are at most this many milliseconds younger than its first."""
_pack = _ENTRY.pack

Judgement: TypeAlias = Literal["new", "further", "duplicate", "conflict"]


class Page:
    """Up to 64 events in the order in which they came."""

    __slots__ = ("changed", "entries", "first", "since", "until")

    def __init__(self, first: int, since: Milliseconds, entries: bytes = b"") -> None:
        self.first = first
        """How many events of the item came before the first entry."""
        self.since = since
        """When the first entry was appended."""
        self.until = since + _A_WEEK
        """After this moment a page of more than a few entries is full: pages are dropped whole, for their age."""
        self.entries = bytearray(entries)
        self.changed = False

    def __len__(self) -> int:
        return len(self.entries) // _SIZE

    def __bool__(self) -> bool:
        return True

    def events(self) -> Iterator[int]:
        """The identities of its events."""
        return chain.from_iterable(_EVENT.iter_unpack(self.entries))

    def find(self, value: int, column: int) -> int:
        """The newest entry with a value in a column, or −1; searched in C, where entries need not become objects."""
        wanted, shift = value.to_bytes(8, "little"), 8 * column
        at = self.entries.rfind(wanted)
        while at >= 0 and at % _SIZE != shift:
            at = self.entries.rfind(wanted, 0, at + len(wanted) - 1)
        return at // _SIZE

    def dump(self) -> bytes:
        """Write the page."""
        return _HEAD.pack(self.first, self.since) + self.entries

    @classmethod
    def load(cls, data: bytes) -> "Page":
        """Read a page; ValueError when it is not one."""
        if len(data) < _HEAD.size or (len(data) - _HEAD.size) % _SIZE:
            raise ValueError(f"not a page of a duplicate window: {len(data)} bytes")
        first, since = _HEAD.unpack_from(data)
        return cls(first, since, data[_HEAD.size :])


class Window:
    """An item's newest events, by count and by age of their ledger records."""

    __slots__ = ("_again", "dropped", "pages", "seen", "tail")

    def __init__(self, dumped: Mapping[int, bytes] | None = None) -> None:
        self.pages = {number: Page.load(dumped[number]) for number in sorted(dumped)} if dumped else {}
        self.seen = set(chain.from_iterable(page.events() for page in self.pages.values()))
        self.tail = next(reversed(self.pages.values()), None)
        self.dropped: list[int] = []
        """Numbers of pages that are gone from here and may still be stored."""
        self._again: dict[int, int] = {}
        """Events with several entries, because the older ones were too old to count, and how many of them."""
        if len(self.seen) < sum(map(len, self.pages.values())):
            copies = Counter(event for page in self.pages.values() for event in page.events())
            self._again = {event: count - 1 for event, count in copies.items() if count > 1}

    def judge(self, event: int, body: int, ordinal: int, appended: Milliseconds, bounds: FoldSettings) -> Judgement:
        """Say whether an event was seen. A further line of a known event has a higher ordinal, which is remembered."""
        if event not in self.seen:
            return "new"
        for page in reversed(self.pages.values()):
            place = page.find(event, 0)
            if place >= 0:
                break
        else:
            return "new"
        if self._expired(page, place, appended, bounds):
            return "new"
        _, seen, placement, age = _ENTRY.unpack_from(page.entries, place * _SIZE)
        if (seen ^ body) & BODIES:
            return "conflict"
        if min(ordinal, ORDINALS) <= seen & ORDINALS:
            return "duplicate"
        higher = seen & BODIES | min(ordinal, ORDINALS)
        _ENTRY.pack_into(page.entries, place * _SIZE, event, higher, placement, age)
        page.changed = True
        return "further"

    def remember(
        self, event: int, body: int, ordinal: int, placement: int, appended: Milliseconds, bounds: FoldSettings
    ) -> None:
        """Add an event that was judged new."""
        if event in self.seen:
            self._again[event] = self._again.get(event, 0) + 1
        self.note(event, body, ordinal, placement, appended, bounds)

    def note(
        self, event: int, body: int, ordinal: int, placement: int, appended: Milliseconds, bounds: FoldSettings
    ) -> None:
        """Add an event of which there is no entry."""
        page = self.tail
        if page is None or len(page.entries) == _FULL or appended > page.until:
            page = self._turn(appended, bounds)
        self.seen.add(event)
        marked = body & BODIES | min(ordinal, ORDINALS) if ordinal else body & BODIES
        page.entries += _pack(event, marked, placement, appended - page.since)
        page.changed = True

    def holds(self, placement: int) -> bool:
        """Whether an event with that placement is remembered."""
        return any(page.find(placement, 2) >= 0 for page in reversed(self.pages.values()))

    def changed(self) -> Iterator[tuple[int, bytes | None]]:
        """Write the pages that changed since the last call, by number; None for those that are gone."""
        for number in self.dropped:
            yield number, None
        self.dropped = []
        for number, page in self.pages.items():
            if page.changed:
                page.changed = False
                yield number, page.dump()

    def _total(self) -> int:
        """How many events the item has seen in its life."""
        return self.tail.first + len(self.tail) if self.tail is not None else 0

    def _turn(self, appended: Milliseconds, bounds: FoldSettings) -> Page:
        """Start a page, and drop those that nothing can match any more."""
        tail = self.tail
        if tail is not None and len(tail.entries) < _FEW and appended - tail.since <= _OLDEST:
            return tail
        number, first = next(reversed(self.pages), -1) + 1, self._total()
        for old, page in list(self.pages.items()):
            if not self._expired(page, len(page) - 1, appended, bounds):
                break
            self._drop(old, page)
        self.tail = self.pages[number] = Page(first, appended)
        return self.tail

    def _drop(self, number: int, page: Page) -> None:
        for event in page.events():
            copies = self._again.pop(event, 0)
            if copies > 1:
                self._again[event] = copies - 1
            elif copies == 0:
                self.seen.discard(event)
        self.dropped.append(number)
        del self.pages[number]

    def _expired(self, page: Page, place: int, appended: Milliseconds, bounds: FoldSettings) -> bool:
        if self._total() - page.first - place > bounds.duplicate_window_ids:
            return True
        age: int = _ENTRY.unpack_from(page.entries, place * _SIZE)[3]
        return appended - page.since - age > bounds.duplicate_window_ms
