"""Traces: one order's way from its producer through intake and shard to the replenishment, and what never changes."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from faust.types import TP
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agents.core.core import Core
from agents.worker.tracing import TracedParts, with_spans
from schemas.codec import Limits, encode
from schemas.contract.examples import example
from schemas.ledger import FoldSettings, LedgerCreated, Record, decode_record
from schemas.quantities import instant
from stream.consumer.batch import Batch
from stream.consumer.feeds import SourceFeed
from stream.faults import BrokerDown, Unclear
from stream.in_memory import MemoryBroker, MemoryPublisher, MemoryStore
from stream.kafka.ledger_writer import Lines
from stream.kafka.publisher import Message
from stream.observability.instruments import Instruments
from stream.observability.tracing import MOST_ITEMS, MOST_LINKS, Tracing, traceparent
from stream.ports import Output
from stream.shard.dependencies import Ports
from stream.shard.shard import Shard
from tests.fakes.consumer import FakeConsumer
from tests.fakes.folded_ledger import DAY, HOUR, T0, TEA
from tests.fakes.records import ConsumedRecord

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PRODUCER = f"00-{TRACE}-{SPAN}-01"
ITEM = {"sku": "TEA-01", "location": "BER1"}
SETTINGS = FoldSettings(lateness_ms=0)


class TracedWorld:
    """Intake and one shard over a broker in memory, with the spans they export."""

    def __init__(self, share: float = 1.0, *, traced: bool = True) -> None:
        self.exporter = InMemorySpanExporter()
        self.tracing = Tracing(SimpleSpanProcessor(self.exporter), "shop", share)
        self.parts = with_spans(self.tracing) if traced else TracedParts()
        self.broker, self.store = MemoryBroker(), MemoryStore()
        self.failures: list[Exception] = []
        self.ledger: list[ConsumedRecord] = []
        self.letters: list[Message] = []
        self.now = T0
        self.feeds: dict[str, SourceFeed] = {}
        self.ends: dict[str, int] = {}
        self.consumer = FakeConsumer()
        self.intake = self.parts.intake(
            writer=self, instruments=Instruments(), logical=str, dead_letters="dead-letters", partitions=1,
            limits=Limits(),
        )  # fmt: skip
        self.intake._name = "w"
        self._append(None, LedgerCreated("k3f9", "restock", 0, 1, SETTINGS))

    # As the writer of the ledger

    async def write(self, lines: Lines, letters: Sequence[Message] = ()) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.letters += letters
        for line in lines.get(0, ()):
            self._append(line[0], decode_record(line[1]), line[2])

    def _append(self, key: bytes | None, record: Record, headers: Any = None) -> None:
        offset = self.broker.append(0, record, self.now)
        value = self.broker.ledgers[0][offset][1]
        self.ledger.append(ConsumedRecord(offset, self.now, value, "ledger", 0, key, tuple(headers or ())))

    # What happens

    async def comes(
        self, name: str, identity: str, *, header: str | None = None, trace: str | None = None, **data: Any
    ) -> None:
        """An event comes in, with the trace of its producer in a header or in its attribute."""
        self.now += HOUR
        given: dict[str, Any] = example(name)
        topic = {"order": "orders", "item": "catalog"}.get(name.partition(".")[0], "stock")
        about = {"id": identity, "time": instant(self.now)} | ({"traceparent": trace} if trace else {})
        value = json.dumps(given | about | {"data": given["data"] | data}).encode()
        await self.takes(topic, value, header)

    async def takes(self, topic: str, value: bytes, header: str | None = None) -> None:
        feed, offset = await self._feed(topic), self.ends.get(topic, 0)
        self.ends[topic] = self.consumer.ends[feed.tp] = offset + 1
        headers = (("traceparent", header.encode()),) if header else ()
        record = ConsumedRecord(offset, self.now, value, topic, 0, b"key", headers)
        await self.intake.take(feed, Batch(offset, offset + 1, [record]))

    async def orders(self, identity: str, quantity: int, **trace: str) -> None:
        lines = [{"line_id": "1", "quantity": quantity, **ITEM}]
        await self.comes("order.placed", identity, order_id=identity, lines=lines, **trace)

    async def opens(self) -> None:
        """An item that is ordered at 10 up to 60, and 20 of it."""
        await self.comes("item.configured", "cfg", reorder_point=10, order_up_to=60, low_stock=3, **ITEM)
        await self.comes("stock.received", "rec", receipt_id="rec", accepted=20, rejected=0, final=True, **ITEM)
        await self.a_day_passes()

    async def a_day_passes(self) -> None:
        self.now = (self.now // DAY + 1) * DAY + HOUR
        feeds = list(self.feeds.values())
        await self.intake.tick(feeds, [feed.name for feed in feeds], self.now, SETTINGS)

    async def _feed(self, topic: str) -> SourceFeed:
        if topic not in self.feeds:
            consumer: Any = self.consumer

            async def name(tp: TP) -> str:
                return f"{tp.topic}-id/{tp.partition}"

            self.feeds[topic] = feed = SourceFeed(TP(topic, 0), name, consumer, Instruments())
            await feed._start
        return self.feeds[topic]

    # What comes of it

    async def fold(self, shard: Shard | None = None, publisher: type[MemoryPublisher] = MemoryPublisher) -> Shard:
        """Take the shard, and fold what there is."""
        ports = Ports(
            core=lambda number: Core(number, "k3f9"), store=self.store, publisher=lambda n: publisher(self.broker, n),
            journal=self.broker, ledger=self.broker, instruments=Instruments(),
        )  # fmt: skip
        if shard is None:
            shard = self.parts.shard(0, ports, "1.0")
            await shard.take()
        await shard.work(Batch(shard.next, len(self.ledger), self.ledger[shard.next :]))
        return shard

    @property
    def outputs(self) -> list[Output]:
        return self.broker.outputs[0]

    def output(self, topic: str) -> Output:
        return [output for output in self.outputs if output.topic == topic][-1]

    def spans(self, name: str | None = None) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if name in {None, span.name}]

    def span(self, name: str) -> ReadableSpan:
        [found] = self.spans(name)
        return found


def identity(span: ReadableSpan) -> str:
    return f"{span.context.span_id:016x}"


def parent(span: ReadableSpan) -> str | None:
    return f"{span.parent.span_id:016x}" if span.parent else None


def began(span: ReadableSpan) -> int:
    assert span.start_time is not None
    return span.start_time


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


@pytest.mark.parametrize("way", ["header", "trace"])
async def test_an_order_is_followed_from_its_producer_to_the_replenishment(way: str) -> None:
    world = TracedWorld(share=0.0)
    await world.opens()
    await world.orders("o-1", 12, **{way: PRODUCER})
    await world.fold()
    steps = [world.span(name) for name in ("process orders", "fold", "publish replenishments")]
    assert {f"{step.context.trace_id:032x}" for step in steps} == {TRACE}
    assert [parent(step) for step in steps] == [SPAN, *map(identity, steps[:2])]
    assert world.output("replenishments").traceparent == f"00-{TRACE}-{identity(steps[2])}-01"
    assert len(world.spans()) == 3, "others are not traced"

    intake, fold, publish = map(attributes, steps)
    assert (intake["messaging.destination.name"], intake["messaging.kafka.offset"]) == ("orders", 0)
    assert intake["restock.event.id"] == "o-1"
    assert (fold["restock.item"], fold["restock.change"], fold["restock.shard"]) == (TEA, "Placed", 0)
    assert publish["restock.output.id"] == world.output("replenishments").event.id
    assert sorted(steps, key=began) == steps


async def test_a_replenishment_is_linked_to_the_orders_since_the_last_review() -> None:
    world = TracedWorld()
    await world.opens()
    for number in range(3):
        await world.orders(f"o-{number}", 4)
    await world.fold()
    folds = [span for span in world.spans("fold") if attributes(span)["restock.change"] == "Placed"]
    publish = world.span("publish replenishments")
    assert [link.context.span_id for link in publish.links] == [span.context.span_id for span in folds]
    assert len({span.context.trace_id for span in folds}) == 3
    assert publish.context.trace_id == folds[2].context.trace_id


async def test_a_review_is_a_trace_of_its_own_linked_to_the_orders_since_the_last_one() -> None:
    world = TracedWorld(share=0.0)
    await world.opens()
    await world.orders("o-1", 1, header=PRODUCER)
    await world.orders("o-2", 1)
    await world.a_day_passes()
    shard = await world.fold()
    review = world.span("review")
    assert review.parent is None
    assert [f"{link.context.trace_id:032x}" for link in review.links] == [TRACE]
    publish = world.span("publish reviews")
    assert parent(publish) == identity(review)
    assert world.output("reviews").traceparent == f"00-{review.context.trace_id:032x}-{identity(publish)}-01"
    assert review.end_time is not None
    assert began(review) <= began(publish)

    await world.a_day_passes()
    await world.fold(shard)
    assert len([output for output in world.outputs if output.topic == "reviews"]) == 3
    assert world.output("reviews").traceparent is None
    assert len(world.spans("review")) == 1, "no order whose trace is kept contributed, and no share is wanted"


async def test_a_trace_that_its_producer_does_not_keep_is_passed_on_and_not_kept() -> None:
    world = TracedWorld()
    await world.opens()
    seen = len(world.spans())
    await world.orders("o-1", 12, header=PRODUCER[:-2] + "00")
    await world.fold()
    said = world.output("replenishments").traceparent
    assert said is not None
    assert said.startswith(f"00-{TRACE}-")
    assert said.endswith("-00")
    assert not [span for span in world.spans()[seen:] if f"{span.context.trace_id:032x}" == TRACE]


async def test_without_a_share_and_a_producers_trace_nothing_carries_a_header() -> None:
    world = TracedWorld(share=0.0)
    await world.opens()
    await world.orders("o-1", 12)
    await world.orders("o-2", 1, header="no traceparent")
    await world.fold()
    assert [record.headers for record in world.ledger] == [()] * len(world.ledger)
    assert world.output("replenishments").traceparent is None
    assert world.spans() == []


async def test_a_refused_event_has_a_span_that_says_why_and_nothing_of_it() -> None:
    world = TracedWorld()
    await world.takes("orders", b'{"id": "zoe@example.org"', PRODUCER)
    span = world.span("process orders")
    assert attributes(span)["restock.refused"] == "not_json"
    assert not span.status.is_ok
    assert parent(span) == SPAN
    assert "zoe" not in span.to_json()
    assert len(world.letters) == 1


async def test_what_is_written_published_and_stored_does_not_depend_on_traces() -> None:
    worlds = TracedWorld(), TracedWorld(traced=False)
    for world in worlds:
        await world.opens()
        await world.orders("o-1", 12, header=PRODUCER)
        await world.orders("o-2", 3, trace=PRODUCER)
        await world.a_day_passes()
        shard = await world.fold()
        await shard.save_all()
    traced, plain = worlds
    assert traced.broker.ledgers == plain.broker.ledgers
    assert [encode(output.event) for output in traced.outputs] == [encode(output.event) for output in plain.outputs]
    assert all(output.traceparent is None for output in plain.outputs)
    assert all(output.traceparent is not None for output in traced.outputs)
    assert len(traced.outputs) > 3
    assert traced.store.tables == plain.store.tables
    assert all(
        "traceparent" in json.loads(encode(output.event)) for output in plain.outputs if "o-2" in output.event.id
    )


# Faults ---------------------------------------------------------------------------------------------------------------


async def test_a_batch_that_is_written_again_has_one_span(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.retry.FIRST_SECONDS", 0.001)
    world = TracedWorld()
    world.failures = [BrokerDown("away"), BrokerDown("away")]
    await world.orders("o-1", 1)
    assert world.failures == []
    assert len(world.spans("process orders")) == 1
    assert len(world.ledger) == 2


async def test_what_was_published_is_replayed_without_spans() -> None:
    world = TracedWorld()
    await world.opens()
    await world.orders("o-1", 12)
    await world.fold()
    before, published = len(world.spans()), len(world.outputs)
    await world.fold()
    assert (len(world.spans()), len(world.outputs)) == (before, published)


async def test_what_is_folded_again_makes_the_same_spans() -> None:
    """The first owner dies between folding and publishing."""

    class Dying(MemoryPublisher):
        async def publish(self, outputs: Sequence[Output], record: Any) -> int:
            if outputs:
                raise Unclear("killed")
            return await super().publish(outputs, record)

    world = TracedWorld()
    await world.opens()
    await world.orders("o-1", 12)
    with pytest.raises(Unclear):
        await world.fold(publisher=Dying)
    assert world.spans("publish replenishments") == [], "nothing was published"
    folded = {identity(span) for span in world.spans("fold")}
    await world.fold()
    assert {identity(span) for span in world.spans("fold")} == folded
    assert len(world.spans("publish replenishments")) == 1
    assert len(world.span("publish replenishments").links) == 1


# Bounds ---------------------------------------------------------------------------------------------------------------


def test_links_are_bounded_by_number_and_by_items() -> None:
    tracing = TracedWorld().tracing
    spans = [tracing.start("fold", 0, f"{number}", None, {}) for number in range(MOST_LINKS + 5)]  # type: ignore[arg-type]
    for span in spans:
        tracing.ordered("I0", span)
    assert [link.context.span_id for link in tracing.links("I0")] == [
        span.get_span_context().span_id for span in spans[-MOST_LINKS:]
    ]
    for number in range(1, MOST_ITEMS + 1):
        tracing.ordered(f"I{number}", spans[0])
    assert tracing.links("I0") == []
    assert len(tracing.links(f"I{MOST_ITEMS}")) == 1
    assert traceparent(spans[0]).count("-") == 3


WITHOUT_THE_EXTRA = """
import sys

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NotInstalled())
"""
WITHOUT_TRACES = """
import sys
OURS = ("agents.", "stream.", "schemas.", "opentelemetry.exporter")
from agents.worker.app import put_together
from agents.worker.tracing import TracedParts, parts_of
from stream.settings import Settings
assert parts_of(Settings()) == TracedParts(), parts_of(Settings())
print(*[name for name in sys.modules if name.startswith(OURS) and "trac" in name])
"""
WITH_TRACES = """
from agents.worker.tracing import parts_of
from stream.settings import Settings
parts_of(Settings(traces="http://me:secret@collector:4318"))
"""


def program(text: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("before", [WITHOUT_THE_EXTRA, ""], ids=["without the extra", "with the extra"])
def test_a_worker_without_traces_has_the_plain_parts_and_imports_no_other(before: str) -> None:
    done = program(before + WITHOUT_TRACES)
    assert (done.stdout, done.stderr) == ("agents.worker.tracing\n", "")


def test_traces_without_the_extra_are_refused_with_the_cure() -> None:
    said = program(WITHOUT_THE_EXTRA + WITH_TRACES).stderr.splitlines()[-1]
    assert "WrongUse: RESTOCK_TRACES=http://me:***@collector:4318 needs OpenTelemetry: install restock with" in said
