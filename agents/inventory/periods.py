"""Periods: aligned stretches of time in which demand is added up, closed one by one, each with a review.

Periods begin where a day begins, weeks on Monday. An item's first period is the one that holds its earliest event, as
far as that comes before a period is closed; from then on one follows the other without a gap, however far the watermark
jumps.

>>> settings = FoldSettings(period_ms=7 * DAY_MS)
>>> from datetime import UTC, datetime
>>> thursday = int(datetime(2026, 3, 5, 12, tzinfo=UTC).timestamp() * 1000)
>>> datetime.fromtimestamp(start_of(thursday, settings) / 1000, UTC).strftime("%A %d %B %Y")
'Monday 02 March 2026'
"""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from zlib import crc32

import msgspec

from agents.inventory.position import Bucket, Item, available
from schemas.ledger import FoldSettings, Milliseconds
from schemas.quantities import DAY_MS

_WEEK = 7 * DAY_MS
_FIRST_MONDAY = 4 * DAY_MS
"""1970 began on a Thursday."""
MOST_CATCHING_UP = 400
"""An item begins at most so many periods before the watermark: made-up names with made-up times would otherwise cost
ten thousand reviews each."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Closed(msgspec.Struct, frozen=True):
    """A period that is over."""

    starts: Milliseconds
    ends: Milliseconds
    bucket: Bucket
    censored: bool
    """Whether demand may have been hidden: nothing was available, nobody waits, and the shop reported no lost order."""


def start_of(time: Milliseconds, settings: FoldSettings) -> Milliseconds:
    """Where the period begins that holds a moment."""
    period = settings.period_ms
    origin = settings.day_starts_ms + (0 if period % _WEEK else _FIRST_MONDAY)
    return time - (time - origin) % period


def due(item: Item, name: str, settings: FoldSettings) -> Milliseconds:
    """When the open period closes and the item is reviewed. A setting spreads the items over some time after that."""
    return item.ends + (crc32(name.encode()) % settings.spread_ms if settings.spread_ms else 0)


def bucket_of(item: Item, time: Milliseconds, watermark: Milliseconds | None, settings: FoldSettings) -> Bucket:
    """The bucket that an event of that time falls into: its period's, or the open period's when its own is closed."""
    if item.starts <= time < item.ends:
        return item.open
    starts = start_of(time, settings)
    if time >= item.ends > 0:
        return item.ahead.setdefault(max(starts, item.ends), Bucket())
    if item.closed_periods == 0:
        _begin(item, starts, watermark, settings)
    return item.open


def close(item: Item, settings: FoldSettings) -> Closed:
    """End the open period and open the next."""
    censored = item.open.ran_out and not item.open.lost and not item.backorder
    closed = Closed(item.starts, item.ends, item.open, censored)
    item.closed_periods += 1
    item.starts = item.ends
    item.ends = start_of(item.starts, settings) + settings.period_ms
    buckets = [item.ahead.pop(starts) for starts in sorted(item.ahead) if starts < item.ends]
    item.open = Bucket(
        demand=sum(bucket.demand for bucket in buckets),
        lost=sum(bucket.lost for bucket in buckets),
        received=sum(bucket.received for bucket in buckets),
        ran_out=item.known and available(item) <= 0,
    )
    return closed


def weekday(time: Milliseconds, settings: FoldSettings) -> str:
    """The day of the week that a moment belongs to, days beginning where the settings say.

    >>> weekday(0, FoldSettings()), weekday(0, FoldSettings(day_starts_ms=3_600_000))
    ('thu', 'wed')
    """
    return WEEKDAYS[((time - settings.day_starts_ms) // DAY_MS + 3) % 7]


def decides(
    time: Milliseconds, review_period_days: float | None, order_days: Sequence[str], settings: FoldSettings
) -> bool:
    """Whether the review at the end of a period may order.

    A review period of several periods counts from the first Monday there was, so that all items of one review period
    order on the same days; a supplier's order days go before.
    """
    if order_days:
        return weekday(time, settings) in order_days
    every = max(1, round((review_period_days or 0) * DAY_MS / settings.period_ms))
    return (time - settings.day_starts_ms - _FIRST_MONDAY) // settings.period_ms % every == 0


def until_next(
    time: Milliseconds, review_period_days: float | None, order_days: Sequence[str], settings: FoldSettings
) -> int:
    """Periods from one review to the next that may order."""
    most = max(1, _WEEK // settings.period_ms) if order_days else MOST_CATCHING_UP
    for periods in range(1, most):
        if decides(time + periods * settings.period_ms, review_period_days, order_days, settings):
            return periods
    return most


class Schedule:
    """When which item wants attention next, earliest first; equal times in the order of names."""

    def __init__(self) -> None:
        self._heap: list[tuple[Milliseconds, str]] = []
        self._sorted = True

    def add(self, at: Milliseconds, name: str) -> None:
        """Note a moment. One noted before stays; whoever takes it sees that the card has another moment by now."""
        if self._sorted:
            heappush(self._heap, (at, name))
        else:
            self._heap.append((at, name))

    def fill(self, entries: Sequence[tuple[Milliseconds, str]]) -> None:
        """Note many moments at once."""
        self._heap.extend(entries)
        self._sorted = False

    def take(self, watermark: Milliseconds) -> tuple[Milliseconds, str] | None:
        """The earliest moment that the watermark has reached."""
        if not self._sorted:
            heapify(self._heap)
            self._sorted = True
        if self._heap and self._heap[0][0] <= watermark:
            return heappop(self._heap)
        return None


def _begin(item: Item, starts: Milliseconds, watermark: Milliseconds | None, settings: FoldSettings) -> None:
    """Begin at a period, or move the beginning back there: the first to arrive need not be the earliest."""
    if watermark is not None:
        starts = max(starts, start_of(watermark, settings) - MOST_CATCHING_UP * settings.period_ms)
    if item.ends == 0:
        item.starts, item.ends = starts, starts + settings.period_ms
    elif starts < item.starts:
        item.ahead[item.starts] = item.open
        item.ahead = dict(sorted(item.ahead.items()))
        item.open = Bucket()
        item.starts, item.ends = starts, min(starts + settings.period_ms, item.starts)
