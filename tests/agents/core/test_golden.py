"""A shard of the version before: today's core reads its tables, and folds its ledger to the same outputs and tables.

Where the arithmetic of this machine is the arithmetic of the one that wrote the file (see `make.arithmetic`), all is
compared byte for byte. Elsewhere numpy, scipy or the C library may round the last digit otherwise: then floats are
compared to nine digits and the inner states of learners not at all, and everything else exactly.
"""

import gzip
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.core.core import Core
from agents.core.learning_state import decode_learning_state, encode_learning_state
from schemas.journal import JournalEntry
from schemas.ledger import decode_record
from stream.ports import Replay
from tests.agents.core.golden.make import arithmetic

BEFORE = Path(__file__).parent / "golden" / "before.msgpack.gz"
LEARNED = ("forecaster ", "policy ", "waits ")
"""Fields of the table `shared` that learners write as they please."""


class Middle(msgspec.Struct):
    """A checkpoint in the middle of the ledger."""

    next: int
    tables: dict[str, dict[str, bytes]]


class Golden(msgspec.Struct):
    """What the version before wrote."""

    arithmetic: str
    records: list[tuple[bytes, int, list[JournalEntry], list[Any]]]
    middle: Middle
    tables: dict[str, dict[str, bytes]]


@pytest.fixture(scope="module")
def golden() -> Golden:
    return msgspec.msgpack.decode(gzip.decompress(BEFORE.read_bytes()), type=Golden)


@pytest.fixture(scope="module")
def exact(golden: Golden) -> bool:
    return golden.arithmetic == arithmetic()


def fold(core: Core, golden: Golden, first: int, *, replay: bool) -> list[list[Any]]:
    """Fold the records from `first` on; answers with the outputs of each, as plain values."""
    made = []
    for offset, (data, appended, entries, _) in enumerate(golden.records[first:], first):
        told = Replay(tuple(entries), whole=True) if replay else None
        outputs = [o for o in core.fold(decode_record(data), offset, appended, told) if o is not None]
        made.append([(o.topic, o.item, o.at, o.review, o.event) for o in outputs])
    plainly: list[list[Any]] = msgspec.msgpack.decode(msgspec.msgpack.encode(made))
    return plainly


def loaded(tables: Mapping[str, Mapping[str, bytes]]) -> Core:
    core = Core(4)
    core.load(tables)
    return core


def assert_same(tables: Mapping[str, Mapping[str, bytes | None]], wanted: Mapping[str, Any], *, exact: bool) -> None:
    assert set(tables) == set(wanted)
    for table, fields in wanted.items():
        assert set(tables[table]) == set(fields), table
        for field, data in fields.items():
            if exact:
                assert tables[table][field] == data, (table, field)
            else:
                assert nearly(plain(table, field, tables[table][field]), plain(table, field, data)), (table, field)


def plain(table: str, field: str, data: Any) -> Any:
    """A stored field as plain values, without what learners keep to themselves."""
    if table == "items":
        return [data[:8], msgspec.msgpack.decode(data[8:])]
    if table == "minds":
        record, *learners = msgspec.msgpack.decode(data)
        return [record, [{name: version for name, (version, _) in of.items()} for of in learners]]
    if table == "shared":
        return None if field.startswith(LEARNED) else msgspec.msgpack.decode(data)
    return data


def nearly(one: Any, other: Any) -> bool:
    """Whether two plain values are equal, floats as far as nine digits."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(nearly, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(nearly(one[key], other[key]) for key in one)
    return bool(one == other)


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
        assert_same(core.dump(), tables, exact=True)
        for data in tables["minds"].values():
            assert encode_learning_state(decode_learning_state(data)) == data


@pytest.mark.parametrize("how", ["replayed", "decided anew"])
@pytest.mark.parametrize("begun", ["at the start", "at its checkpoint"])
def test_the_golden_ledger_folds_to_the_same_tables_and_outputs(
    golden: Golden, how: str, begun: str, *, exact: bool
) -> None:
    replay, restored = how == "replayed", begun == "at its checkpoint"
    core = loaded(golden.middle.tables) if restored else Core(4)
    first = golden.middle.next if restored else 0
    outputs = fold(core, golden, first, replay=replay)
    wanted = [outputs for *_, outputs in golden.records[first:]]
    if replay:
        assert not any(outputs)
    elif exact:
        assert outputs == wanted
    else:
        assert nearly(outputs, wanted)
    assert_same(core.dump(), golden.tables, exact=exact)
