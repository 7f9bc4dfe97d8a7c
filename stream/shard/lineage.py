"""Decides whether a checkpoint belongs to the ledger and journal of today. Nothing here reads a server.

A ledger may have been made anew, a journal deleted, an older Redis file restored. Each of these would give a shard a
state that contradicts what was published, so every owner checks for them when it takes a shard.
"""

from schemas.journal import JournalRecord
from stream.faults import Parked
from stream.ports import Cursor, JournalView, LedgerView, Place

ANEW = "restore the topic, or begin anew under another RESTOCK_APP and RESTOCK_TOPIC_PREFIX"
"""The cure of last resort, as messages name it."""


def refuse_strange(shard: int, ledger: LedgerView, cursor: Cursor | None, journal: JournalView) -> None:
    """Raise Parked where ledger, journal and checkpoint cannot belong together."""
    last = journal.last
    _refuse_other_ledger(shard, ledger, cursor, last)
    if cursor is not None:
        _refuse_other_journal(shard, cursor, journal)
    if last is not None and last.end.offset > ledger.end:
        raise Parked(f"shard {shard}: published up to {last.end.offset}, but the ledger ends at {ledger.end}: {ANEW}")
    if cursor is not None and not ledger.start <= cursor.next <= ledger.end:
        raise Parked(
            f"shard {shard}: the checkpoint stands at {cursor.next}, the ledger reaches from {ledger.start} to "
            f"{ledger.end}: restore a later Redis snapshot or the ledger, or {ANEW}"
        )


def _refuse_other_journal(shard: int, cursor: Cursor, journal: JournalView) -> None:
    """Nothing is left of a journal that was quiet for longer than it is kept; then nothing is missing either."""
    quiet = cursor.journal >= 0 and journal.whole and journal.end >= cursor.journal
    if journal.last is None and not quiet:
        raise Parked(f"shard {shard}: Redis knows of a journal that is gone: {ANEW}")
    if cursor.journal > journal.end:
        raise Parked(
            f"shard {shard}: the checkpoint knows {cursor.journal} offsets of the journal, which ends at "
            f"{journal.end}: {ANEW}"
        )


def _refuse_other_ledger(shard: int, ledger: LedgerView, cursor: Cursor | None, last: JournalRecord | None) -> None:
    for source, known in (("the checkpoint", cursor and cursor.ledger), ("the journal", last and last.ledger)):
        if known is not None and known != ledger.id:
            raise Parked(f"shard {shard}: {source} belongs to ledger {known}, but the topic is now {ledger.id}: {ANEW}")
    if cursor is not None and cursor.partitions != ledger.partitions:
        raise Parked(
            f"shard {shard}: the ledger had {cursor.partitions} partitions and has {ledger.partitions}: "
            f"items would be looked for elsewhere; {ANEW}"
        )


def same_lineage(cursor: Cursor, journal: JournalView) -> bool:
    """Whether every owner after the writer of this checkpoint started from it, or from a later one.

    Each owner writes a seal into the journal that says at which place it started. When an older Redis file is
    restored, the next owner starts further back, and what its predecessors saved beyond that is abandoned. Such an
    abandoned checkpoint may come back with a newer file; it must not be used. The seals seen here are those since the
    place in the journal that the checkpoint names: its writer's own lies before it, unless that one was replaying.
    """
    writers = [seal.token for seal in journal.seals]
    if cursor.token in writers:
        seals = journal.seals[writers.index(cursor.token) :]
    elif cursor.journal >= 0:
        seals = journal.seals
    else:
        return False
    followers = [seal for seal in seals if seal.token != cursor.token]
    return not followers or cursor.place <= Place(followers[0].saved, followers[0].reviews)
