"""Measures how far this machine's clock is from the broker's, with a record that is never committed."""

import time

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, KafkaError, Message, Producer

from stream.errors import Unreachable
from stream.kafka.clients import REACH_SECONDS, answering, producer_config
from stream.settings import Settings


def skew_ms(settings: Settings) -> int:
    """This machine's time minus the broker's.

    A record is appended to the dead letters within a transaction that is then aborted: the broker stamps it, and no
    reader of committed records ever sees it.
    """
    stamps: list[int] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        kind, stamp = message.timestamp()
        if error is None and kind == TIMESTAMP_LOG_APPEND_TIME:
            stamps.append(stamp)

    config = producer_config(settings, message_timeout_ms=10_000, linger_ms=0)
    producer = Producer(config | {"transactional.id": f"{settings.app}-doctor"})
    with answering(settings):
        producer.init_transactions(REACH_SECONDS)
        producer.begin_transaction()
        sent = time.time()
        producer.produce(settings.topic("dead-letters"), b"", on_delivery=delivered)
        producer.flush(REACH_SECONDS)
        answered = time.time()
        producer.abort_transaction(REACH_SECONDS)
    if not stamps:
        raise Unreachable(f"{settings.topic('dead-letters')} stamps no append time: run `restock topics check`")
    return round((sent + answered) / 2 * 1_000) - stamps[0]
