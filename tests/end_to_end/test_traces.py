"""A trace over real servers: from a producer's header through ledger and shard to the header that a warehouse reads."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from bench.engines.shop import AFTERNOON, DAY, LOCATION, LoadShop, event, order
from stream.local import LocalServers
from tests.chaos.shop_front import TopicRecord, Topics
from tests.chaos.system import System, await_true
from tests.fakes.collector import CollectedSpan, Collector

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
ABOUT = {"sku": "TEA-01", "location": LOCATION}
TERMS = {"reorder_point": 10, "order_up_to": 60, "lead_time_days": 4}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as running:
        yield running


def open_shop(system: System, opens: int) -> None:
    """An item that is ordered at 10 up to 60, 20 of it on the shelf, and its first day is over."""
    received = {"receipt_id": "rec", "accepted": 20, "rejected": 0, "final": True}
    adjusted = {"adjustment_id": "adj", "delta": 1, "reason": "found"}
    system.publish([("catalog", b"k", event("item.configured", "cfg", opens, {**ABOUT, **TERMS}))])
    system.publish([("stock", b"k", event("stock.received", "rec", opens, {**ABOUT, **received}))])
    system.publish([("stock", b"k", event("stock.adjusted", "adj", opens + DAY, {**ABOUT, **adjusted}))])


def sell(system: System, name: str, time: int, traceparent: str) -> None:
    producer = Producer({"bootstrap.servers": system.kafka, "log_level": 0})
    value = order(name, time, [("TEA-01", 12)])
    producer.produce(system.topic("orders"), value, headers=[("traceparent", traceparent.encode())])
    assert producer.flush(30) == 0
    producer.close()


def test_an_order_is_followed_to_the_replenishment_that_it_causes(
    servers: LocalServers, app: str, topic_prefix: str, tmp_path: Path, collector: Collector
) -> None:
    topics, opens = Topics(servers.kafka, topic_prefix), LoadShop(0, 1).opens
    with System(servers.kafka, servers.redis, app, tmp_path, traces=collector.url, trace_share="0") as system:
        open_shop(system, opens)
        worker = system.start()
        await_true(lambda: topics.read("reviews"), 60, worker.tail)
        sell(system, "ord", opens + DAY + AFTERNOON, f"00-{TRACE}-{SPAN}-01")
        await_true(lambda: topics.read("replenishments"), 60, worker.tail)
        system.settle()  # a shard that was not yet taken when the worker leaves has no checkpoint to audit
        assert system.stop() == [0], worker.tail()
        audit = system.run("audit")
        assert audit.returncode == 0, audit.stdout

    [replenishment] = topics.read("replenishments")
    by_name: dict[str, CollectedSpan] = {span.name: span for span in collector.spans}
    intake, fold, publish = (by_name[name] for name in ("process orders", "fold", "publish replenishments"))
    assert [span.parent for span in (intake, fold, publish)] == [SPAN, intake.id, fold.id]
    assert {(span.service, span.trace) for span in (intake, fold, publish)} == {(app, TRACE)}
    assert replenishment.headers["traceparent"].decode() == f"00-{TRACE}-{publish.id}-01"
    assert {span.trace for span in collector.spans} == {TRACE}, "nobody else's trace is wanted"

    def headed(records: list[TopicRecord]) -> list[bytes]:
        return [record.headers["traceparent"] for record in records if "traceparent" in record.headers]

    assert headed(topics.read("ledger")) == [f"00-{TRACE}-{intake.id}-01".encode()]
    assert headed(topics.read("reviews")) == []


def test_a_collector_that_is_away_keeps_nothing_from_its_work(
    servers: LocalServers, app: str, topic_prefix: str, tmp_path: Path
) -> None:
    topics, opens = Topics(servers.kafka, topic_prefix), LoadShop(0, 1).opens
    with System(servers.kafka, servers.redis, app, tmp_path, traces="http://127.0.0.1:9") as system:
        open_shop(system, opens)
        system.work_off(seconds=60)
    assert len(topics.read("reviews")) >= 1
    assert all("traceparent" in review.headers for review in topics.read("reviews"))
