"""The metrics of a worker: counted where things happen, collected when Prometheus asks.

Every label value there can be is there from the start with 0, or `increase()` would miss its first event. No metric has
a label for items. A shard that is taken anew counts on from where its last hold ended.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from schemas.inbound import INBOUND
from schemas.refusal import Reason
from stream import VERSION
from stream.consumer.feeds import SourceFeed
from stream.observability.core_counters import CoreCounters
from stream.observability.core_metrics import core_metrics
from stream.observability.instruments import Instruments
from stream.observability.metric_families import counter, gauge
from stream.observability.probe import Probe
from stream.shard.owner import Owner


class IntakeCounters(Protocol):
    """What intake counts."""

    movements: int

    @property
    def letters_refused(self) -> bool:
        """Whether the topic of dead letters refuses them."""
        ...

    @property
    def verdicts(self) -> Mapping[tuple[str, str], int]:
        """How many events were read, by type and verdict."""
        ...


class Metrics(Collector):
    """All metrics of one worker, in a registry of their own."""

    def __init__(self, instruments: Instruments, intake: IntakeCounters, probe: Probe) -> None:
        self.registry = instruments.registry
        self._instruments = instruments
        self._intake = intake
        self._probe = probe
        self._readers = probe.readers
        self.registry.register(self)

    def describe(self) -> Iterable[Metric]:
        """Describe nothing: the registry asks before the worker runs, when no metric can be collected yet."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Collect all metrics as they are now."""
        yield from self._intake_metrics()
        yield from self._feeds()
        yield from self._ledger()
        yield from self._shards()
        yield from self._holdings()
        yield from self._rare()
        yield from core_metrics(self._instruments.counters.values(), list(self._held().values()))
        yield gauge("restock_build_info", "The version that runs.", (("version",), {VERSION: 1}))

    def _held(self) -> dict[int, CoreCounters]:
        """The counters of the cores of the shards that are held now."""
        counters = self._instruments.counters
        held = (owner.partition for owner in self._owners() if owner.shard is not None)
        return {partition: counters[partition] for partition in held if partition in counters}

    def _owners(self) -> list[Owner]:
        return [reader for reader in self._readers.by_partition.values() if isinstance(reader, Owner)]

    def _intake_metrics(self) -> Iterator[Metric]:
        verdicts = self._intake.verdicts
        events = {(kind, "accepted"): 0 for kind in INBOUND} | {("none", reason.value): 0 for reason in Reason}
        events |= {("none", "tombstone"): 0} | dict(verdicts)
        yield counter("restock_events", "Events read, by type and verdict of intake.", (("type", "verdict"), events))
        letters: Counter[str] = Counter({reason.value: 0 for reason in Reason})
        for (kind, verdict), number in verdicts.items():
            if kind == "none" and verdict in letters:
                letters[verdict] += number
        for core in self._instruments.counters.values():
            letters.update(core.refused)
        yield counter("restock_dead_letters", "Dead letters, by reason.", (("reason",), letters))
        yield counter("restock_movements_written", "Movements written to the ledger.", self._intake.movements)
        text = "Whether the topic of dead letters refuses them; every source feed of this worker waits then."
        yield gauge("restock_dead_letters_blocked", text, self._intake.letters_refused)

    def _feeds(self) -> Iterator[Metric]:
        feeds = {tp: reader for tp, reader in self._readers.by_partition.items() if isinstance(reader, SourceFeed)}
        labels = ("topic", "partition")
        places = {(tp.topic, str(tp.partition)): feed.next for tp, feed in feeds.items() if feed.next is not None}
        yield gauge("restock_feed_position", "The offset that a source feed reads next.", (labels, places))
        lags = {(tp.topic, str(tp.partition)): lag for tp in feeds if (lag := self._probe.lag(tp)) is not None}
        text = (
            "Records of a source feed that are not in the ledger yet, measured from the end that the broker named last."
        )
        yield gauge("restock_feed_lag_records", text, (labels, lags))

    def _ledger(self) -> Iterator[Metric]:
        owners, ends, label = self._owners(), self._probe.ends, ("partition",)
        held = {owner.partition for owner in owners if owner.shard is not None}
        text = "Whether this worker holds the shard of a ledger partition; summed over workers it is 1 for each."
        numbers = sorted(tp.partition for tp in self._probe.ledger)
        yield gauge("restock_shard_held", text, (label, {str(number): number in held for number in numbers}))
        known = {str(tp.partition): ends[tp] for tp in self._probe.ledger if tp in ends}
        yield gauge("restock_ledger_end", "The end of a ledger partition, as the broker named it last.", (label, known))
        places = {str(owner.partition): owner.next for owner in owners if owner.next is not None}
        text = "The offset of the next ledger record to fold, also of a shard that stands still."
        yield gauge("restock_ledger_position", text, (label, places))
        lags = {
            str(tp.partition): lag
            for tp, reader in self._readers.by_partition.items()
            if isinstance(reader, Owner) and (lag := self._probe.lag(tp)) is not None
        }
        text = "Ledger records not folded yet, measured from the end that the broker named last."
        yield gauge("restock_ledger_lag_records", text, (label, lags))

    def _shards(self) -> Iterator[Metric]:
        held, instruments = self._held(), self._instruments
        saved = {str(each): at for each, (_, at) in instruments.checkpoints.items() if each in held}
        text = "When this worker last wrote a checkpoint of a shard."
        yield gauge("restock_checkpoint_timestamp_seconds", text, (("partition",), saved))
        published = {str(each): at for each, at in instruments.published.items() if each in held}
        text = "When this worker last committed a transaction of a shard: of outputs, or a seal."
        yield gauge("restock_published_timestamp_seconds", text, (("partition",), published))
        now = time.time()
        ages = {
            str(partition): max(0.0, now - core.watermark / 1000)
            for partition, core in held.items()
            if core.watermark is not None
        }
        text = "How far the watermark is behind the clock."
        yield gauge("restock_watermark_age_seconds", text, (("partition",), ages))

    def _holdings(self) -> Iterator[Metric]:
        owned = sum(owner.shard is not None for owner in self._owners())
        yield gauge("restock_shards_owned", "Shards that this worker owns.", owned)
        parked = [reader for reader in self._readers.by_partition.values() if reader.parked]
        shards, feeds = (sum(isinstance(reader, kind) for reader in parked) for kind in (Owner, SourceFeed))
        yield gauge("restock_shards_parked", "Shards that are parked and wait for a person.", shards)
        yield gauge("restock_feeds_parked", "Source feeds that are parked and wait for a person.", feeds)

    def _rare(self) -> Iterator[Metric]:
        counts = self._instruments.counts
        failures = self._instruments.stage_failures
        yield counter("restock_stage_failures", "Batches that failed in a stage.", (("stage",), failures))
        yield counter(
            "restock_rewinds", "Times a shard found Redis before the checkpoint it had written.", counts["rewound"]
        )
        text = "Records of source feeds that were deleted before they were read."
        yield counter("restock_feed_records_lost", text, counts["lost"])
        # Found in a worker's first second, before Prometheus has read a 0: an increase would not show it.
        text = "When source records were last found deleted before they were read; 0 for never."
        yield gauge("restock_feed_records_lost_timestamp_seconds", text, self._instruments.lost_at)
        text = "Outputs that were published without what they copy of their cause: the broker takes no larger record."
        yield counter("restock_oversize_outputs", text, counts["oversize"])
        yield counter("restock_fenced", "Times another owner fenced this worker.", counts["fenced"])
        yield counter("restock_replayed_records", "Ledger records replayed from the journal.", counts["replayed"])
        yield counter("restock_torn_checkpoints", "Checkpoints that were not whole.", counts["torn"])
