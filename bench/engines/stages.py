"""Processor time by stage, of one process and without servers: what a line costs on its way, and what a review does.

The code is a worker's own, from the events of a shop to ledger records, folded state, encoded outputs and checkpoints.
What clients of Kafka and Redis take is not in it.
"""

import asyncio
import gc
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from operator import length_hint
from typing import Any, NamedTuple, Self, cast

from faust.types import TP

from agents.core.core import Core
from agents.intake.intake import Intake
from agents.worker.output_encoder import OutputEncoder
from bench.engines.shop import LoadShop
from schemas.codec import Limits, decode
from schemas.journal import Point, Published, encode_journal
from schemas.ledger import FoldSettings, LedgerCreated, Progress, Ticked, decode_record
from stream.checkpoint.store import encode_arguments
from stream.consumer.batch import Batch
from stream.kafka.ledger_writer import Lines
from stream.observability.instruments import Instruments
from stream.ports import Output
from stream.shard.shard import RUN

PARTITIONS = 12
ORDERS_AT_A_TIME = 2_500
CHECKPOINT_EVERY = 5_000
"""Records of a shard between two checkpoints, about as many as with a backlog."""


class Loaded(NamedTuple):
    """A record as the broker hands it out."""

    offset: int
    timestamp: int
    value: bytes
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class LoadedFeed:
    """A source feed that is in memory, as intake knows one."""

    last_on_its_way = True
    last: Mapping[int, tuple[int, int]]

    def __init__(self, topic: str) -> None:
        self.tp, self.name, self.next, self.read_up_to, self.last = TP(topic, 0), f"{topic}-id/0", 0, 0, {}

    def check(self, names: Iterable[str]) -> None:
        """Nobody makes this topic anew."""

    def end_run(self) -> None:
        """What is written here arrives."""

    def advance(self, _: str, end: int, last: Mapping[int, tuple[int, int]], read_up_to: int | None) -> None:
        """Move on."""
        self.next, self.last, self.read_up_to = end, last, read_up_to or 0

    def progress(self, partition: int) -> Progress:
        """How far it is."""
        return Progress(self.name, self.next, self.read_up_to, drained=True, prev=self.last.get(partition))


class _Ledger:
    """What intake has written and nobody has folded, by partition."""

    def __init__(self) -> None:
        self.lines: defaultdict[int, list[bytes]] = defaultdict(list)

    async def write(self, lines: Lines, _letters: Sequence[Any] = ()) -> None:
        """Keep the values."""
        for partition, records in lines.items():
            self.lines[partition] += [record[1] for record in records]


class Stages:
    """One pass of a load through all stages; `seconds` of processor time by stage."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.lines = self.reviews = self.outputs = 0
        self._ledger = _Ledger()
        self._intake = Intake(
            writer=cast("Any", self._ledger), instruments=Instruments(), logical=str, dead_letters="dead-letters",
            partitions=PARTITIONS, limits=Limits(),
        )  # fmt: skip
        self._feeds = {topic: LoadedFeed(topic) for topic in ("catalog", "stock", "orders")}
        self._settings = FoldSettings()
        self._cores = [Core(partition) for partition in range(PARTITIONS)]
        self._offsets = [1] * PARTITIONS
        self._since = [0] * PARTITIONS
        topics = {topic: (topic, PARTITIONS) for topic in ("replenishments", "alerts", "reviews", "dead-letters")}
        self._encode = OutputEncoder(topics, 1_000_000, lambda feed: (feed, 0), Counter())
        created = LedgerCreated("bench", "restock", 0, PARTITIONS, self._settings)
        for core in self._cores:
            core.fold(created, 0, 0, None)

    def run(self, shop: LoadShop, lines: int, lines_per_order: int) -> Self:
        """Publish a shop's terms, which is not measured, then its orders."""
        self._take(shop.terms(lines))
        self.seconds.clear()
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 20, 10)
        orders = shop.orders(lines, lines_per_order)
        while some := list(islice(orders, ORDERS_AT_A_TIME)):
            self._take(some)
        if shop.days > 1:
            self._take(shop.next_day())
            self._take(())  # a feed without news counts as read up to here at the next tick
        self.lines = lines
        return self

    def _take(self, events: Iterable[tuple[str, bytes, bytes]]) -> None:
        """Let intake take events, then every shard fold what came of them."""
        by_topic: defaultdict[str, list[bytes]] = defaultdict(list)
        for topic, _, value in events:
            by_topic[topic].append(value)
        for topic, values in by_topic.items():
            feed, now = self._feeds[topic], int(time.time() * 1000)
            records = [Loaded(feed.next + place, now, value) for place, value in enumerate(values)]
            with self._measured("its decoding"):
                for record in records:
                    decode(topic, record.value, record.headers, record.timestamp)
            with self._measured("intake"):
                batch = Batch(feed.next, feed.next + len(records), records)
                asyncio.run(self._intake.take(feed, batch))  # type: ignore[arg-type]
        names = [feed.name for feed in self._feeds.values()]
        asyncio.run(self._intake.tick(list(self._feeds.values()), names, None, self._settings))  # type: ignore[arg-type]
        for partition, values in self._ledger.lines.items():
            self._fold(partition, values)
        self._ledger.lines.clear()

    def _fold(self, partition: int, values: Sequence[bytes]) -> None:
        core, now = self._cores[partition], int(time.time() * 1000)
        raws = [Loaded(self._offsets[partition] + place, now, value) for place, value in enumerate(values)]
        self._offsets[partition] += len(raws)
        self._since[partition] += len(raws)
        with self._measured("its decoding of records"):
            for value in values:
                decode_record(value)
        records, outputs, reviewed = iter(raws), list[Output](), 0
        while length_hint(records):
            with self._measured("fold"):
                found = core.fold_run(islice(records, RUN), None)
            if found is not None:
                ticked = isinstance(found[0], Ticked)
                with self._measured("review" if ticked else "fold"):
                    some = [output for output in found[1] if output is not None]
                reviewed += sum(output.topic == "reviews" for output in some)
                outputs += some
        self.reviews, self.outputs = self.reviews + reviewed, self.outputs + len(outputs)
        with self._measured("outputs"):
            entries = tuple(output.entry for output in outputs if output.entry is not None)
            for output in outputs:
                self._encode(output)
            encode_journal(Published(Point(0), Point(1), None, "id", "0", "token", entries))
        if self._since[partition] >= CHECKPOINT_EVERY or reviewed:
            self._since[partition] = 0
            with self._measured("checkpoint after it" if reviewed else "checkpoint"):
                encode_arguments(core.changes())

    @contextmanager
    def _measured(self, stage: str) -> Iterator[None]:
        start = time.process_time()
        yield
        self.seconds[stage] += time.process_time() - start


def stages(items: int, lines: int, lines_per_order: int, days: int, seed: int) -> dict[str, dict[str, float]]:
    """Microseconds of processor by stage: of a line, and where days end also of a review."""
    done = Stages().run(LoadShop(items, seed, days), lines, lines_per_order)
    found = {"a line": {stage: round(done.seconds[stage] / done.lines * 1e6, 2) for stage in _OF_A_LINE}}
    if done.reviews:
        found["a review"] = {stage: round(done.seconds[stage] / done.reviews * 1e6, 1) for stage in _OF_A_REVIEW}
    return found


_OF_A_LINE = ("intake", "its decoding", "fold", "its decoding of records", "checkpoint")
_OF_A_REVIEW = ("review", "outputs", "checkpoint after it")
