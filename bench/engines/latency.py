"""How long a shop's order takes to become an alert that a warehouse sees."""

import json
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

from confluent_kafka import Consumer, Producer, TopicPartition

from bench.engines.restock import Restock
from bench.engines.shop import LOCATION, event, order
from stream.kafka.topic_reader import TopicReader

READY_SECONDS = 60.0
SETTLE_SECONDS = 1.0
LATE_SECONDS = 10.0
PRODUCER = {"linger.ms": 0, "acks": "all"}
CONSUMER = {"isolation.level": "read_committed", "fetch.wait.max.ms": 500}


class Latency(NamedTuple):
    """Milliseconds from `produce()` of an order to its alert in the hands of a read_committed consumer."""

    alerts: int
    missing: int
    median_ms: float
    p90_ms: float
    p99_ms: float
    most_ms: float


def latency(restock: Restock, orders_per_second: float, seconds: float) -> Latency:
    """Publish orders, each of which takes its item below the threshold, at a steady rate."""
    skus = [f"LAT-{number:05}" for number in range(int(orders_per_second * seconds))]
    now = int(time.time() * 1000)
    restock.publish(_stocked(skus, now))
    restock.work_off()
    before = _journaled(restock)
    with restock.worker():
        _await_ready(restock, before)
        sent, seen = _exchange(restock, skus, orders_per_second)
    times = sorted((seen[sku] - sent[sku]) * 1000 for sku in seen)
    return Latency(len(times), len(skus) - len(times), *(_quantile(times, share) for share in (0.5, 0.9, 0.99, 1.0)))


def _stocked(skus: list[str], now: int) -> Iterator[tuple[str, bytes, bytes]]:
    for sku in skus:
        about = {"sku": sku, "location": LOCATION}
        yield "catalog", sku.encode(), event("item.configured", f"cfg-{sku}", now, about | {"low_stock": 10})
        stock = about | {"adjustment_id": f"adj-{sku}", "delta": 50, "reason": "opening"}
        yield "stock", sku.encode(), event("stock.adjusted", f"adj-{sku}", now, stock)


def _await_ready(restock: Restock, before: int) -> None:
    """A worker that has taken its shards has sealed each of them in the journal."""
    deadline = time.monotonic() + READY_SECONDS
    while _journaled(restock) < before + restock.settings.partitions:
        if time.monotonic() > deadline:
            raise SystemExit("the worker did not take its shards")
        time.sleep(0.1)
    time.sleep(SETTLE_SECONDS)


def _journaled(restock: Restock) -> int:
    with TopicReader(restock.settings) as reader:
        return sum(end for _, end in reader.bounds(restock.settings.topic("journal")).values())


def _exchange(restock: Restock, skus: list[str], rate: float) -> tuple[dict[str, float], dict[str, float]]:
    settings = restock.settings
    alerts, orders = settings.topic("alerts"), settings.topic("orders")
    server = {"bootstrap.servers": settings.kafka}
    with TopicReader(settings) as reader:
        ends = {partition: end for partition, (_, end) in reader.bounds(alerts).items()}
    consumer = Consumer(server | CONSUMER | {"group.id": f"{settings.app}-warehouse", "enable.auto.commit": False})
    consumer.assign([TopicPartition(alerts, partition, end) for partition, end in ends.items()])
    sent: dict[str, float] = {}
    seen: dict[str, float] = {}
    over = threading.Event()

    def watch() -> None:
        while len(seen) < len(skus) and not over.is_set():
            message = consumer.poll(0.1)
            if message is not None and message.error() is None:
                arrived, data = time.perf_counter(), json.loads(message.value() or b"{}")["data"]
                if data["kind"] == "low_stock":
                    seen.setdefault(data["sku"], arrived)

    watcher = threading.Thread(target=watch)
    watcher.start()
    time.sleep(SETTLE_SECONDS)
    producer, begun = Producer(server | PRODUCER), time.perf_counter()
    for number, sku in enumerate(skus):
        time.sleep(max(0.0, begun + number / rate - time.perf_counter()))
        value = order(f"lat-{number}", int(time.time() * 1000), [(sku, 45)])
        sent[sku] = time.perf_counter()
        producer.produce(orders, value, str(number))
        producer.poll(0)
    producer.flush()
    watcher.join(LATE_SECONDS)
    over.set()
    watcher.join()
    consumer.close()
    return sent, seen


def _quantile(times: list[float], share: float) -> float:
    return round(times[min(len(times) - 1, int(share * len(times)))], 1) if times else float("nan")
