"""Is this checkpoint part of the history that ledger and journal tell? Pure questions asked while a shard is taken."""

from schemas.journal import JournalRecord
from stream.faults import Parked
from stream.ports import Cursor, JournalView, LedgerView

ANEW = "restore the topic, or begin anew under another RESTOCK_APP and RESTOCK_TOPIC_PREFIX"


def refuse_strange(shard: int, ledger: LedgerView, cursor: Cursor | None, journal: JournalView) -> None:
    """Raise Parked where ledger, journal and checkpoint cannot belong together."""
    last = journal.last
    _same_ledger(shard, ledger, cursor, last)
    if last is None and cursor is not None:
        raise Parked(f"shard {shard}: Redis knows of a journal that is gone: {ANEW}")
    if last is not None and last.end.offset > ledger.end:
        raise Parked(f"shard {shard}: published up to {last.end.offset}, but the ledger ends at {ledger.end}: {ANEW}")
    if cursor is not None and not ledger.start <= cursor.next <= ledger.end:
        raise Parked(
            f"shard {shard}: the checkpoint stands at {cursor.next}, the ledger reaches from {ledger.start} to "
            f"{ledger.end}: restore a later Redis snapshot or the ledger, or {ANEW}"
        )


def _same_ledger(shard: int, ledger: LedgerView, cursor: Cursor | None, last: JournalRecord | None) -> None:
    for source, known in (("the checkpoint", cursor and cursor.ledger), ("the journal", last and last.ledger)):
        if known is not None and known != ledger.id:
            raise Parked(f"shard {shard}: {source} belongs to ledger {known}, but the topic is now {ledger.id}: {ANEW}")
    if cursor is not None and cursor.partitions != ledger.partitions:
        raise Parked(
            f"shard {shard}: the ledger had {cursor.partitions} partitions and has {ledger.partitions}: "
            f"items would be looked for elsewhere; {ANEW}"
        )


def same_history(cursor: Cursor, journal: JournalView) -> bool:
    """Whether the writer of this checkpoint was followed by owners who started from it, or behind it.

    An owner seals the offset it starts from. A checkpoint beyond what its writer's successor started from was written
    in a timeline that was abandoned when an older Redis file was restored; that file came back later.
    """
    writers = [seal.token for seal in journal.seals]
    if cursor.token not in writers:
        return False
    followers = journal.seals[writers.index(cursor.token) + 1 :]
    return not followers or cursor.next <= followers[0].saved
