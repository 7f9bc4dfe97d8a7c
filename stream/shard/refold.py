"""Folds a shard again from ledger and journal, outside any worker: for audits, and for questions about the past."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from sys import maxsize

from schemas.journal import Alerted, Decided, JournalEntry, JournalRecord, Published
from schemas.ledger import Milliseconds, Record
from stream.ports import Replay, ShardCore

NOTHING: tuple[int, list[JournalEntry]] = (maxsize, [])
"""What follows the last journal entry."""


class Refold:
    """A core that replays: what the journal says was published stands, and nothing is decided."""

    def __init__(self, core: ShardCore, journal: Iterable[JournalRecord]) -> None:
        self.core = core
        self._entries = _by_offset(journal)
        self._offset, self._some = next(self._entries, NOTHING)

    def fold(self, record: Record, offset: int, appended: Milliseconds, until: Milliseconds | None = None) -> None:
        """Fold the next ledger record; of what came of it, leave out what is dated after a moment."""
        for _ in self.steps(record, offset, appended, until):
            pass

    def steps(
        self, record: Record, offset: int, appended: Milliseconds, until: Milliseconds | None = None
    ) -> Iterable[object]:
        """Fold the next ledger record step by step; the caller exhausts it before the next."""
        while self._offset < offset:
            self._offset, self._some = next(self._entries, NOTHING)
        entries = self._some if self._offset == offset else []
        if until is not None:
            entries = [entry for entry in entries if _dated(entry) <= until]
        return self.core.fold(record, offset, appended, Replay(entries, whole=True))


def _by_offset(journal: Iterable[JournalRecord]) -> Iterator[tuple[int, list[JournalEntry]]]:
    """The journal entries of each ledger record that has any, in the order of the ledger."""
    entries = (entry for record in journal if isinstance(record, Published) for entry in record.entries)
    for offset, some in groupby(entries, key=lambda entry: entry.at.offset):
        yield offset, list(some)


def _dated(entry: JournalEntry) -> Milliseconds:
    """The moment of a decision or an edge of an alert; a refusal has none and is never left out."""
    if isinstance(entry, Decided):
        return entry.decided_at
    return entry.since if isinstance(entry, Alerted) else 0
