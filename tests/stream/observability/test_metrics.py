"""What Prometheus and a load balancer see: from the start, after faults, and nothing that grows with the items."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import product
from typing import Any, get_args

import aiohttp
import pytest
from faust.types import TP
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from agents.core.counters import Counters, ErrorSums
from agents.forecasting.accuracy import JudgedForecast
from agents.policies.guardrails import REASONS
from agents.policies.registry import POLICIES
from agents.worker import resources
from schemas.inbound import INBOUND
from schemas.outbound import AlertKind
from schemas.quantities import HOUR_MS
from schemas.refusal import Reason
from stream.consumer.readers import Readers
from stream.faults import BrokerDown, StoreDown
from stream.observability.answers import Answers
from stream.observability.core_metrics import CLASSES, FORECAST_SUMS, INVARIANTS
from stream.observability.health import Health
from stream.observability.instruments import NO_SHARD, Instruments, Stage
from stream.observability.metrics import Metrics
from stream.observability.probe import Probe
from stream.observability.readiness import Readiness
from stream.observability.server_errors import KINDS, broker_errors, store_errors
from stream.setting_values import Address
from stream.shard.owner import Owner
from tests.fakes.servers import FakeServers
from tests.fakes.standing_feed import StandingFeed

LEDGER, ORDERS = TP("ledger", 4), TP("orders", 0)
PARTITIONS = 6
MOST_LAG = 100
PROMISED = {
    "restock_events_total",
    "restock_dead_letters_total",
    "restock_movements_applied_total",
    "restock_ledger_lag_records",
    "restock_decision_latency_seconds",
    "restock_items_tracked",
    "restock_invariant_violations_total",
    "restock_shards_parked",
}

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class CountedIntake:
    letters_refused = False

    def __init__(self) -> None:
        self.verdicts: Counter[tuple[str, str]] = Counter()
        self.movements = 0


class CountedCore:
    def __init__(self) -> None:
        self.counters = Counters()


class CountedShard:
    """The part of a shard that metrics look at."""

    def __init__(self, next_: int = 0) -> None:
        self.next = next_
        self.core = CountedCore()


class IdleOwner(Owner):
    """An owner that does nothing by itself."""

    def __init__(self, partition: int, shard: Any) -> None:
        self.partition = partition
        self.name = f"shard {partition}"
        self.shard = shard
        self.parked = None
        self._stood = None


class MeasuredWorker:
    """Metrics of a worker that has just started."""

    def __init__(self) -> None:
        self.instruments = Instruments()
        self.instruments.count_on(NO_SHARD, resources.zeros())
        self.readers = Readers({})
        self.intake = CountedIntake()
        self.servers = FakeServers()
        self.answers = Answers(self.instruments.registry)
        ledger = [TP("ledger", number) for number in range(PARTITIONS)]
        self.probe = Probe(self.answers, self.readers, ledger, self.servers.ends_of, self.servers.ping)
        self.metrics = Metrics(self.instruments, self.intake, self.probe)
        self.readiness = Readiness(self.probe, MOST_LAG, lambda: self.intake.letters_refused)

    def hold(self, next_: int = 0) -> Counters:
        """Take the shard, again if it was held, and return the counters of its core."""
        shard = CountedShard(next_)
        self.instruments.count_on(LEDGER.partition, shard.core.counters)
        self.readers.by_partition[LEDGER] = IdleOwner(LEDGER.partition, shard)
        return shard.core.counters

    def scrape(self) -> Samples:
        text = generate_latest(self.metrics.registry).decode()
        families = text_string_to_metric_families(text)
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
            if not sample.name.endswith("_created") and sample.name != "restock_process_cpu_seconds_total"
        }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


@pytest.fixture
def world() -> MeasuredWorker:
    broker_errors.clear()
    store_errors.clear()
    return MeasuredWorker()


# From the start -------------------------------------------------------------------------------------------------------


async def test_the_promised_names_are_there_before_anything_happens(world: MeasuredWorker) -> None:
    names = {name.removesuffix("_count") for name, _ in world.scrape()}
    assert names >= PROMISED - {"restock_ledger_lag_records"}, "a lag needs a partition"
    world.hold()
    world.servers.ends = {LEDGER: 0}
    await world.probe.ask()
    names = {name.removesuffix("_count") for name, _ in world.scrape()}
    assert names >= PROMISED
    assert all(name.startswith("restock_") for name in names)


def labels(**values: Sequence[str]) -> set[frozenset[tuple[str, str]]]:
    """Every combination of these label values; a trailing underscore avoids a word of Python's."""
    pairs = ([(name.rstrip("_"), each) for each in some] for name, some in values.items())
    return {frozenset(combination) for combination in product(*pairs)}


EVERYTHING = {
    "restock_events_total": labels(type=list(INBOUND), verdict=["accepted"]),
    "restock_dead_letters_total": labels(reason=[reason.value for reason in Reason]),
    "restock_invariant_violations_total": labels(invariant=INVARIANTS),
    "restock_duplicates_dropped_total": labels(kind=["technical", "business"]),
    "restock_items_tracked": labels(class_=CLASSES),
    "restock_items_at_risk": labels(class_=CLASSES),
    "restock_alerts_open": labels(kind=get_args(AlertKind), class_=CLASSES),
    "restock_demand_units_total": labels(class_=CLASSES),
    "restock_unserved_units_total": labels(class_=CLASSES),
    "restock_champions_fallen_back": labels(class_=CLASSES),
    "restock_policy_cost_total": labels(class_=CLASSES, contestant=["champion", "baseline", *POLICIES]),
    **{f"{name}_total": labels(class_=CLASSES) for name, _ in FORECAST_SUMS.values()},
    "restock_decisions_total": labels(policy=list(POLICIES), kind=["requested", "proposed"]),
    "restock_ordered_units_total": labels(policy=list(POLICIES), kind=["requested", "proposed"]),
    "restock_guardrail_clamps_total": labels(guardrail=REASONS),
    "restock_learner_failures_total": labels(name=list(POLICIES)),
    "restock_stage_seconds_count": labels(stage=get_args(Stage)),
    "restock_decision_latency_seconds_count": labels(),
    "restock_torn_checkpoints_total": labels(),
    "restock_fenced_total": labels(),
    "restock_feed_records_lost_total": labels(),
    "restock_feed_records_lost_timestamp_seconds": labels(),
    "restock_shards_parked": labels(),
    "restock_feeds_parked": labels(),
    "restock_shard_held": labels(partition=[str(number) for number in range(PARTITIONS)]),
    "restock_broker_errors_total": labels(kind=KINDS),
    "restock_store_errors_total": labels(kind=KINDS),
    "restock_stage_failures_total": labels(stage=get_args(Stage)),
    "restock_rewinds_total": labels(),
    "restock_oversize_outputs_total": labels(),
    "restock_dead_letters_blocked": labels(),
    "restock_oldest_proposal_timestamp_seconds": labels(),
    "restock_broker_up": labels(),
    "restock_store_up": labels(),
}


@pytest.mark.parametrize("name", EVERYTHING)
def test_every_label_value_is_there_from_the_start_with_0(world: MeasuredWorker, name: str) -> None:
    found = {given: number for (each, given), number in world.scrape().items() if each == name}
    assert EVERYTHING[name] <= found.keys()
    assert set(found.values()) == {0}


def test_what_is_counted_later_has_no_label_that_was_not_there(world: MeasuredWorker) -> None:
    """Otherwise `increase()` would miss the first of its kind; and labels for items would grow without end."""
    world.hold()
    before = world.scrape().keys()
    counters = world.hold()
    counters.applied += 1
    counters.duplicates["technical"] += 1
    counters.refused["unknown_item"] += 1
    counters.decide("pil-q", "requested", 60)
    counters.clamps["demand_cap"] += 1
    counters.failures["pil-q"] += 1
    counters.violations["I1"] += 1
    counters.review("A", 5, 1)
    counters.judge("A", JudgedForecast(error=2.0, demand=5.0, covered=True, pinball=0.5))
    counters.spend("A", {}, {"champion": 5.0, "base-stock": 6.0})
    counters.reclass(None, "B", [], at_risk=True)
    counters.fall(None, "B")
    counters.alert("low_stock", "B", raised=True)
    counters.wait((), [HOUR_MS])
    world.intake.verdicts["order.placed", "accepted"] += 1
    world.intake.verdicts["none", "not_json"] += 1
    assert world.scrape().keys() == before


# Counting on ----------------------------------------------------------------------------------------------------------


def counted(samples: Samples) -> dict[Any, float]:
    return {key: number for key, number in samples.items() if key[0].endswith(("_total", "_count"))}


def count_everything(counters: Counters) -> None:
    counters.applied += 3
    counters.late += 1
    counters.orphans += 1
    counters.duplicates["business"] += 2
    counters.refused["unknown_item"] += 1
    counters.decide("pil-q", "requested", 60)
    counters.review("A", 5, 1)
    counters.violations["I1"] += 1
    counters.judge("A", JudgedForecast(error=2.0, demand=5.0, covered=True, pinball=0.5))
    counters.judge("A", JudgedForecast(error=-1.0, demand=7.0, covered=False, pinball=0.25))
    counters.spend("A", {"champion": 2.0}, {"champion": 5.0, "baseline": 1.0})
    counters.silent_feeds = 2
    counters.watermark = 5


def test_no_counter_falls_when_a_shard_is_taken_again_or_leaves(world: MeasuredWorker) -> None:
    count_everything(world.hold())
    seen = counted(world.scrape())
    for _ in range(3):
        counters = world.hold()
        assert counted(world.scrape()) == seen
        count_everything(counters)
        more = counted(world.scrape())
        assert all(more[key] >= number for key, number in seen.items())
        seen = more
    world.readers.by_partition.clear()
    assert counted(world.scrape()) == {key: n for key, n in seen.items() if not key[0].startswith("restock_ledger_lag")}
    assert value(world.scrape(), "restock_movements_applied_total") == 12
    assert value(world.scrape(), "restock_ordered_units_total", policy="pil-q", kind="requested") == 240


def test_a_shard_that_is_taken_again_and_again_does_not_fill_the_memory(world: MeasuredWorker) -> None:
    for _ in range(100):
        count_everything(world.hold())
    assert len(world.instruments.counters) == 2
    assert world.instruments.counters[LEDGER.partition].errors["A"] == ErrorSums(
        200, 200.0, 100.0, 500.0, 1200.0, 100, 75.0
    )


def test_gauges_are_of_what_is_held_now(world: MeasuredWorker) -> None:
    world.hold().reclass(None, "B", ["low_stock"], at_risk=True)
    counters = world.hold()
    counters.reclass(None, "B", ["low_stock"], at_risk=True)
    counters.fall(None, "B")
    counters.silent_feeds = 1
    counters.wait((), [30 * HOUR_MS + 5, 7 * HOUR_MS + 5, 7 * HOUR_MS + 6])
    samples = world.scrape()
    assert value(samples, "restock_items_tracked", **{"class": "B"}) == 1
    assert value(samples, "restock_items_at_risk", **{"class": "B"}) == 1
    assert value(samples, "restock_alerts_open", kind="low_stock", **{"class": "B"}) == 1
    assert value(samples, "restock_champions_fallen_back", **{"class": "B"}) == 1
    assert value(samples, "restock_silent_feeds") == 1
    assert value(samples, "restock_oldest_proposal_timestamp_seconds") == 7 * 3600
    counters.wait([7 * HOUR_MS + 6, 7 * HOUR_MS + 5], ())
    assert value(world.scrape(), "restock_oldest_proposal_timestamp_seconds") == 30 * 3600
    world.readers.by_partition.clear()
    assert value(world.scrape(), "restock_items_tracked", **{"class": "B"}) == 0


def test_dead_letters_of_intake_and_controller_are_one_count(world: MeasuredWorker) -> None:
    world.hold().refused["unknown_item"] += 2
    world.intake.verdicts["none", "not_json"] += 3
    samples = world.scrape()
    assert value(samples, "restock_dead_letters_total", reason="unknown_item") == 2
    assert value(samples, "restock_dead_letters_total", reason="not_json") == 3
    assert value(samples, "restock_events_total", type="none", verdict="not_json") == 3


async def test_lag_is_what_is_not_folded_and_backlog_what_is_not_written(world: MeasuredWorker) -> None:
    world.hold(next_=90)
    world.readers.by_partition[ORDERS] = StandingFeed(7)
    assert ("restock_ledger_lag_records", frozenset({("partition", "4")})) not in world.scrape(), "nobody knows it yet"
    world.servers.ends = {LEDGER: 100, ORDERS: 27}
    await world.probe.ask()
    samples = world.scrape()
    assert value(samples, "restock_ledger_lag_records", partition="4") == 10
    assert value(samples, "restock_ledger_position", partition="4") == 90
    assert value(samples, "restock_ledger_end", partition="4") == 100
    assert value(samples, "restock_feed_lag_records", topic="orders", partition="0") == 20
    assert value(samples, "restock_feed_position", topic="orders", partition="0") == 7


async def test_in_an_outage_lag_stays_what_it_was_and_says_how_old_it_is(world: MeasuredWorker) -> None:
    world.hold(next_=90)
    world.servers.ends = {LEDGER: 100}
    await world.probe.ask()
    before = world.scrape()
    world.servers.broker_fault = BrokerDown("gone")
    world.servers.store_fault = StoreDown("gone")
    await world.probe.ask()
    after = world.scrape()
    assert [value(each, "restock_broker_up") for each in (before, after)] == [1, 0]
    assert [value(each, "restock_store_up") for each in (before, after)] == [1, 0]
    assert value(after, "restock_ledger_lag_records", partition="4") == 10
    for name in ("restock_broker_answered_timestamp_seconds", "restock_store_answered_timestamp_seconds"):
        assert value(after, name) == value(before, name) > 0
    assert value(after, "restock_broker_errors_total", kind="other") == 1
    assert value(after, "restock_store_errors_total", kind="other") == 1


def test_every_partition_of_the_ledger_says_whether_it_is_held(world: MeasuredWorker) -> None:
    world.hold()
    held = {labels: number for (name, labels), number in world.scrape().items() if name == "restock_shard_held"}
    assert len(held) == PARTITIONS
    assert [dict(labels) for labels, number in held.items() if number] == [{"partition": "4"}]


async def test_a_shard_that_was_lost_hold_of_still_has_a_lag(world: MeasuredWorker) -> None:
    owner = world.readers.by_partition[LEDGER] = IdleOwner(4, None)
    owner._stood = 90
    world.servers.ends = {LEDGER: 100}
    await world.probe.ask()
    assert value(world.scrape(), "restock_ledger_lag_records", partition="4") == 10
    assert value(world.scrape(), "restock_shard_held", partition="4") == 0


def test_a_stage_that_fails_is_counted_and_not_timed(world: MeasuredWorker) -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError

    with pytest.raises(ValueError, match="no"), world.instruments.stage("decode"):
        raise ValueError("no")
    with pytest.raises(ValueError, match=r"^$"):
        list(world.instruments.timed("review", broken()))
    assert list(world.instruments.timed("review", iter("ab"))) == ["a", "b"]
    samples = world.scrape()
    assert value(samples, "restock_stage_failures_total", stage="decode") == 1
    assert value(samples, "restock_stage_failures_total", stage="review") == 1
    assert value(samples, "restock_stage_seconds_count", stage="decode") == 0
    assert value(samples, "restock_stage_seconds_count", stage="review") == 1


def test_a_checkpoint_before_the_one_that_was_written_is_a_rewind(world: MeasuredWorker) -> None:
    world.hold()
    instruments = world.instruments
    instruments.found(4, 50)
    instruments.checkpointed(4, 70)
    instruments.found(4, 70)
    instruments.found(4, 90)
    assert value(world.scrape(), "restock_rewinds_total") == 0
    assert value(world.scrape(), "restock_checkpoint_timestamp_seconds", partition="4") > 0
    instruments.found(4, 50)
    instruments.found(4, -1)
    instruments.forget_checkpoint(4)
    instruments.found(4, -1)
    assert value(world.scrape(), "restock_rewinds_total") == 2


def test_no_series_is_added_by_more_items(world: MeasuredWorker) -> None:
    def series(items: int) -> int:
        counters = world.hold()
        for number in range(items):
            counters.reclass(None, "ABC"[number % 3], ["low_stock"], at_risk=True)
            counters.decide("pil-q", "requested", 5)
            counters.review("A", 5, 1)
        assert sum(number for (name, _), number in world.scrape().items() if name == "restock_items_tracked") == items
        return len(world.scrape())

    assert series(100) == series(2_000)


def test_parked_shards_and_parked_feeds_are_counted_apart(world: MeasuredWorker) -> None:
    world.hold()
    world.readers.by_partition[ORDERS] = StandingFeed(7)
    assert value(world.scrape(), "restock_shards_parked") == 0
    world.readers.by_partition[LEDGER].parked = "a reason"
    samples = world.scrape()
    assert (value(samples, "restock_shards_parked"), value(samples, "restock_feeds_parked")) == (1, 0)
    world.readers.by_partition[ORDERS].parked = "a reason"
    assert value(world.scrape(), "restock_feeds_parked") == 1


# Over HTTP ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def health(world: MeasuredWorker) -> Health:
    return Health(Address("127.0.0.1", 0), world.metrics.registry, world.readiness.why_not)


@pytest.fixture
async def ask(health: Health) -> AsyncIterator[Callable[[str], Any]]:
    await health.start()
    assert health._runner is not None
    port = health._runner.addresses[0][1]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

        async def ask(path: str) -> tuple[int, str]:
            async with session.get(path) as response:
                return response.status, await response.text()

        yield ask
    await health.stop()


async def test_alive_says_why_not_in_a_line(world: MeasuredWorker, health: Health, ask: Callable[[str], Any]) -> None:
    assert await ask("/healthz") == (200, "alive\n")
    assert (await ask("/readyz"))[0] == 503
    status, text = await ask("/metrics")
    assert status == 200
    assert "restock_shards_parked 0.0" in text
    assert (await ask("/tables"))[0] == 404
    health.why_not_alive = lambda: "shard 4 has stood still"
    assert await ask("/healthz") == (503, "shard 4 has stood still\n")


async def test_ready_is_answered_assigned_taken_and_caught_up(world: MeasuredWorker, ask: Callable[[str], Any]) -> None:
    assert await ask("/readyz") == (503, "Kafka does not answer: it has not been asked yet\n")
    world.servers.store_fault = StoreDown("connection refused")
    await world.probe.ask()
    assert await ask("/readyz") == (503, "Redis does not answer: connection refused\n")
    world.servers.store_fault = None
    await world.probe.ask()
    assert await ask("/readyz") == (503, "no partition is assigned yet\n")
    world.readers.by_partition.update({LEDGER: IdleOwner(4, None), ORDERS: StandingFeed(None)})
    assert await ask("/readyz") == (503, "shard 4 is not read: it is being taken up\n")
    world.readers.by_partition[LEDGER].parked = "shard 4: a reason, a cure"
    assert await ask("/readyz") == (503, "shard 4 is not read: shard 4: a reason, a cure\n")
    world.hold(next_=5)
    assert await ask("/readyz") == (503, "orders-id/0 is not read: it is being taken up\n")
    world.readers.by_partition[ORDERS] = StandingFeed(0)
    assert await ask("/readyz") == (200, "ready\n")
    world.servers.ends = {LEDGER: MOST_LAG + 6}
    await world.probe.ask()
    most = f"RESTOCK_READY_LAG is {MOST_LAG}"
    assert await ask("/readyz") == (503, f"{MOST_LAG + 1} records of ledger/4 behind: {most}\n")
    world.servers.ends[ORDERS] = MOST_LAG + 7
    await world.probe.ask()
    both = f"{2 * MOST_LAG + 8} with the others that are"
    assert await ask("/readyz") == (503, f"{MOST_LAG + 7} records of orders/0 behind, {both}: {most}\n")
    world.servers.ends = {LEDGER: MOST_LAG + 5, ORDERS: MOST_LAG + 1}
    await world.probe.ask()
    assert await ask("/readyz") == (503, f"{MOST_LAG + 1} records of orders/0 behind: {most}\n"), "intake alone"
    world.servers.ends[ORDERS] = MOST_LAG
    await world.probe.ask()
    assert await ask("/readyz") == (200, "ready\n")
    world.intake.letters_refused = True
    assert await ask("/readyz") == (503, "the topic of dead letters refuses them, and the source feeds wait\n")
