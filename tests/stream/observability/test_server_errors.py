"""Failures of Kafka and Redis are counted by what they came of."""

import pytest
from aiokafka.errors import KafkaConnectionError, RequestTimedOutError
from confluent_kafka import KafkaError, KafkaException
from redis import exceptions as redis_errors

from stream.faults import BrokerDown, StoreDown
from stream.observability.server_errors import broker_errors, count_error, kind_of, store_errors

KINDS_OF_BROKER = [
    (KafkaException(KafkaError(KafkaError._TRANSPORT)), "unreachable"),
    (KafkaException(KafkaError(KafkaError._TIMED_OUT)), "timeout"),
    (KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)), "refused"),
    (KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)), "other"),
    (KafkaConnectionError("gone"), "unreachable"),
    (RequestTimedOutError(), "timeout"),
]
KINDS_OF_STORE = [
    (redis_errors.ConnectionError("gone"), "unreachable"),
    (redis_errors.TimeoutError("late"), "timeout"),
    (TimeoutError(), "timeout"),
    (ConnectionRefusedError("gone"), "unreachable"),
    (redis_errors.AuthenticationError("no"), "refused"),
    (redis_errors.NoPermissionError("no"), "refused"),
    (redis_errors.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."), "full"),
    (redis_errors.ResponseError("OOM command not allowed, script: x, on @user_script:1."), "full"),
    (redis_errors.ResponseError("MISCONF Errors writing to the AOF file: No space left on device"), "full"),
    (redis_errors.ResponseError("wrong number"), "other"),
]


@pytest.mark.parametrize("cause, kind", KINDS_OF_BROKER)
def test_kinds_of_the_brokers_failures(cause: Exception, kind: str) -> None:
    fault = BrokerDown(str(cause))
    fault.__cause__ = cause
    assert kind_of(fault) == kind


@pytest.mark.parametrize("cause, kind", KINDS_OF_STORE)
def test_kinds_of_the_stores_failures(cause: Exception, kind: str) -> None:
    fault = StoreDown(str(cause))
    fault.__cause__ = cause
    assert kind_of(fault) == kind


def test_each_server_is_counted_by_itself() -> None:
    before = broker_errors.total(), store_errors.total()
    count_error(StoreDown("away"))
    assert (broker_errors.total(), store_errors.total()) == (before[0], before[1] + 1)
    count_error(BrokerDown("away"))
    assert (broker_errors.total(), store_errors.total()) == (before[0] + 1, before[1] + 1)
