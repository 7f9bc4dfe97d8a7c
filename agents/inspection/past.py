"""Finds the part of a shard's ledger that an item's state at a past moment is made of.

That part ends with the last record that concerns the item and is dated at or before the moment: a movement of its own,
a notice, or the tick that woke it for its last review. A tick may wake an item for many reviews at once: `as_of` keeps
time from going on beyond the moment.
"""

import msgspec

from agents.core.shard_state import ShardState
from agents.inventory.periods import due, start_of
from agents.inventory.position import Item
from schemas.ledger import FoldSettings, LedgerCreated, Milliseconds, Movement, Notice, Record, SettingsChanged, Ticked


class PastEnd:
    """Looks at a ledger record by record, from the first on, without folding."""

    def __init__(self, item: str, moment: Milliseconds, partition: int) -> None:
        self.end = 0
        """The offset after the last record of that part; 0 while nothing of the item is in it."""
        self.passed = False
        """Whether everything that is still to come is dated after the moment."""
        self._item = item
        self._moment = moment
        self._state = ShardState(partition)
        self._reviewed = False

    @property
    def settings(self) -> FoldSettings:
        """Those that hold where the look stands."""
        return self._state.frame.settings

    @property
    def moment(self) -> Milliseconds:
        """The moment itself, or the watermark where time has not come so far."""
        reached = self._state.timeline.watermark
        return self._moment if self.passed or reached is None else min(self._moment, reached)

    def see(self, record: Record, offset: int, appended: Milliseconds) -> None:
        """Look at the next record."""
        if isinstance(record, LedgerCreated | SettingsChanged):
            self._state.follow(record)
        elif isinstance(record, Ticked):
            self._see_tick(record, offset, appended)
        elif self._admits(record, appended):
            concerns = record.item == self._item if isinstance(record, Movement) else self.end > 0
            if concerns and min(record.time, appended) <= self._moment:
                self.end = offset + 1

    def _admits(self, record: Movement | Notice, appended: Milliseconds) -> bool:
        timeline = self._state.timeline
        timeline.at(appended)
        return timeline.admit(record.feed, record.offset, record.ordinal, record.prev) == "applied"

    def _see_tick(self, record: Ticked, offset: int, appended: Milliseconds) -> None:
        self._state.tick(record, appended)
        watermark, settings = self._state.timeline.watermark, self.settings
        if watermark is None:
            return
        later = due(Item(), self._item, settings)
        last_review = start_of(self._moment - later, settings) + later
        if not self._reviewed and watermark >= last_review:
            self._reviewed = True
            self.end = offset + 1 if self.end else 0
        self.passed = watermark > self._moment


def as_of(record: Record, moment: Milliseconds, settings: FoldSettings) -> Record:
    """The record as if time ended at a moment: a tick raises the watermark up to there and no further.

    >>> from schemas.ledger import Progress
    >>> tick = Ticked("w", 900, (Progress("f/0", 7, 800, True, None), Progress("f/1", 7, 100, False, None)), (), None)
    >>> ended = as_of(tick, 500, FoldSettings(lateness_ms=50))
    >>> ended.now, [progress.read_up_to for progress in ended.progress]
    (550, [550, 100])
    """
    if not isinstance(record, Ticked):
        return record
    most = moment + settings.lateness_ms
    progress = tuple(
        msgspec.structs.replace(each, read_up_to=None if each.read_up_to is None else min(each.read_up_to, most))
        for each in record.progress
    )
    return msgspec.structs.replace(record, now=None if record.now is None else min(record.now, most), progress=progress)
