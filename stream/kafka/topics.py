"""Plans topics from the settings, finds those that the broker has, and creates what is missing.

>>> [topic.name for topic in plan(Settings(topic_prefix="eu."), brokers=3) if topic.logical == "ledger"]
['eu.ledger']
"""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from schemas.quantities import DAY_MS
from schemas.topics import TOPICS
from stream.errors import WrongUse
from stream.kafka.clients import REACH_SECONDS, answering, reach, record_bytes, source_bytes
from stream.settings import Settings

SOURCES = frozenset(name for name, topic in TOPICS.items() if topic.role == "source")
LOGS = frozenset(name for name, topic in TOPICS.items() if topic.role == "log")
EVENTS_RETENTION_MS = 30 * DAY_MS
"""Retention of sources and outputs when they are created; who runs the broker may choose another."""


class PlannedTopic(NamedTuple):
    """One topic as it should be."""

    logical: str
    name: str
    partitions: int
    replication: int
    config: dict[str, str]


class FoundTopic(NamedTuple):
    """One topic as it is."""

    name: str
    id: str
    partitions: int
    replication: int
    config: dict[str, str]


def plan(settings: Settings, brokers: int) -> list[PlannedTopic]:
    """Every topic of the contract, for a cluster of so many brokers."""
    replication = settings.replication or (1 if brokers == 1 else 3)
    return [
        PlannedTopic(name, settings.topic(name), settings.partitions, replication, _config(name, settings, replication))
        for name in TOPICS
    ]


def find(client: AdminClient, names: Sequence[str]) -> dict[str, FoundTopic]:
    """Those of these topics that exist."""
    described = client.describe_topics(TopicCollection(list(names)), request_timeout=REACH_SECONDS)
    there = {name: topic for name, future in described.items() if (topic := _unless_missing(future))}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in there]
    configs = client.describe_configs(resources, request_timeout=REACH_SECONDS) if there else {}
    entries = {resource.name: future.result() for resource, future in configs.items()}
    return {
        name: FoundTopic(
            name,
            str(topic.topic_id),
            len(topic.partitions),
            min(len(partition.replicas) for partition in topic.partitions),
            {key: entry.value for key, entry in entries[name].items()},
        )
        for name, topic in there.items()
    }


def create(settings: Settings) -> list[PlannedTopic]:
    """Make the topics that are missing, and return them."""
    client, metadata = reach(settings)
    planned = plan(settings, len(metadata.brokers))
    with answering(settings):
        there = find(client, [topic.name for topic in planned])
        missing = [topic for topic in planned if topic.name not in there]
        wanted = [NewTopic(topic.name, topic.partitions, topic.replication, config=topic.config) for topic in missing]
        made = client.create_topics(wanted, operation_timeout=REACH_SECONDS) if wanted else {}
        for topic in missing:
            _await_made(topic, made[topic.name])
        _await_visible(client, [topic.name for topic in missing])
    return missing


def _config(logical: str, settings: Settings, replication: int) -> dict[str, str]:
    return {
        "cleanup.policy": TOPICS[logical].cleanup,
        "message.timestamp.type": TOPICS[logical].timestamps,
        "retention.ms": str(settings.ledger_retention_ms if logical in LOGS else EVENTS_RETENTION_MS),
        "retention.bytes": "-1",
        "min.insync.replicas": "2" if replication > 2 else "1",
        "unclean.leader.election.enable": "false",
        # The largest record of a source must fit the dead letters, headers included.
        "max.message.bytes": str(source_bytes(settings) if logical in SOURCES else record_bytes(settings)),
    }


def _unless_missing(future: "Future[Any]") -> Any:
    try:
        return future.result()
    except KafkaException as error:
        if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return None
        raise


def _await_visible(client: AdminClient, names: Sequence[str]) -> None:
    """Wait until the broker knows the topics: it learns of them a moment after the controller has made them."""
    deadline = time.monotonic() + REACH_SECONDS
    while len(find(client, names)) < len(names) and time.monotonic() < deadline:
        time.sleep(0.02)


def _await_made(topic: PlannedTopic, future: "Future[None]") -> None:
    try:
        future.result()
    except KafkaException as error:
        match error.args[0].code():
            case KafkaError.TOPIC_ALREADY_EXISTS:  # somebody else created it at the same time
                return
            case KafkaError.INVALID_REPLICATION_FACTOR:
                raise WrongUse(
                    f"RESTOCK_REPLICATION={topic.replication} is more than there are brokers: "
                    "add brokers, or set a smaller RESTOCK_REPLICATION and accept the risk"
                ) from None
            case KafkaError.TOPIC_AUTHORIZATION_FAILED | KafkaError.CLUSTER_AUTHORIZATION_FAILED:
                raise WrongUse(
                    f"{topic.name}: this user may not create topics: grant it CREATE on the cluster"
                ) from None
            case _:
                raise
