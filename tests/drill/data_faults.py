"""Faults of what is stored and published: garbage, records deleted unread, checkpoints that somebody has changed."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import TopicPartition

from agents.inventory.stored_item import decode_item, encode_item
from schemas.topics import place
from tests.drill.shop import sku
from tests.drill.stage import Stage

TAMPERED = f"{sku(0)}@BER1"


@contextmanager
def poison_flood(stage: Stage) -> Iterator[None]:
    stage.shop.garbage = 10
    yield
    stage.shop.garbage = 0


@contextmanager
def shard_parked(stage: Stage) -> Iterator[None]:
    """Restore a checkpoint of the future, as a Redis file of another installation would have it."""
    key = f"{{{stage.system.name}-0}}:cursor"
    stage.end()
    with stage.store as store:
        before = store.hget(key, "next")
        store.hset(key, "next", 10**9)
        stage.begin()
        yield
        store.hset(key, "next", before or 0)


@contextmanager
def item_tampered_with(stage: Stage) -> Iterator[None]:
    """Write another stock into an item's checkpoint, past restock; mended by folding the ledger anew."""
    key = f"{{{stage.system.name}-{place(TAMPERED, stage.system.partitions)}}}:items"
    stage.end()
    with stage.store as store:
        stored = store.hget(key, TAMPERED)
        assert stored is not None
        wake, item = stored[:8], decode_item(stored[8:])
        item.net += 7
        store.hset(key, TAMPERED, wake + encode_item(item))
    stage.strike()
    stage.begin()
    yield
    stage.end()
    done = stage.system.run("rebuild")
    assert done.returncode == 0, done.stderr
    stage.begin()


@contextmanager
def orders_deleted(stage: Stage) -> Iterator[None]:
    """Let the broker delete orders that no worker has read; workers that began later know nothing of it."""
    stage.end()
    stage.shop.sell(200)
    places = [TopicPartition(stage.system.topic("orders"), number, -1) for number in range(stage.system.partitions)]
    admin = stage.admin
    for done in admin.delete_records(places).values():
        done.result(30)
    stage.strike()
    stage.begin()
    yield
    stage.end()
    stage.begin()
