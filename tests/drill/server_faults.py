"""Faults of Kafka and of Redis: away, cut off, full, emptied, refusing."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)

from tests.drill.stage import Stage


@contextmanager
def broker_stopped(stage: Stage) -> Iterator[None]:
    stage.servers.kafka_process.stop()
    yield
    stage.servers.kafka_process.start()


@contextmanager
def store_stopped(stage: Stage) -> Iterator[None]:
    stage.servers.redis_process.stop()
    yield
    stage.servers.redis_process.start()


@contextmanager
def store_full(stage: Stage) -> Iterator[None]:
    stage.store.config_set("maxmemory", "1")
    yield
    stage.store.config_set("maxmemory", "0")


@contextmanager
def store_emptied(stage: Stage) -> Iterator[None]:
    stage.store.flushall()
    yield


def cut_off(workers: int) -> Callable[[Stage], AbstractContextManager[None]]:
    """Let nothing through between the broker and some workers any more."""

    @contextmanager
    def fault(stage: Stage) -> Iterator[None]:
        assert stage.proxy is not None
        stage.end()
        stage.begin(behind_proxy=workers)
        stage.await_ready()
        stage.strike()
        stage.proxy.mood = "half-open"
        yield
        stage.proxy.mood = "fine"

    return fault


@contextmanager
def letters_refused(stage: Stage) -> Iterator[None]:
    before = _configure(stage, "dead-letters", "max.message.bytes", "100")
    stage.system.publish([("orders", b"x", b"no JSON")])
    yield
    _configure(stage, "dead-letters", "max.message.bytes", before)


@contextmanager
def writing_forbidden(stage: Stage) -> Iterator[None]:
    """Forbid everybody to write to the ledger, as a mistake in access rules does."""
    ledger, admin = stage.system.topic("ledger"), stage.admin
    rules = {AclOperation.ALL: AclPermissionType.ALLOW, AclOperation.WRITE: AclPermissionType.DENY}
    for made in admin.create_acls([AclBinding(*_rule(ledger), *rule) for rule in rules.items()]).values():
        made.result(30)
    yield
    for deleted in admin.delete_acls([AclBindingFilter(*_rule(ledger), *rule) for rule in rules.items()]).values():
        deleted.result(30)


def _rule(topic: str) -> tuple[ResourceType, str, ResourcePatternType, str, str]:
    return ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:ANONYMOUS", "*"


def _configure(stage: Stage, topic: str, name: str, value: str) -> str:
    """Change a topic's configuration, and return its former value."""
    asked = ConfigResource(ResourceType.TOPIC, stage.system.topic(topic))
    admin = stage.admin
    before = str(admin.describe_configs([asked])[asked].result(10)[name].value)
    changed = ConfigResource(ResourceType.TOPIC, stage.system.topic(topic))
    changed.add_incremental_config(ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET))
    admin.incremental_alter_configs([changed])[changed].result(10)
    return before
