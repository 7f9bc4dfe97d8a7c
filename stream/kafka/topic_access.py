"""Finds what the broker's access rules forbid this client, though a worker needs it: the broker itself says so."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation

from schemas.topics import TOPICS, Role
from stream.kafka.clients import REACH_SECONDS, answering, reach
from stream.settings import Settings

NEEDED: Mapping[Role, tuple[AclOperation, ...]] = {
    "source": (AclOperation.READ,),
    "log": (AclOperation.READ, AclOperation.WRITE),
    "output": (AclOperation.WRITE,),
    "dead_letters": (AclOperation.WRITE,),
}


def forbidden(settings: Settings) -> dict[str, list[str]]:
    """By topic: the operations that a worker needs and is not allowed, in words; topics that allow all are left out."""
    client, _ = reach(settings)
    roles = {topic.name_with(settings.topic_prefix): topic.role for topic in TOPICS.values()}
    with answering(settings):
        asked = client.describe_topics(
            TopicCollection(list(roles)), include_authorized_operations=True, request_timeout=REACH_SECONDS
        )
        allowed = {name: _allowed(future) for name, future in asked.items()}
    lacking = {
        name: [operation.name.lower() for operation in NEEDED[role] if operation not in allowed[name]]
        for name, role in roles.items()
    }
    return {name: operations for name, operations in lacking.items() if operations}


def _allowed(future: "Future[Any]") -> Sequence[AclOperation]:
    try:
        return future.result().authorized_operations or ()
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_AUTHORIZATION_FAILED:
            raise
        return ()  # not even to look at it
