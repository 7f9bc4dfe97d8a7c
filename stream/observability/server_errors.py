"""Counts how Kafka and Redis have failed this process, by kind: whatever was asked of them, by whomever.

A server that answers a probe may still refuse what the work needs: Redis that is full, a topic that may not be written.

>>> kind_of(StoreDown("away"))
'other'
"""

from collections import Counter
from typing import Literal, TypeAlias, get_args

from aiokafka import errors as aiokafka_errors
from confluent_kafka import KafkaError, KafkaException
from redis import exceptions as redis_errors

from stream.faults import BrokerDown, StoreDown

ErrorKind: TypeAlias = Literal["unreachable", "timeout", "refused", "full", "other"]
KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)

broker_errors: Counter[ErrorKind] = Counter()
store_errors: Counter[ErrorKind] = Counter()

_CODES: dict[int, ErrorKind] = {
    KafkaError._TRANSPORT: "unreachable",  # noqa: SLF001 - librdkafka's own codes carry an underscore
    KafkaError._ALL_BROKERS_DOWN: "unreachable",  # noqa: SLF001
    KafkaError._RESOLVE: "unreachable",  # noqa: SLF001
    KafkaError._NOENT: "unreachable",  # noqa: SLF001 - no leader of a partition is there
    KafkaError.LEADER_NOT_AVAILABLE: "unreachable",
    KafkaError.NOT_LEADER_FOR_PARTITION: "unreachable",
    KafkaError._TIMED_OUT: "timeout",  # noqa: SLF001
    KafkaError._TIMED_OUT_QUEUE: "timeout",  # noqa: SLF001
    KafkaError._MSG_TIMED_OUT: "timeout",  # noqa: SLF001
    KafkaError.REQUEST_TIMED_OUT: "timeout",
    KafkaError._AUTHENTICATION: "refused",  # noqa: SLF001
    KafkaError._SSL: "refused",  # noqa: SLF001
    KafkaError.SASL_AUTHENTICATION_FAILED: "refused",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "refused",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "refused",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "refused",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "refused",
}
_CLASSES: tuple[tuple[tuple[type[BaseException], ...], ErrorKind], ...] = (
    ((redis_errors.AuthenticationError, redis_errors.NoPermissionError), "refused"),
    ((redis_errors.OutOfMemoryError,), "full"),
    ((redis_errors.TimeoutError, aiokafka_errors.RequestTimedOutError, TimeoutError), "timeout"),
    ((redis_errors.ConnectionError, aiokafka_errors.KafkaConnectionError, OSError), "unreachable"),
)
_FULL = ("OOM ", "MISCONF")
"""How Redis begins to refuse writes when memory or disk is full, also from within a script."""


def count_error(fault: BrokerDown | StoreDown) -> None:
    """Count one failure, by the error that it came of."""
    (store_errors if isinstance(fault, StoreDown) else broker_errors)[kind_of(fault)] += 1


def kind_of(fault: BrokerDown | StoreDown) -> ErrorKind:
    """What kind of failure it was."""
    cause = fault.__cause__
    if isinstance(cause, KafkaException):
        return _CODES.get(cause.args[0].code(), "other")
    if isinstance(fault, StoreDown) and any(word in str(fault) for word in _FULL):
        return "full"
    return next((kind for classes, kind in _CLASSES if isinstance(cause, classes)), "other")
