"""What on-call staff watch: counted where it happens, collected when Prometheus asks.

Every label value there can be is there from the start with 0, or `increase()` would miss the first event; no metric has
a label for items. A shard that is taken anew counts on from where its last hold ended.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import Any, Protocol, TypeVar, get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from schemas.inbound import INBOUND
from schemas.outbound import AlertKind
from schemas.refusal import Reason
from stream import VERSION
from stream.consumer.feeds import SourceFeed
from stream.consumer.readers import Reader, Readers
from stream.consumer.transport import Consumer
from stream.observability.core_counters import CoreCounters, ForecastSums
from stream.observability.instruments import Instruments
from stream.shard.owner import Owner

INVARIANTS = tuple(f"I{number}" for number in range(1, 13))
CLASSES = ("A", "B", "C")
FORECAST_SUMS = {
    "judged": ("restock_forecasts_judged", "Forecasts of a protection interval whose time has come."),
    "covered": ("restock_forecasts_covered", "Of these, those whose 95 % quantile the demand did not exceed."),
    "demand": ("restock_forecast_demand_units", "Units asked for in these intervals."),
    "over": ("restock_forecast_over_units", "Units forecast too many; with too few, the absolute error."),
    "under": ("restock_forecast_under_units", "Units forecast too few."),
    "squared": ("restock_forecast_squared_units", "Squared errors."),
    "pinball": ("restock_forecast_pinball_units", "Pinball loss, the mean over the quantiles."),
}
"""Sums kept for each class, by the fields of `agents.core.counters.ErrorSums`."""
Key = TypeVar("Key", str, tuple[str, ...])
FAR_BEHIND = 10_000
"""Ledger records a ready worker may lag."""


class IntakeCounters(Protocol):
    """What intake counts."""

    movements: int

    @property
    def verdicts(self) -> Mapping[tuple[str, str], int]:
        """By type and verdict."""
        ...


class Metrics(Collector):
    """All metrics of one worker, in a registry of their own."""

    def __init__(
        self, instruments: Instruments, readers: Readers, intake: IntakeCounters, consumer: Callable[[], Consumer]
    ) -> None:
        self.registry = instruments.registry
        self._instruments = instruments
        self._readers = readers
        self._intake = intake
        self._consumer = consumer
        self.registry.register(self)

    def describe(self) -> Iterable[Metric]:
        """Nothing is known before the worker runs; registering must not ask."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Read everything as it is now."""
        yield from self._events()
        yield from self._flow()
        yield from self._stock()
        yield from self._learning()

    def not_ready(self) -> str:
        """Why this worker is not ready, empty when it is."""
        readers = self._readers.by_partition
        if not readers:
            return "no partition is assigned yet\n"
        for reader in readers.values():
            if reader.parked or not _begun(reader):
                return f"{reader.name} is not read: {reader.parked or 'it is being taken up'}\n"
        behind = max(self._lags().values(), default=0)
        return f"{behind} ledger records behind\n" if behind > FAR_BEHIND else ""

    # What there is to read ----------------------------------------------------------------------------------------

    def _owners(self) -> list[Owner]:
        return [reader for reader in self._readers.by_partition.values() if isinstance(reader, Owner)]

    def _current(self) -> list[CoreCounters]:
        """The counters of the cores of the shards that are held now."""
        counters = self._instruments.counters
        held = (owner.partition for owner in self._owners() if owner.shard is not None)
        return [counters[partition] for partition in held if partition in counters]

    def _lags(self) -> dict[int, int]:
        lags = {}
        for tp, reader in self._readers.by_partition.items():
            if isinstance(reader, Owner) and reader.shard is not None:
                end = self._consumer().end(tp)
                lags[tp.partition] = max(0, (end or 0) - reader.shard.next)
        return lags

    # Families -----------------------------------------------------------------------------------------------------

    def _events(self) -> Iterator[Metric]:
        refused_here = self._sum(lambda counters: counters.refused)
        accepted = {(kind, "accepted"): 0 for kind in INBOUND} | {("none", reason.value): 0 for reason in Reason}
        accepted |= {("none", "tombstone"): 0} | dict(self._intake.verdicts)
        yield _counter("restock_events", "Events read, by type and verdict of intake.", ("type", "verdict"), accepted)
        letters = Counter({reason.value: 0 for reason in Reason})
        for (kind, verdict), number in self._intake.verdicts.items():
            if kind == "none" and verdict in letters:
                letters[verdict] += number
        letters.update(refused_here)
        yield _counter("restock_dead_letters", "Records refused, by reason.", ("reason",), letters)
        yield _counter(
            "restock_movements_written", "Ledger records written by intake.", (), {(): self._intake.movements}
        )
        yield _counter(
            "restock_movements_applied", "Movements that changed state.", self._total(lambda counters: counters.applied)
        )
        duplicates = {"technical": 0, "business": 0} | self._sum(lambda counters: counters.duplicates)
        yield _counter("restock_duplicates_dropped", "Movements that had come before.", ("kind",), duplicates)
        yield _counter(
            "restock_orphans_dropped",
            "Movements whose predecessor is missing; they come again.",
            (),
            {(): self._total(lambda counters: counters.orphans)},
        )
        yield _counter(
            "restock_late_events", "Events timed in a closed period.", self._total(lambda counters: counters.late)
        )

    def _flow(self) -> Iterator[Metric]:
        owners, now, faults = self._owners(), time.time(), self._instruments.counts
        backlogs = {
            (tp.topic, str(tp.partition)): max(0, (self._consumer().end(tp) or 0) - reader.next)
            for tp, reader in self._readers.by_partition.items()
            if isinstance(reader, SourceFeed) and reader.next is not None
        }
        labels = ("topic", "partition")
        yield _gauge("restock_feed_lag_records", "Source records not in the ledger yet.", labels, backlogs)
        lags = {str(partition): lag for partition, lag in self._lags().items()}
        yield _gauge("restock_ledger_lag_records", "Ledger records not folded yet.", ("partition",), lags)
        behind = {
            str(owner.partition): max(0.0, now - counters.watermark / 1000)
            for owner in owners
            if owner.shard is not None
            and (counters := self._instruments.counters.get(owner.partition)) is not None
            and counters.watermark is not None
        }
        yield _gauge("restock_watermark_age_seconds", "How far event time is behind the clock.", ("partition",), behind)
        yield _gauge(
            "restock_shards_owned", "Shards this worker holds.", (), {(): sum(o.shard is not None for o in owners)}
        )
        parked = [reader for reader in self._readers.by_partition.values() if reader.parked]
        yield _gauge(
            "restock_shards_parked", "Shards that wait for help.", (), {(): sum(isinstance(p, Owner) for p in parked)}
        )
        yield _gauge(
            "restock_feeds_parked",
            "Feeds that wait for help.",
            (),
            {(): sum(isinstance(p, SourceFeed) for p in parked)},
        )
        yield _counter("restock_feed_records_lost", "Source records deleted before they were read.", faults["lost"])
        silent = max((counters.silent_feeds for counters in self._current()), default=0)
        yield _gauge("restock_silent_feeds", "Feeds that hold the watermark back no more.", silent)
        yield _counter(
            "restock_fenced", "Times another owner took a shard from this worker.", (), {(): faults["fenced"]}
        )
        yield _counter(
            "restock_replayed_records", "Ledger records folded from the journal.", (), {(): faults["replayed"]}
        )
        yield _counter("restock_torn_checkpoints", "Checkpoints that were not whole.", faults["torn"])
        violations = dict.fromkeys(INVARIANTS, 0) | self._sum(lambda counters: counters.violations)
        yield _counter("restock_invariant_violations", "Broken promises.", ("invariant",), violations)
        yield _gauge("restock_build_info", "The version that runs.", ("version",), {VERSION: 1})

    def _stock(self) -> Iterator[Metric]:
        current = self._current()
        items, at_risk = Counter(dict.fromkeys(CLASSES, 0)), Counter(dict.fromkeys(CLASSES, 0))
        alerts = Counter(dict.fromkeys(product(get_args(AlertKind), CLASSES), 0))
        for gauges in (counters.gauges for counters in current):
            items.update(gauges.items)
            at_risk.update(gauges.at_risk)
            for label, number in gauges.open_alerts.items():
                kind, _, abc = label.partition(" ")
                alerts[kind, abc] += number
        yield _gauge("restock_items_tracked", "Items this worker keeps.", ("class",), items)
        yield _gauge("restock_items_at_risk", "Items without available stock, or soon to be.", ("class",), at_risk)
        yield _gauge("restock_alerts_open", "Alerts raised and not cleared.", ("kind", "class"), alerts)
        yield _counter(
            "restock_demand_shifts",
            "Alarms that demand is not what it was.",
            self._total(lambda counters: counters.drifts),
        )
        yield _counter("restock_reviews", "Reviews made.", self._total(lambda counters: counters.reviews))
        yield _counter(
            "restock_decisions",
            "Replenishments decided.",
            ("policy", "kind"),
            self._sum(lambda counters: counters.decisions),
        )
        yield _counter(
            "restock_ordered_units", "Units ordered.", ("policy", "kind"), self._sum(lambda counters: counters.units)
        )
        yield _counter(
            "restock_guardrail_clamps",
            "Orders that a guardrail changed.",
            ("guardrail",),
            self._sum(lambda counters: counters.clamps),
        )
        yield _counter(
            "restock_learner_failures",
            "Forecasters and policies that failed.",
            ("name",),
            self._sum(lambda counters: counters.failures),
        )
        yield _counter(
            "restock_demand_units",
            "Units asked for in closed periods.",
            ("class",),
            self._sum(lambda counters: counters.demand),
        )
        yield _counter(
            "restock_unserved_units",
            "Of these, units without stock.",
            ("class",),
            self._sum(lambda counters: counters.unserved),
        )

    def _learning(self) -> Iterator[Metric]:
        """How good forecasts and policies are, as sums: rates of two of them make every usual measure."""
        errors: dict[str, ForecastSums] = {}
        for counters in self._instruments.counters.values():
            for abc, sums in counters.errors.items():
                errors[abc] = errors[abc] + sums if abc in errors else sums
        for field, (name, text) in FORECAST_SUMS.items():
            yield _counter(name, text, ("class",), {abc: getattr(of, field) for abc, of in errors.items()})
        fallen = Counter(dict.fromkeys(CLASSES, 0))
        for counters in self._current():
            fallen.update(counters.gauges.fallen_back)
        yield _gauge("restock_champions_fallen_back", "Items for which the baseline acts.", ("class",), fallen)
        text = "What each contestant would have cost on the same demand, in money."
        yield _counter("restock_policy_cost", text, ("class", "contestant"), self._sum(lambda counters: counters.costs))

    def _sum(self, of: Callable[[CoreCounters], Mapping[Key, float]]) -> dict[Key, float]:
        """A counter with labels, over all cores."""
        total: defaultdict[Key, float] = defaultdict(int)
        for counters in self._instruments.counters.values():
            for labels, number in of(counters).items():
                total[labels] += number
        return total

    def _total(self, of: Callable[[CoreCounters], int]) -> int:
        """A counter without labels, over all cores."""
        return sum(map(of, self._instruments.counters.values()))


def _begun(reader: Reader) -> bool:
    if isinstance(reader, Owner):
        return reader.shard is not None
    return not isinstance(reader, SourceFeed) or reader.next is not None


def _counter(name: str, text: str, *rest: Any) -> Metric:
    return _family(CounterMetricFamily, name, text, *rest)


def _gauge(name: str, text: str, *rest: Any) -> Metric:
    return _family(GaugeMetricFamily, name, text, *rest)


def _family(kind: Any, name: str, text: str, *rest: Any) -> Metric:
    """A family of one number, or of labels and a number for each of their values."""
    metric: Metric
    if len(rest) == 1:
        metric = kind(name, text, value=rest[0])
        return metric
    labels, values = rest
    metric = family = kind(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric([key] if isinstance(key, str) else list(key), value)
    return metric
