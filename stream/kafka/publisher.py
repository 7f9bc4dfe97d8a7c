"""Publishes the outputs of one shard and their journal record in one Kafka transaction: all of them or none.

`open` fences the previous owner. If the answer to a commit is lost, only the commit is asked for again. An aborted
transaction is published again as it was. Any other fault ends this publisher: the next one reads in the journal whether
the transaction was committed.
"""

import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Producer

from schemas.journal import JournalRecord, encode_journal
from stream.failpoints import failpoint
from stream.faults import BrokerDown, Fenced, Unclear
from stream.ports import Output
from stream.threads import in_thread

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0
"""How long one call waits for its answer."""
TRIES = 3
"""A transaction aborted so often always will be: the broker refuses a record, or does not let us write a topic."""
FENCED = (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH)  # noqa: SLF001


class Message(NamedTuple):
    """One record as it goes to the broker."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


Encode = Callable[[Output], Message]


class KafkaPublisher:
    """The transactional producer of one shard."""

    def __init__(
        self,
        config: Mapping[str, Any],
        transactional_id: str,
        encode: Encode,
        journal: tuple[str, int],
        threads: Executor,
    ) -> None:
        self._config = {**config, "transactional.id": transactional_id}
        self._encode = encode
        self._journal = journal
        self._threads = threads
        self._producer: Producer | None = None
        self._closed = False

    async def open(self) -> None:
        """Fence the previous owner, and end the transaction that it left open."""
        await in_thread(self._threads, self._open)

    async def publish(self, outputs: Sequence[Output], record: JournalRecord) -> int:
        """Publish all of it or nothing; answers with the journal's own offset after this record."""
        messages = [*map(self._encode, outputs)]
        return await in_thread(self._threads, self._transact, messages, encode_journal(record))

    async def close(self) -> None:
        """Close the connection; what was not committed is aborted."""
        self._closed = True
        await in_thread(self._threads, self._let_go)

    def _open(self) -> None:
        self._let_go()
        producer = self._producer = Producer(self._config)
        try:
            # Connect first: a client that asks for its id without a connection tries again only half a second later.
            producer.list_topics(self._journal[0], ANSWER_SECONDS)
            producer.init_transactions(ANSWER_SECONDS)
        except KafkaException as error:
            raise BrokerDown(error.args[0].str()) from error
        except RuntimeError:  # the producer was closed between two calls
            if not self._closed:
                raise
        if self._closed:  # while it was being opened
            self._let_go()

    def _let_go(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()
            # A fenced producer raises its error again, and the client turns that into a SystemError.
            with contextlib.suppress(KafkaException, SystemError):
                producer.close()

    def _transact(self, messages: Iterable[Message], record: bytes) -> int:
        """Publish and commit; begin again after an abort, up to TRIES times."""
        topic, partition = self._journal
        written: list[int] = []
        for left in reversed(range(TRIES)):
            producer = self._producer
            if producer is None or self._closed:
                raise Unclear("the publisher was closed")
            try:
                producer.begin_transaction()
                for message in messages:
                    self._produce(producer, message)
                self._produce(producer, Message(topic, partition, None, record), written)
                failpoint("publish.before_commit")
                self._commit(producer)
                failpoint("publish.committed")
            except KafkaException as error:
                self._settle(producer, error.args[0], left)
            else:
                return written[-1] + 1
        raise Unclear("the transaction was aborted")

    def _produce(self, producer: Producer, message: Message, written: list[int] | None = None) -> None:
        """Hand a record to the client; its offset is added to `written` once the broker has told it."""
        while True:
            try:
                producer.produce(
                    message.topic,
                    value=message.value,
                    key=message.key,
                    partition=message.partition,
                    headers=list(message.headers),
                    on_delivery=None if written is None else lambda _, stored: written.append(stored.offset() or 0),
                )
            except BufferError:
                producer.poll(0.05)
            else:
                return

    def _commit(self, producer: Producer) -> None:
        logged = False
        while True:
            try:
                producer.commit_transaction(ANSWER_SECONDS)
            except KafkaException as error:
                cause: KafkaError = error.args[0]
                if not cause.retriable() or self._closed:
                    raise
                if not logged:  # once, however long it takes
                    logger.warning("Kafka does not answer a commit (%s): asking again", cause.str())
                    logged = True
            else:
                return

    def _settle(self, producer: Producer, cause: KafkaError, left: int) -> None:
        """Abort, so that the transaction can be tried again; if it cannot, raise the fault that ends this publisher."""
        if cause.code() in FENCED or cause.fatal() or not cause.txn_requires_abort():
            raise _end(cause)
        try:
            producer.abort_transaction(ANSWER_SECONDS)
        except KafkaException as error:
            raise _end(error.args[0]) from error
        if not left:
            raise Unclear(cause.str())
        logger.warning("Publishing again after an aborted transaction: %s", cause.str())


def _end(cause: KafkaError) -> Fenced | Unclear:
    return (Fenced if cause.code() in FENCED else Unclear)(cause.str())
