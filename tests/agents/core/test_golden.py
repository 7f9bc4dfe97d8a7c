"""A shard of the version before: today's core replays its ledger and journal to the same facts.

Its checkpoint is of layout 1, which a worker of today makes anew in just that way.

What learners know and what they would decide may change from one version to the next; what warehouses were sent, and
where stock stands, may not.
"""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.core.core import Core
from schemas.journal import JournalEntry
from schemas.ledger import decode_record
from stream.ports import Replay

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


def replay(core: Core, golden: Golden) -> None:
    """Fold every record as the journal has it; nothing is published."""
    for offset, (data, appended, entries, _) in enumerate(golden.records):
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
        orders = [(each.id, each.status, each.quantity, each.outstanding, each.received) for each in item.orders]
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


def test_the_golden_journal_is_replayed_to_the_same_facts(golden: Golden) -> None:
    core = Core(4)
    replay(core, golden)
    assert facts_of(core) == facts_of(loaded(golden.tables))
