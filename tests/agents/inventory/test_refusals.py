"""What the state refuses, and what a refusal leaves as it was."""

from schemas.journal import Point, Refused
from schemas.ledger import Acknowledged, Configured, Counted, FoldSettings, Placed, Priced, Received, Terms
from schemas.refused import RefusedRecord
from stream.ports import Replay
from tests.fakes.folded_ledger import DAY, TEA, FoldedLedger, kinds


def test_in_quarantine_an_item_becomes_known_by_its_configuration() -> None:
    world = FoldedLedger(FoldSettings(unknown_items="quarantine"))
    for change in (Placed(1), Received(4), Priced(4.9, world.now), Acknowledged("rep-1", "accepted", 1)):
        assert kinds(world.happens(change)) == ["refused unknown_item"]
    assert len(world.core._shelf) == 0
    assert world.happens(Configured(Terms())) == []
    assert world.happens(Placed(1)) == []
    assert world.core.counters.refused == {"unknown_item": 4}


def test_a_flood_of_invented_names_is_bounded() -> None:
    world = FoldedLedger(FoldSettings(max_items=2))
    refused = [kinds(world.happens(Placed(1), f"SKU-{number}@BER1")) for number in range(4)]
    assert refused == [[], [], ["refused too_many_items"], ["refused too_many_items"]]
    assert world.happens(Placed(1), "SKU-1@BER1") == []


def test_a_dead_letter_carries_the_movement_its_origin_and_the_reason() -> None:
    world = FoldedLedger(FoldSettings(max_items=0))
    (refused,) = world.happens(Placed(1), id="ord-1")
    letter = refused.event
    assert isinstance(letter, RefusedRecord)
    assert (refused.topic, refused.item, refused.at.step) == ("dead-letters", TEA, 0)
    assert (letter.record.id, letter.record.feed, letter.appended) == ("ord-1", "orders-id/0", world.now)
    assert (letter.refusal.reason.value, bool(letter.refusal.cure)) == ("too_many_items", True)
    assert isinstance(refused.entry, Refused)


def test_a_refused_movement_leaves_only_its_mark() -> None:
    world = FoldedLedger()
    world.counts(9)
    world.passes(days=5)
    before = world.core.dump()
    world.happens(Counted(4, world.now - 3 * DAY))
    after = world.core.dump()
    assert {table for table in before if before[table] != after[table]} == {"shared"}
    assert {field for field, data in after["shared"].items() if before["shared"].get(field) != data} == {
        "feed orders-id/0"
    }


def test_replay_refuses_what_was_refused_and_nothing_else() -> None:
    world = FoldedLedger()
    world.happens(Placed(1))
    placed = world.folded[-1]
    strict, lenient = FoldedLedger(FoldSettings(max_items=0)), FoldedLedger()
    list(strict.core.fold(placed.record, 1, world.now, Replay((), whole=True)))
    assert len(strict.core._shelf) == 1, "it was taken then, whatever today's rules say"
    refused = Refused(Point(1), TEA, "unknown_item")
    list(lenient.core.fold(placed.record, 1, world.now, Replay((refused,), whole=True)))
    assert len(lenient.core._shelf) == 0, "it was refused then, whatever today's rules say"
