"""What a process measures while it works: durations, latencies, and how often something rare happened.

It belongs to the process, not to a shard, so that no counter goes backwards when a shard moves to another worker.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias, TypeVar, get_args

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector

from stream.observability.core_counters import CoreCounters

Stage: TypeAlias = Literal["intake", "decode", "fold", "review", "publish", "checkpoint"]
"""`decode` is part of `intake`, and `review` and `publish` are parts of `fold`."""
Rare: TypeAlias = Literal["fenced", "torn", "replayed", "rewound", "lost", "oversize"]
"""`lost`: source records deleted before they were read; `oversize`: outputs; the others happen to shards."""
Made = TypeVar("Made")

NO_SHARD = -1
"""Stands for a shard's number with counters that belong to no shard."""
LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
STAGE_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
BATCH_BUCKETS = (1, 10, 100, 500, 1000, 2500, 5000)


class Instruments:
    """The measurements of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(namespace="restock", registry=self.registry)
        self.counts: Counter[Rare] = Counter()
        self.stage_failures: Counter[Stage] = Counter(dict.fromkeys(get_args(Stage), 0))
        self.checkpoints: dict[int, tuple[int, float]] = {}
        """Offset and time of the last checkpoint that this process wrote of each shard."""
        self.published: dict[int, float] = {}
        """When this process last published for each shard, its seals included."""
        self.lost_at = 0.0
        """When source records were last found deleted before they were read; 0 for never."""
        self.counters: dict[int, CoreCounters] = {}
        """The counters of each shard's core; those under NO_SHARD hold a 0 for every label value there can be."""
        self.latency = Histogram(
            "restock_decision_latency_seconds",
            "From the broker's receipt of an event to the commit of the outputs it caused.",
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.batch = Histogram(
            "restock_batch_records", "Ledger records of a batch.", buckets=BATCH_BUCKETS, registry=self.registry
        )
        self._stages = Histogram(
            "restock_stage_seconds",
            "Time of one batch in one stage.",
            ["stage"],
            buckets=STAGE_BUCKETS,
            registry=self.registry,
        )
        self._by_stage = {stage: self._stages.labels(stage) for stage in get_args(Stage)}

    def count_on(self, shard: int, counters: CoreCounters) -> None:
        """Use these counters for a shard from now on; they begin with what the shard's last ones have counted."""
        if shard in self.counters:
            counters.add(self.counters[shard])
        self.counters[shard] = counters

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Measure how long the body takes; if it fails, count that instead."""
        start = time.perf_counter()
        try:
            yield
        except Exception:
            self.stage_failures[stage] += 1
            raise
        self._by_stage[stage].observe(time.perf_counter() - start)

    def timed(self, stage: Stage, made: Iterable[Made]) -> Iterator[Made]:
        """Pass on what is made, and measure how long the making takes, without what is done with it in between."""
        took, rest = 0.0, iter(made)
        while True:
            start = time.perf_counter()
            try:
                each = next(rest)
            except StopIteration:
                break
            except Exception:
                self.stage_failures[stage] += 1
                raise
            finally:
                took += time.perf_counter() - start
            yield each
        self._by_stage[stage].observe(took)

    def has_lost(self, records: int) -> None:
        """Note that so many source records were deleted before they were read."""
        self.counts["lost"] += records
        self.lost_at = time.time()

    def has_published(self, shard: int) -> None:
        """Note that a transaction of this shard was committed."""
        self.published[shard] = time.time()

    def checkpointed(self, shard: int, at: int) -> None:
        """Note that a checkpoint at this offset was written."""
        self.checkpoints[shard] = at, time.time()

    def found(self, shard: int, at: int) -> None:
        """Note where a checkpoint was found to stand: before the last one written here, Redis has lost some."""
        written, _ = self.checkpoints.get(shard, (at, 0.0))
        self.counts["rewound"] += at < written

    def forget_checkpoint(self, shard: int) -> None:
        """Note that the shard's checkpoint was deleted on purpose."""
        self.checkpoints.pop(shard, None)

    def observe_latency(self, appended: Iterable[int]) -> None:
        """Measure how long ago the broker received these events, whose effects have just been published."""
        now = time.time()
        for moment in appended:
            if moment:
                self.latency.observe(max(0.0, now - moment / 1000))
