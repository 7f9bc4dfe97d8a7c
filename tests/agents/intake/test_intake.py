"""Intake: what is written of each batch, in which order, and what happens when the writing fails."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from faust.types import TP

from agents.intake.intake import Intake
from schemas.codec import Event, Limits, decode, fingerprint, identity
from schemas.contract.examples import example
from schemas.dead_letter import DeadLetter
from schemas.inbound import INBOUND
from schemas.ledger import FoldSettings, Movement, Notice, Placed, Progress, Record, Ticked, decode_record
from schemas.topics import place
from stream.consumer.batch import Batch
from stream.consumer.feeds import SourceFeed
from stream.faults import BrokerDown
from stream.kafka.ledger_writer import Lines
from stream.kafka.publisher import Message
from stream.observability.instruments import Instruments
from tests.fakes.consumer import FakeConsumer
from tests.fakes.records import ConsumedRecord

PARTITIONS = 4
NOW = 1_773_200_000_000
"""When the broker received the events: after all of the examples."""
CANARY = "canary-Zoë-4711"


class RememberingWriter:
    """Keeps what is written; fails as often as it is asked to, keeping the first `kept` lines of each partition."""

    def __init__(self) -> None:
        self.ledger: dict[int, list[tuple[bytes | None, Record]]] = {p: [] for p in range(PARTITIONS)}
        self.letters: list[Message] = []
        self.failures: list[Exception] = []
        self.kept = 0
        self.feed: SourceFeed | None = None
        self.seen: list[int | None] = []

    async def write(self, lines: Lines, letters: Sequence[Message] = ()) -> None:
        failure = self.failures.pop(0) if self.failures else None
        self.seen.append(self.feed.next if self.feed else None)
        self.letters += letters
        for partition, records in lines.items():
            for line in records[: self.kept if failure else None]:
                self.ledger[partition].append((line[0], decode_record(line[1])))
        if failure is not None:
            raise failure

    def close(self) -> None:
        """There is nothing to close."""

    def movements(self) -> list[Movement]:
        """In the order of their origins."""
        found = [r for lines in self.ledger.values() for _, r in lines if isinstance(r, Movement)]
        return sorted(found, key=lambda each: (each.feed, each.offset, each.ordinal))


class IntakeUnderTest:
    """One intake with a writer that only remembers."""

    def __init__(self, privacy_key: Path | None = None) -> None:
        self.writer, self.consumer = RememberingWriter(), FakeConsumer()
        writer: Any = self.writer
        self.intake = Intake(
            writer=writer,
            instruments=Instruments(),
            logical=lambda topic: topic.removeprefix("eu."),
            dead_letters="eu.dead-letters",
            partitions=PARTITIONS,
            limits=Limits(),
            privacy_key=privacy_key,
        )
        self.ends: dict[TP, int] = {}

    async def feed(self, topic: str = "orders", partition: int = 0) -> SourceFeed:
        consumer: Any = self.consumer

        async def name(tp: TP) -> str:
            return f"{tp.topic}-id/{tp.partition}"

        feed = SourceFeed(TP(f"eu.{topic}", partition), name, consumer, Instruments())
        await feed._start
        self.writer.feed = feed
        return feed

    async def take(self, feed: SourceFeed, *values: bytes | None) -> Batch:
        """Hand the next records of a feed over."""
        start = self.ends.get(feed.tp, 0)
        self.ends[feed.tp] = start + len(values)
        batch = batch_of(feed.tp, start, *values)
        feed.handed()
        await self.intake.take_or_park(feed, batch)
        feed.receive(batch)
        return batch


def batch_of(tp: TP, start: int, *values: bytes | None) -> Batch:
    records = [ConsumedRecord(start + n, NOW + n, value, *tp, b"key") for n, value in enumerate(values)]
    return Batch(start, start + len(values), records)


def order(number: int, *items: str, **data: Any) -> bytes:
    """An order of some items, one line each."""
    lines = [
        {"line_id": f"{n}", "sku": item.partition("@")[0], "location": item.partition("@")[2], "quantity": n + 1}
        for n, item in enumerate(items)
    ]
    return event("order.placed", number, order_id=f"o{number}", lines=lines, **data)


def event(name: str, number: int, **data: Any) -> bytes:
    given = example(name)
    return json.dumps(given | {"id": f"e{number}", "data": given["data"] | data}).encode()


def items_of(partition: int, count: int) -> list[str]:
    """Names of items that are placed in a ledger partition."""
    names = (f"I{n}@B" for n in range(10_000))
    return [name for name in names if place(name, PARTITIONS) == partition][:count]


@pytest.fixture
def world() -> IntakeUnderTest:
    return IntakeUnderTest()


# What is written ------------------------------------------------------------------------------------------------------


async def test_a_movement_says_where_it_comes_from_and_what_it_is(world: IntakeUnderTest) -> None:
    value = order(7, "TEA@BER1", "MUG@BER1")
    await world.take(await world.feed("orders", 3), value)
    decoded = decode("orders", value, None, NOW)
    assert isinstance(decoded, Event)
    first, second = world.writer.movements()
    assert (first.item, first.feed, first.offset, first.ordinal) == ("TEA@BER1", "eu.orders-id/3", 0, 0)
    assert (second.item, second.offset, second.ordinal) == ("MUG@BER1", 0, 1)
    assert (first.source, first.id, first.event) == ("shop.example", "e7", identity("shop.example", "e7"))
    assert (first.body, first.time, first.appended) == (fingerprint(decoded), decoded.time_ms, NOW)
    assert isinstance(second.change, Placed)
    assert second.change.quantity == 2
    for partition, lines in world.writer.ledger.items():
        for key, record in lines:
            assert isinstance(record, Movement)
            assert (place(record.item, PARTITIONS), key) == (partition, record.item.encode())


async def test_prev_chains_what_one_feed_wrote_to_one_partition(world: IntakeUnderTest) -> None:
    a, b = items_of(0, 2)
    (c,) = items_of(1, 1)
    feed, other = await world.feed(), await world.feed("orders", 1)
    await world.take(feed, order(1, a), order(2, c, b, a))
    await world.take(other, order(3, a))
    await world.take(feed, order(4, c), order(5, b))
    chains = {
        (record.feed, partition, (record.offset, record.ordinal)): record.prev
        for partition, lines in world.writer.ledger.items()
        for _, record in lines
        if isinstance(record, Movement)
    }
    mine, its = "eu.orders-id/0", "eu.orders-id/1"
    assert chains == {
        (mine, 0, (0, 0)): None,
        (mine, 0, (1, 1)): (0, 0),
        (mine, 0, (1, 2)): (1, 1),
        (mine, 0, (3, 0)): (1, 2),
        (mine, 1, (1, 0)): None,
        (mine, 1, (2, 0)): (1, 0),
        (its, 0, (0, 0)): None,
    }


async def test_a_notice_goes_to_every_partition_and_belongs_to_the_chain(world: IntakeUnderTest) -> None:
    feed = await world.feed("catalog")
    (a,) = items_of(2, 1)
    sku, location = a.split("@")
    calendar = event("calendar.configured", 1)
    await world.take(feed, calendar, event("price.changed", 2, sku=sku, location=location), calendar)
    for partition, lines in world.writer.ledger.items():
        notices = [record for _, record in lines if isinstance(record, Notice)]
        assert [(notice.offset, notice.ordinal) for notice in notices] == [(0, 0), (2, 0)]
        assert [notice.prev for notice in notices] == [None, (1, 0) if partition == 2 else (0, 0)]
        assert all(key is None for key, record in lines if isinstance(record, Notice))
    [movement] = world.writer.movements()
    assert movement.prev == (0, 0)


async def test_a_topic_made_anew_while_its_last_batch_is_written_begins_anew(
    world: IntakeUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = await world.feed()
    write = world.writer.write

    async def write_slowly(*lines: Any) -> None:
        await write(*lines)
        feed.check(["another/0"])
        await feed._start

    monkeypatch.setattr(world.writer, "write", write_slowly)
    monkeypatch.setattr(feed, "_name", named_anew)
    await world.take(feed, order(1, "TEA@BER1"), order(2, "TEA@BER1"))
    assert (feed.name, feed.next, feed.last, feed.read_up_to) == ("another/0", 0, {}, None)


async def named_anew(_: TP) -> str:
    return "another/0"


async def test_every_type_is_written(world: IntakeUnderTest) -> None:
    for name, kind in INBOUND.items():
        feed = await world.feed(kind.topic)
        feed.next = 0
        world.ends.clear()
        await world.take(feed, event(name, 1))
    assert world.intake.verdicts == {(name, "accepted"): 1 for name in INBOUND}
    notices = {type(record.change).__name__ for _, record in world.writer.ledger[3] if isinstance(record, Notice)}
    assert notices == {"PromotionPlanned", "PromotionDropped", "SupplierChange", "ClassChange", "CalendarChange"}
    assert world.intake.movements == len(world.writer.movements())


async def test_what_is_refused_goes_to_the_dead_letters_with_its_origin_and_bytes(world: IntakeUnderTest) -> None:
    feed = await world.feed("orders", 2)
    broken = [b"{", b"", b'{"specversion": "1.0"}', event("price.changed", 4)]
    await world.take(feed, order(1, "TEA@B"), *broken, order(2, "TEA@B"))
    letters = [DeadLetter.from_record(m.key, m.value, list(m.headers)) for m in world.writer.letters]
    assert [letter.value for letter in letters] == broken
    assert [letter.reason for letter in letters] == ["not_json", "empty", "missing_field", "wrong_topic"]
    assert [letter.origin.offset for letter in letters] == [1, 2, 3, 4]
    for letter in letters:
        assert (letter.stage, letter.origin.topic, letter.origin.partition) == ("intake", "eu.orders", 2)
        assert letter.origin.appended_ms == NOW + letter.origin.offset
        assert letter.key == b"key"
    assert {(m.topic, m.partition) for m in world.writer.letters} == {("eu.dead-letters", -1)}
    assert [movement.offset for movement in world.writer.movements()] == [0, 5]
    assert (feed.next, world.intake.verdicts["none", "not_json"]) == (6, 1)


async def test_a_tombstone_is_neither_written_nor_refused(world: IntakeUnderTest) -> None:
    feed = await world.feed()
    await world.take(feed, None, None)
    assert (feed.next, world.writer.letters, world.writer.movements()) == (2, [], [])
    assert world.intake.verdicts == {("none", "tombstone"): 2}


async def test_a_batch_without_records_moves_the_feed_on(world: IntakeUnderTest) -> None:
    feed = await world.feed()
    await world.intake.take(feed, Batch(0, 17, ()))
    assert feed.next == 17


# Which part of a batch ------------------------------------------------------------------------------------------------


async def test_a_batch_that_starts_too_late_is_asked_for_again(world: IntakeUnderTest) -> None:
    feed = await world.feed()
    await world.intake.take(feed, batch_of(feed.tp, 5, order(1, "TEA@B")))
    assert (feed.next, world.writer.movements()) == (0, [])
    assert world.consumer.moves[-1] == (feed.tp, 0)


async def test_only_the_rest_of_a_batch_that_starts_too_early_is_written(world: IntakeUnderTest) -> None:
    feed = await world.feed()
    await world.take(feed, order(1, "TEA@B"), order(2, "TEA@B"))
    values = (order(1, "TEA@B"), order(2, "TEA@B"), order(3, "TEA@B"))
    await world.intake.take(feed, batch_of(feed.tp, 0, *values))
    await world.intake.take(feed, batch_of(feed.tp, 0, *values))
    assert [(m.offset, m.prev) for m in world.writer.movements()] == [(0, None), (1, (0, 0)), (2, (1, 0))]
    assert feed.next == 3


# Failures -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [0, 1, 2])
async def test_after_a_failed_delivery_the_batch_is_written_again_as_a_new_run(
    world: IntakeUnderTest, kept: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever part of the first try arrived, the second begins a new run and is complete."""
    a, b = items_of(0, 2)
    feed = await world.feed()
    await world.take(feed, order(1, a))
    world.writer.kept = kept
    world.writer.failures = [BrokerDown("a record expired")] * 3
    await world.take(feed, order(2, b, a), order(3, a))
    written = [record for _, record in world.writer.ledger[0] if isinstance(record, Movement)]
    last_run = [(m.offset, m.ordinal, m.prev) for m in written[-3:]]
    assert last_run == [(1, 0, None), (1, 1, (1, 0)), (2, 0, (1, 1))]
    assert len(written) == 1 + 3 * kept + 3
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 1
    await world.take(feed, order(4, a))
    assert world.writer.movements()[-1].prev == (2, 0), "the new run goes on"


async def test_nothing_is_committable_before_it_is_acknowledged(world: IntakeUnderTest) -> None:
    feed = await world.feed()
    world.writer.failures = [BrokerDown("away")] * 2
    await world.take(feed, order(1, "TEA@B"), b"{")
    assert world.writer.seen == [0, 0, 0]
    assert feed.committable == 2


async def test_dead_letters_of_a_batch_may_come_again_and_name_their_origin(world: IntakeUnderTest) -> None:
    feed = await world.feed()
    world.writer.failures = [BrokerDown("away")]
    await world.take(feed, b"{")
    letters = [DeadLetter.from_record(m.key, m.value, list(m.headers)) for m in world.writer.letters]
    assert [letter.origin.offset for letter in letters] == [0, 0]
    assert world.intake.verdicts == {("none", "not_json"): 1}, "what came twice is counted once"


async def test_a_bug_that_comes_twice_parks_its_feed_and_no_other(
    world: IntakeUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    feed, other = await world.feed(), await world.feed("stock")
    await world.take(feed, order(1, "TEA@B"))
    for _ in range(2):
        world.writer.failures = [ZeroDivisionError("a bug")]
        world.ends[feed.tp] = 1
        await world.take(feed, order(2, "TEA@B"))
    assert feed.parked is not None
    assert (feed.wanted, feed.next) == (False, 1)
    assert world.consumer.moves[-1] == (feed.tp, 1)
    await world.take(other, event("stock.counted", 3))
    assert (other.parked, other.next) == (None, 1)
    assert [r.levelno for r in caplog.records if r.levelno > logging.ERROR] == [logging.CRITICAL]


async def test_a_bug_that_does_not_come_again_parks_nothing(world: IntakeUnderTest) -> None:
    feed = await world.feed()
    for number in (1, 2):
        world.writer.failures = [ZeroDivisionError("a bug")]
        world.ends[feed.tp] = feed.next or 0
        await world.take(feed, order(number, "TEA@B"))
        world.ends[feed.tp] = feed.next or 0
        await world.take(feed, order(number, "TEA@B"))
    assert (feed.parked, feed.next) == (None, 2)


# Ticks ----------------------------------------------------------------------------------------------------------------


async def test_a_tick_reports_to_every_partition_how_far_each_feed_is(world: IntakeUnderTest) -> None:
    (a,) = items_of(1, 1)
    feed, quiet = await world.feed("orders", 0), await world.feed("orders", 1)
    world.consumer.ends = {feed.tp: 3, quiet.tp: 0}
    await world.take(feed, order(1, a), b"{")
    settings = FoldSettings(spread_ms=5)
    feeds = ("eu.orders-id/0", "eu.orders-id/1", "y/0")
    await world.intake.tick([feed, quiet], feeds, NOW, settings)
    for partition, lines in world.writer.ledger.items():
        key, tick = lines[-1]
        assert isinstance(tick, Ticked)
        assert (key, tick.now, tick.feeds, tick.settings) == (None, NOW, feeds, settings)
        time = 1_772_446_500_000
        prev = (0, 0) if partition == 1 else None
        assert tick.progress == (
            Progress("eu.orders-id/0", 2, time, drained=False, prev=prev),
            Progress("eu.orders-id/1", 0, None, drained=True, prev=None),
        )
    await world.take(feed, order(2, a))
    await world.intake.tick([feed], feeds, None, settings)
    _, later = world.writer.ledger[0][-1]
    assert isinstance(later, Ticked)
    assert (later.now, later.progress[0].drained, later.progress[0].position) == (None, True, 3)
    _, first = world.writer.ledger[0][-2]
    assert isinstance(first, Ticked)
    assert first.writer == later.writer


async def test_the_greatest_event_time_is_reported_and_never_falls(world: IntakeUnderTest) -> None:
    feed = await world.feed()
    moments = ["2026-03-02T10:00:00+00:00", "2026-03-02T12:00:00+00:00", "2026-03-01T00:00:00+00:00"]
    times = []
    for number, moment in enumerate(moments):
        given = json.loads(order(number, "TEA@B")) | {"time": moment}
        await world.take(feed, json.dumps(given).encode())
        times.append(feed.read_up_to)
    assert times == [1_772_445_600_000, 1_772_452_800_000, 1_772_452_800_000]


async def test_a_feed_that_has_not_begun_is_not_reported(world: IntakeUnderTest) -> None:
    feed = await world.feed()
    feed.next = None
    await world.intake.tick([feed], [], NOW, FoldSettings())
    _, tick = world.writer.ledger[0][-1]
    assert isinstance(tick, Ticked)
    assert tick.progress == ()


# Privacy --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, b"secret"])
async def test_a_customer_is_in_no_ledger_no_header_and_no_log(
    tmp_path: Path,
    key: bytes | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "key"
    file.write_bytes(key or b"")
    world = IntakeUnderTest(file if key else None)
    feed = await world.feed()
    world.writer.failures = [BrokerDown("away"), ZeroDivisionError("a bug")]
    values = [
        order(1, "TEA@B", customer=CANARY),
        order(2, "TEA@B", customer=CANARY * 20),  # longer than a customer may be
        order(3, customer=CANARY),  # without lines
        order(4, "TEA@B", customer={"name": CANARY}),
        order(5, "TEA@B", customer=CANARY)[:-2],
    ]
    await world.take(feed, *values)
    await world.intake.take_or_park(feed, batch_of(feed.tp, 0, *values))
    assert len(world.writer.letters) >= 4
    placed = [movement.change for movement in world.writer.movements()]
    customers = {change.customer for change in placed if isinstance(change, Placed)}
    assert len(customers) == 1
    assert (customers == {None}) == (key is None)
    headers = [m.headers for m in world.writer.letters]
    shown = repr((world.writer.ledger, headers, caplog.text, feed.parked, world.intake.verdicts))
    for form in (CANARY, CANARY.encode().hex(), json.dumps(CANARY)[1:-1], "Zoë", "canary", "secret"):
        assert form not in shown
    assert any(CANARY.encode() in (m.value or b"") or b"canary" in (m.value or b"") for m in world.writer.letters)


async def test_the_same_customer_under_the_same_key_is_the_same_number(tmp_path: Path) -> None:
    numbers = []
    for content in (b"secret", b"secret", b"other"):
        key = tmp_path / "key"
        key.write_bytes(content)
        world = IntakeUnderTest(key)
        await world.take(await world.feed(), order(1, "TEA@B", customer=CANARY))
        [movement] = world.writer.movements()
        assert isinstance(movement.change, Placed)
        numbers.append(movement.change.customer)
    assert numbers[0] == numbers[1] != numbers[2]
