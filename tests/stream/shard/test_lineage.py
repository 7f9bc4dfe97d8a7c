"""Which ledgers, journals and checkpoints belong together, and with which reason others park a shard."""

from typing import Any

import msgspec
import pytest

from schemas.journal import JournalRecord, Point, Published, Sealed
from stream.faults import Parked
from stream.ports import Cursor, JournalView, LedgerView, Within
from stream.shard.lineage import refuse_strange, same_lineage

LEDGER = LedgerView("ledger-id", 12, start=0, end=100)
CURSOR = Cursor("a", 50, Point(50), "ledger-id", 12, 0, 1, "1.0")


def sealed(token: str, saved: int, ledger: str = "ledger-id") -> Sealed:
    return Sealed(token, saved, ledger, "1.0", Point(saved))


def published(end: Point, ledger: str = "ledger-id") -> Published:
    return Published(Point(0), end, None, ledger, "1.0", "a", ())


def journal(*records: JournalRecord) -> JournalView:
    seals = [record for record in records if isinstance(record, Sealed)]
    return JournalView(records[-1] if records else None, seals, 0, len(records), whole=True)


def later(*records: JournalRecord) -> JournalView:
    """The journal since a place that lies behind 500 records."""
    return msgspec.structs.replace(journal(*records), start=500, end=510)


def changed(original: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(original, **changes)


# What cannot belong together ------------------------------------------------------------------------------------------

JOURNAL = journal(sealed("a", 0), published(Point(60, 3)))


@pytest.mark.parametrize(
    "ledger, cursor, journal",
    [
        (LEDGER, None, journal()),  # the very first owner
        (LEDGER, CURSOR, JOURNAL),
        (LEDGER, None, JOURNAL),  # Redis was lost
        (LEDGER, changed(CURSOR, next=100), JOURNAL),
        (LEDGER, CURSOR, journal(sealed("a", 0), published(Point(100)))),
        (changed(LEDGER, start=50), CURSOR, JOURNAL),  # cut off exactly up to the checkpoint
        (changed(LEDGER, end=0), None, journal(sealed("a", 0))),
        (LEDGER, changed(CURSOR, journal=500), later()),  # retention deleted the last record of a quiet journal
    ],
)
def test_what_belongs_together_is_not_refused(ledger: LedgerView, cursor: Cursor | None, journal: JournalView) -> None:
    refuse_strange(4, ledger, cursor, journal)


@pytest.mark.parametrize(
    "ledger, cursor, journal, reason",
    [
        (changed(LEDGER, id="other"), CURSOR, JOURNAL, "the checkpoint belongs to ledger ledger-id, .* is now other"),
        (changed(LEDGER, id="other"), None, JOURNAL, "the journal belongs to ledger ledger-id, .* is now other"),
        (changed(LEDGER, partitions=24), CURSOR, JOURNAL, "had 12 partitions and has 24"),
        (LEDGER, CURSOR, journal(), "Redis knows of a journal that is gone"),
        (LEDGER, changed(CURSOR, journal=500), changed(later(), whole=False), "knows of a journal that is gone"),
        (
            LEDGER,
            changed(CURSOR, journal=511),
            later(sealed("a", 0)),
            "knows 511 offsets of the journal, which ends at 510",
        ),
        (LEDGER, None, journal(published(Point(101))), "published up to 101, but the ledger ends at 100"),
        (LEDGER, changed(CURSOR, next=101), JOURNAL, "stands at 101, the ledger reaches from 0 to 100"),
        (changed(LEDGER, start=51), CURSOR, JOURNAL, "stands at 50, the ledger reaches from 51 to 100"),
    ],
)
def test_a_difference_parks_with_shard_reason_and_cure(
    ledger: LedgerView, cursor: Cursor | None, journal: JournalView, reason: str
) -> None:
    with pytest.raises(Parked, match=f"^shard 4: .*{reason}.*restore .* RESTOCK_APP"):
        refuse_strange(4, ledger, cursor, journal)


# Abandoned timelines --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "records, same",
    [
        ([sealed("a", 0)], True),  # the last owner's own
        ([sealed("a", 0), published(Point(60))], True),
        ([sealed("z", 0), sealed("a", 10)], True),
        ([sealed("a", 0), sealed("b", 50)], True),  # b took over from this very checkpoint
        ([sealed("a", 0), sealed("b", 70)], True),  # b found more; somebody restored an older file of a's
        ([sealed("a", 0), sealed("b", 20)], False),  # b went on from an older file, and this one came back later
        ([sealed("a", 0), sealed("b", 0)], False),  # b began anew
        ([sealed("a", 0), sealed("b", 20), sealed("c", 90)], False),
        ([sealed("a", 0), sealed("b", 60), sealed("c", 10)], True),  # only b followed a
        ([sealed("b", 0)], False),  # a writer nobody knows
        ([published(Point(60))], False),
        ([], False),
    ],
)
def test_a_checkpoint_is_trusted_when_its_successors_knew_of_it(records: list[JournalRecord], same: bool) -> None:  # noqa: FBT001
    assert same_lineage(CURSOR, journal(*records)) is same


@pytest.mark.parametrize(
    "records, same",
    [
        ([], True),  # nothing came after the checkpoint
        ([published(Point(60))], True),
        ([sealed("a", 20)], True),  # its own seal, renewed, or that of an owner that was still replaying
        ([sealed("z", 0), sealed("a", 10)], True),  # what it was replaying lies before its own seal
        ([sealed("b", 50)], True),
        ([sealed("b", 70), sealed("c", 90)], True),
        ([sealed("b", 20)], False),
        ([sealed("a", 50), sealed("b", 20)], False),
        ([sealed("b", 0), sealed("b", 70)], False),  # b began anew, and renewed its seal later
    ],
)
def test_a_checkpoint_that_names_its_place_in_the_journal_needs_what_came_since(
    records: list[JournalRecord],
    same: bool,  # noqa: FBT001
) -> None:
    assert same_lineage(changed(CURSOR, journal=500), later(*records)) is same


def test_of_a_checkpoint_within_a_tick_a_successor_must_have_known_the_reviews_too() -> None:
    within = changed(CURSOR, journal=500, within=Within((9, "TEA-01@BER1"), 2, 3))
    for seal, same in ((sealed("b", 50), False), (sealed("b", 51), True)):
        assert same_lineage(within, later(seal)) is same
    for reviews, same in ((2, False), (3, True), (4, True)):
        assert same_lineage(within, later(changed(sealed("b", 50), reviews=reviews))) is same
