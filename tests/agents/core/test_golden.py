"""A shard of the version before: today's core reads its tables, and replays its journal to the same facts.

What learners know and what they would decide may change from one version to the next; what warehouses were told, and
where stock stands, may not.
"""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.core.core import Core
from agents.core.learning_state import decode_learning_state, encode_learning_state
from agents.inventory.stored_item import decode_item
from schemas.journal import JournalEntry
from schemas.ledger import decode_record
from stream.ports import Replay

WAKE = 8
"""Bytes before an item that say when it wants attention next."""
BEFORE = Path(__file__).parent / "golden" / "before.msgpack.gz"


class Middle(msgspec.Struct):
    """A checkpoint in the middle of the ledger."""

    next: int
    tables: dict[str, dict[str, bytes]]


class Golden(msgspec.Struct):
    """What the version before wrote."""

    records: list[tuple[bytes, int, list[JournalEntry], list[Any]]]
    middle: Middle
    tables: dict[str, dict[str, bytes]]


@pytest.fixture(scope="module")
def golden() -> Golden:
    return msgspec.msgpack.decode(gzip.decompress(BEFORE.read_bytes()), type=Golden)


def replay(core: Core, golden: Golden, first: int) -> None:
    """Fold the records from `first` on as the journal has them; nothing is published."""
    for offset, (data, appended, entries, _) in enumerate(golden.records[first:], first):
        outputs = core.fold(decode_record(data), offset, appended, Replay(tuple(entries), whole=True))
        assert not [output for output in outputs if output is not None]


def loaded(tables: Mapping[str, Mapping[str, bytes]]) -> Core:
    core = Core(4)
    core.load(tables)
    return core


def facts_of(core: Core) -> dict[str, Any]:
    """What ledger and journal alone determine of each item: stock, open orders, open alerts, sums of units."""
    found = {}
    for name in sorted(core.dump()["items"]):
        card = core._shelf.find(name)
        assert card is not None
        item = card.item
        # An order of the version before does not know what was asked for first.
        orders = [msgspec.structs.replace(order, asked=0) for order in item.orders]
        found[name] = (item.net, item.reserved, item.on_order, orders, item.alerts, item.totals, item.known)
    return found


def test_the_golden_ledger_holds_what_a_shard_comes_across(golden: Golden) -> None:
    tables = golden.tables
    topics = {topic for *_, outputs in golden.records for topic, *_ in outputs}
    assert topics == {"alerts", "dead-letters", "replenishments", "reviews"}
    kinds = "about calendar clock feed forecaster gauges notices policy promotion supplier waits"
    assert {field.split(" ")[0] for field in tables["shared"]} >= set(kinds.split())
    assert {field.split("\x00")[1][0] for field in tables["pages"]} == {"d", "h", "r", "t"}
    assert len(tables["items"]) == len(tables["minds"]) == 7


def test_what_it_stored_is_read_and_written_alike(golden: Golden) -> None:
    for tables in (golden.middle.tables, golden.tables):
        core = loaded(tables)
        for item in tables["items"]:  # a card that nobody looks at is never decoded
            assert core._shelf.find(item) is not None
        written = core.dump()
        # Items, their open orders and suppliers have more fields by now, which an older one gets by default.
        assert {**written, "items": None, "shared": None} == {**tables, "items": None, "shared": None}
        assert written["shared"].keys() == tables["shared"].keys()
        for field, data in tables["shared"].items():
            again = written["shared"][field]
            if field.startswith("supplier "):
                assert msgspec.msgpack.decode(again) == [*msgspec.msgpack.decode(data), None, None]
            else:
                assert again == data
        for name, data in tables["items"].items():
            again = written["items"][name]
            assert again[:WAKE] == data[:WAKE]
            assert decode_item(again[WAKE:]) == decode_item(data[WAKE:])
        for data in tables["minds"].values():
            assert encode_learning_state(decode_learning_state(data)) == data


@pytest.mark.parametrize("begun", ["at the start", "at its checkpoint"])
def test_the_golden_journal_is_replayed_to_the_same_facts(golden: Golden, begun: str) -> None:
    restored = begun == "at its checkpoint"
    core = loaded(golden.middle.tables) if restored else Core(4)
    replay(core, golden, golden.middle.next if restored else 0)
    assert facts_of(core) == facts_of(loaded(golden.tables))
