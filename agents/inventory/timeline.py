"""Where each feed stands and what time it is: marks drop repetitions, and the watermark closes periods.

A feed is one partition of a source topic. Its mark is the origin of the last movement applied from it: what is not
beyond the mark is a repetition, and what builds on something beyond the mark is an orphan that will come again.

>>> timeline = Timeline()
>>> [timeline.admit("orders/0", *origin) for origin in ((4, 0, None), (4, 0, None), (9, 0, (7, 0)))]
['applied', 'duplicate', 'orphan']

A tick reports how far the feeds were read. The watermark is the least of their times less the allowed lateness.

>>> from schemas.ledger import Progress
>>> progress = (Progress("orders/0", 5, 90_000, drained=False, prev=(4, 0)),)
>>> settings = FoldSettings(lateness_ms=30_000)
>>> timeline.tick(Ticked("w", None, progress, ("orders/0",), settings), 2_000_000, settings)
>>> timeline.watermark
60000
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from schemas.ledger import FoldSettings, Milliseconds, Progress, Ticked
from schemas.stored import decoder_of

Admission: TypeAlias = Literal["applied", "duplicate", "orphan"]


@dataclass(slots=True)
class FeedMark:
    """What is known of one feed; a plain class, since its mark moves with every movement."""

    offset: int = -1
    """With the ordinal: the mark."""
    ordinal: int = -1
    position: int = -1
    """The next offset to read, as last reported."""
    time: Milliseconds | None = None
    beyond: Milliseconds | None = None
    """The greatest event time of any feed when a tick last reported this one.

    Where time comes from events, a drained feed counts as read up to there at the next tick. So a little skew between
    the feeds of one tick makes no event late.
    """
    alive: Milliseconds = 0
    """When it last moved, by the idle clock."""
    silent: bool = False
    """Whether it has not moved for so long that the watermark does not wait for it."""


class _Clock(msgspec.Struct, array_like=True, gc=False):
    """The time that all feeds together have reached."""

    watermark: Milliseconds | None = None
    greatest: Milliseconds | None = None
    """The greatest event time any feed has reported."""
    idle: Milliseconds = 0
    """Runs while ticks come, so that an outage of everybody is not the silence of one."""
    ticked_at: Milliseconds | None = None
    appended: Milliseconds = 0
    """The greatest append time seen, when this was written."""
    feeds: tuple[str, ...] = ()
    """The names of all feeds, as the last tick listed them."""
    history: bool = False
    """Whether something of long ago came since the last tick."""
    histories: int = 0
    """Ticks in a row before which something of long ago came."""


class StoredFeedMark(msgspec.Struct, array_like=True):
    """A feed mark as it is stored: the fields in the order in which they are written."""

    offset: int = -1
    ordinal: int = -1
    position: int = -1
    time: Milliseconds | None = None
    beyond: Milliseconds | None = None
    alive: Milliseconds = 0
    silent: bool = False


MOST_HISTORIES = 120
"""So many ticks in a row a history may be coming in; a clock that goes wrong for longer makes nobody wait."""
_encode = msgspec.msgpack.Encoder().encode
_decode_feed = decoder_of(StoredFeedMark, "a feed mark")
_decode_clock = decoder_of(_Clock, "the clock of a shard")


class Timeline:
    """Marks and progress of a shard's feeds."""

    def __init__(self) -> None:
        self.feeds: dict[str, FeedMark] = {}
        self.appended: Milliseconds = 0
        """The greatest append time seen: it never falls, whatever brokers do."""
        self.long_ago: Milliseconds = -1
        """What happened before this moment is history; a period before the watermark."""
        self._clock = _Clock()
        self._changed: dict[str, FeedMark] = {}

    @property
    def watermark(self) -> Milliseconds | None:
        """The time before which no event is expected any more; None until all feeds have reported."""
        return self._clock.watermark

    @property
    def silent(self) -> list[str]:
        """The feeds that the watermark does not wait for."""
        return [name for name in self._clock.feeds if self.feeds[name].silent]

    @property
    def history_comes_in(self) -> bool:
        """Whether a history is being imported: items that begin in it wait with their reviews until it is there."""
        return 0 < self._clock.histories <= MOST_HISTORIES

    def hear_of_history(self) -> None:
        """Note that something of long ago came."""
        self._clock.history = True

    def at(self, appended: Milliseconds) -> Milliseconds:
        """Take in a record's append time; answers with the greatest so far."""
        if appended > self.appended:  # noqa: PLR1730 - `max` would cost every movement a call more
            self.appended = appended
        return self.appended

    def admit(self, name: str, offset: int, ordinal: int, prev: tuple[int, int] | None) -> Admission:
        """Judge a movement by its origin, and move the mark when it is to be applied."""
        feed = self.feeds.get(name)
        if feed is None:
            if prev is not None:
                return "orphan"
            feed = self.feeds[name] = FeedMark()
        if offset <= feed.offset and (offset < feed.offset or ordinal <= feed.ordinal):
            return "duplicate"
        if prev is not None and prev[0] >= feed.offset and (prev[0] > feed.offset or prev[1] > feed.ordinal):
            return "orphan"
        feed.offset = offset
        feed.ordinal = ordinal
        self._changed[name] = feed
        return "applied"

    def tick(self, record: Ticked, appended: Milliseconds, settings: FoldSettings) -> None:
        """Take in the progress of some feeds, and raise the watermark as far as they allow."""
        clock = self._clock
        self.at(appended)
        clock.histories, clock.history = (clock.histories + 1 if clock.history else 0), False
        if clock.ticked_at is not None:
            clock.idle += min(max(0, appended - clock.ticked_at), settings.feed_idle_ms // 10)
        clock.ticked_at = appended
        known = set(clock.feeds)
        for name in record.feeds:
            if name not in self.feeds:
                self.feeds[name] = FeedMark()
            if name not in known:
                self.feeds[name].alive = clock.idle
                self._changed[name] = self.feeds[name]
        clock.feeds = record.feeds
        heard = [progress for progress in record.progress if self._counts(progress)]
        for progress in heard:
            clock.greatest = _later(clock.greatest, progress.read_up_to)
        for progress in heard:
            self._advance(progress, record.now)
        for name in clock.feeds:
            feed = self.feeds[name]
            if not feed.silent and clock.idle - feed.alive >= settings.feed_idle_ms:
                feed.silent = True
                self._changed[name] = feed
        self._raise_watermark(appended, settings)

    def changed(self) -> Iterator[tuple[str, bytes]]:
        """Write what has changed since the last call."""
        yield "clock", self._written_clock()
        for name, feed in self._changed.items():
            yield f"feed {name}", _written(feed)
        self._changed = {}

    def dump(self) -> dict[str, bytes]:
        """Write everything."""
        feeds = {f"feed {name}": _written(feed) for name, feed in self.feeds.items()}
        return {"clock": self._written_clock(), **feeds}

    def load(self, fields: Mapping[str, bytes]) -> None:
        """Read what was written, all of it or a part; ValueError when it is something else."""
        for field, data in fields.items():
            if field == "clock":
                self._clock = _decode_clock(data)
                self.appended = self._clock.appended
            elif field.startswith("feed "):
                self.feeds[field.removeprefix("feed ")] = _feed_mark(_decode_feed(data))

    def _written_clock(self) -> bytes:
        self._clock.appended = self.appended
        return _encode(self._clock)

    def _counts(self, progress: Progress) -> bool:
        """Whether everything the progress builds on has arrived here."""
        if progress.prev is None:
            return True
        feed = self.feeds.get(progress.feed)
        return feed is not None and progress.prev <= (feed.offset, feed.ordinal)

    def _advance(self, progress: Progress, now: Milliseconds | None) -> None:
        feed = self.feeds.setdefault(progress.feed, FeedMark())
        self._changed[progress.feed] = feed
        if progress.drained or progress.position != feed.position:
            feed.alive = self._clock.idle
            feed.silent = False
        feed.position = progress.position
        feed.time = _later(feed.time, progress.read_up_to)
        if progress.drained:
            feed.time = _later(feed.time, feed.beyond if now is None else now)
        feed.beyond = self._clock.greatest

    def _raise_watermark(self, appended: Milliseconds, settings: FoldSettings) -> None:
        times = [self.feeds[name].time for name in self._clock.feeds if not self.feeds[name].silent]
        known = [time for time in times if time is not None]
        if known and len(known) == len(times):
            reached = min(min(known) - settings.lateness_ms, appended)
            self._clock.watermark = _later(self._clock.watermark, reached)


def _written(feed: FeedMark) -> bytes:
    stored = StoredFeedMark(feed.offset, feed.ordinal, feed.position, feed.time, feed.beyond, feed.alive, feed.silent)
    return _encode(stored)


def _feed_mark(stored: StoredFeedMark) -> FeedMark:
    return FeedMark(
        stored.offset, stored.ordinal, stored.position, stored.time, stored.beyond, stored.alive, stored.silent
    )


def _later(one: Milliseconds | None, other: Milliseconds | None) -> Milliseconds | None:
    if one is None or other is None:
        return one if other is None else other
    return max(one, other)
