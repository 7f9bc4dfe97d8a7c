"""A source topic is deleted and made anew under a running worker: events before and after that count."""

from pathlib import Path

from confluent_kafka.admin import AdminClient

from bench.engines.shop import LoadShop, order
from stream.local import LocalServers
from tests.chaos.system import System, await_true

ITEMS, LINES = 3, 30


def test_events_before_and_after_a_source_is_made_anew_count(
    servers: LocalServers, app: str, topic_prefix: str, tmp_path: Path
) -> None:
    shop = LoadShop(ITEMS, 1)
    names = [f"{sku}@BER1" for sku in shop.skus]
    with System(servers.kafka, servers.redis, app, tmp_path) as system:
        worker = system.start()
        system.publish(shop.terms(LINES))
        system.settle()
        system.publish(shop.orders(LINES, 1))
        system.settle()
        before = sum(each["stock"]["on_hand"] for each in system.items(names).values())

        topic, client = system.topic("orders"), AdminClient({"bootstrap.servers": system.kafka, "log_level": 0})
        client.delete_topics([topic])[topic].result(30)
        await_true(lambda: topic not in client.list_topics(timeout=5).topics, 20, lambda: f"{topic} is still there")
        assert system.run("topics", "create").returncode == 0
        later = [order(f"later-{n}", shop.opens + 3_600_000, [(shop.skus[n % ITEMS], 1)]) for n in range(LINES // 2)]
        system.publish(("orders", str(n).encode(), value) for n, value in enumerate(later))

        def sold() -> int:
            return int(before - sum(each["stock"]["on_hand"] for each in system.items(names).values()))

        await_true(lambda: sold() == len(later), 60, lambda: f"{sold()} of {len(later)} were counted:\n{worker.tail()}")
        assert system.stop() == [0]
        assert sold() == len(later)
        audit = system.run("audit")
        assert audit.returncode == 0, audit.stdout
