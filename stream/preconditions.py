"""Verifies what must hold before a worker starts: “effectively once” is promised under these conditions only.

A start that finds one of them broken ends with one line: the key, the value, the cure.
"""

from typing import Any

from redis.exceptions import RedisError

from schemas.ledger import FoldSettings, LedgerCreated
from stream.checkpoint.reader import CheckpointReader
from stream.checkpoint.redis_client import reach_redis, unreachable
from stream.errors import WrongUse
from stream.kafka.ledger_state import LedgerState, differing_settings, first_records, ledger_state, stated_settings
from stream.kafka.topic_check import check
from stream.kafka.topic_reader import TopicReader
from stream.settings import KNOWN_SETTINGS, PREFIX, Settings, mask


def verify(settings: Settings) -> LedgerState:
    """Verify everything, and return what the ledger states; raises WrongUse for the first thing that is wrong."""
    verify_topics(settings)
    state = verify_ledger(settings)
    verify_redis(settings)
    return state


def verify_topics(settings: Settings) -> None:
    """Verify partitions, replication and configuration of every topic."""
    grave = [difference for difference in check(settings) if difference.grave]
    if grave:
        more = f" ({len(grave) - 1} more: `restock topics check`)" if len(grave) > 1 else ""
        raise WrongUse(f"{grave[0]}{more}")


def verify_ledger(settings: Settings) -> LedgerState:
    """Verify that the ledger was begun, is this application's, and states these settings in every partition."""
    topic = settings.topic("ledger")
    state = ledger_state(settings)
    with TopicReader(settings) as reader:
        bounds = reader.bounds(topic)
        for partition, first in first_records(reader, topic, bounds).items():
            _verify_first(settings, partition, first, state)
        stated = stated_settings(reader, topic, bounds)
    for partition, found in stated.items():
        if found != settings.fold_settings():
            raise WrongUse(f"{describe_difference(settings, found)} (ledger partition {partition})")
    return state


def verify_redis(settings: Settings) -> None:
    """Verify that nothing is evicted, that data survives a restart, and that this version can read what is there."""
    client = reach_redis(settings)
    try:
        memory, persistence = node_info(client, "memory"), node_info(client, "persistence")
    except RedisError as error:
        raise unreachable(settings, error) from None
    finally:
        client.close()
    with CheckpointReader(settings) as reader:
        for shard in range(settings.partitions):
            reader.look(shard, {})
    policy = memory.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise WrongUse(
            f"RESTOCK_REDIS={mask(settings.redis)}: maxmemory-policy is {policy} and would evict state: "
            "run `redis-cli CONFIG SET maxmemory-policy noeviction`, and write it into its configuration"
        )
    if not persistence.get("aof_enabled", 0):
        raise WrongUse(
            f"RESTOCK_REDIS={mask(settings.redis)}: appendonly is off, so a restart would lose every checkpoint: "
            "run `redis-cli CONFIG SET appendonly yes`, and write it into its configuration"
        )


def node_info(client: Any, section: str) -> dict[str, Any]:
    """A section of Redis' INFO; of a cluster that of any node, since all are configured alike."""
    info: dict[str, Any] = client.info(section)
    return next(iter(info.values())) if info and all(isinstance(value, dict) for value in info.values()) else info


def describe_difference(settings: Settings, stated: FoldSettings) -> str:
    """Name the first setting in which the ledger and the environment differ, and the two ways out."""
    name = next(iter(differing_settings(stated, settings.fold_settings())))
    key, known = next((PREFIX + key.upper(), known) for key, known in KNOWN_SETTINGS.items() if known.attribute == name)
    mine, theirs = getattr(settings, name), getattr(stated, name)
    written = ["" if value is None else known.kind.write(value) for value in (mine, theirs)]
    return (
        f"{key}={written[0]} is not what the ledger follows, {written[1] or 'nothing'}: "
        f"set {key}={written[1]}, or run `restock settings apply`"
    )


def _verify_first(settings: Settings, partition: int, first: LedgerCreated | None, state: LedgerState) -> None:
    topic = settings.topic("ledger")
    if first is None:
        raise WrongUse(f"{topic}: partition {partition} was never begun: run `restock topics create`")
    if first.app != settings.app:
        raise WrongUse(
            f"RESTOCK_APP={settings.app} is not the owner of {topic}, {first.app} is: "
            "set RESTOCK_APP to that, or another RESTOCK_TOPIC_PREFIX for a ledger of its own"
        )
    if (first.ledger, first.partitions) != (state.ledger, state.partitions):
        raise WrongUse(
            f"{topic}: partition {partition} belongs to ledger {first.ledger} of {first.partitions} partitions, "
            f"not to {state.ledger} of {state.partitions}: recreate the topic, or set another RESTOCK_TOPIC_PREFIX"
        )
