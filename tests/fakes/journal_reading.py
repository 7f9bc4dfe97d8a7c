"""Reads a journal as a shard does: a look at it, then passage by passage."""

from typing import NamedTuple

from schemas.journal import JournalRecord
from stream.ports import Journal, JournalView
from stream.retry import until_answered


class FoundJournal(NamedTuple):
    """The view of a journal, and its records."""

    view: JournalView
    records: list[JournalRecord]
    """From `view.start` on."""


async def read_journal(journal: Journal, shard: int, start: int | None = None) -> FoundJournal:
    """Read what a shard finds from the journal's own offset `start` on."""
    view = await until_answered(lambda: journal.look(shard, start))
    records: list[JournalRecord] = []
    place = view.start
    while place < view.end:
        some, place = await journal.passage(shard, place, view.end)
        records += some
    if records or not start:
        assert view.last == (records[-1] if records else None)
    return FoundJournal(view, records)
