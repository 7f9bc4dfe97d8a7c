"""Compares Redis with the fold of ledger and journal, field by field: the two must be equal whatever has happened (I6).

A worker may go on meanwhile: Redis is read in slices, each together with the place it stands at, and the fold stops
at each of these places to compare. The journal is read last, so it reaches further than any slice.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

import msgspec

from schemas.ledger import decode_record
from stream.checkpoint.store import TABLES, RedisStore
from stream.kafka.journal import KafkaJournal
from stream.kafka.ledger import KafkaLedger
from stream.ports import Place, ShardCore, Tables
from stream.shard.refold import Refold

SLICE = 1000
_OVER = object()
"""What follows the last step of a record."""


class Verdict(msgspec.Struct, frozen=True):
    """The result of one shard's audit."""

    partition: int
    offset: int | None
    """The offset of the last slice; None without a checkpoint."""
    equal: bool
    first_difference: str | None = None


class Slice(msgspec.Struct, frozen=True):
    """Some fields of a table as Redis held them at one place."""

    at: Place
    table: str
    fields: Mapping[str, bytes | None]


async def audit(shard: int, core: ShardCore, store: RedisStore, ledger: KafkaLedger, journal: KafkaJournal) -> Verdict:
    """Compare one shard."""
    slices = [each async for each in _slices(shard, store)]
    if not slices:
        view = await ledger.view(shard)
        empty = view.end <= 1  # a ledger that was only begun needs no checkpoint
        return Verdict(shard, None, empty, None if empty else "there is no checkpoint")
    return await asyncio.to_thread(_compare, shard, Refold(core, journal.records(shard)), slices, ledger)


async def _slices(shard: int, store: RedisStore) -> AsyncIterator[Slice]:
    for table in TABLES:
        names = await store.fields(shard, table)
        for start in range(0, len(names), SLICE):
            some = names[start : start + SLICE]
            at, values = await store.look(shard, table, some)
            if at is not None:
                yield Slice(at, table, dict(zip(some, values, strict=True)))


def _compare(shard: int, refold: Refold, slices: Sequence[Slice], ledger: KafkaLedger) -> Verdict:
    states = _fold_to(refold, shard, sorted({each.at for each in slices}), ledger)
    first = None
    for at, state in states:
        here = [each for each in slices if each.at == at]
        first = first or next(_differences(here, state), None)
    if first is None and len({each.at for each in slices}) == 1:
        first = next(_missing(slices, state), None)
    return Verdict(shard, slices[-1].at.next, first is None, first)


def _fold_to(refold: Refold, shard: int, stops: Sequence[Place], ledger: KafkaLedger) -> Iterator[tuple[Place, Tables]]:
    """Fold to each of these places, and yield the state there."""
    reached = 0
    begun: Iterator[object] = iter(())
    for stop in stops:
        if stop.next >= reached:
            _exhaust(begun)
        for record in ledger.records(shard, reached, stop.next + (stop.reviews > 0)):
            begun = iter(refold.steps(decode_record(record.value), record.offset, record.timestamp))
            reached = record.offset + 1
            if record.offset < stop.next:
                _exhaust(begun)
        while stop.reviews and (refold.core.within is None or refold.core.within.count < stop.reviews):
            if next(begun, _OVER) is _OVER:
                break
        yield stop, refold.core.dump()


def _exhaust(steps: Iterator[object]) -> None:
    for _ in steps:
        pass


def _differences(slices: Sequence[Slice], state: Tables) -> Iterator[str]:
    for each in slices:
        expected = state.get(each.table, {})
        for field, found in each.fields.items():
            if found != expected.get(field):
                yield _describe(each.table, field, found, expected.get(field), each.at.next)


def _missing(slices: Sequence[Slice], state: Tables) -> Iterator[str]:
    found = {(each.table, field) for each in slices for field in each.fields}
    for table, fields in state.items():
        for field in fields:
            if (table, field) not in found:
                yield f"{table} {field!r}: missing in Redis at ledger offset {slices[0].at.next}"


def _describe(table: str, field: str, found: bytes | None, expected: bytes | None, at: int) -> str:
    def size(value: bytes | None) -> str:
        return "nothing" if value is None else f"{len(value)} bytes"

    place = next((i for i, (a, b) in enumerate(zip(found or b"", expected or b"", strict=False)) if a != b), None)
    where = "" if place is None else f", from byte {place} on"
    return f"{table} {field!r}: Redis has {size(found)}, the ledger says {size(expected)}{where}; ledger offset {at}"
