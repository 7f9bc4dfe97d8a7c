"""Writes ledger records and intake's dead letters with an idempotent producer, which is replaced after any failure."""

import contextlib
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from stream.failpoints import failpoint
from stream.faults import BrokerDown
from stream.kafka.publisher import Message as Letter
from stream.threads import in_thread

logger = logging.getLogger(__name__)
SLOW_SECONDS = 10.0
MOST_WAITS = 3
"""How many times SLOW_SECONDS is waited. A client may send nothing although its broker is back (seen once in an hour of
faults): then it is replaced and the batch is written again, as after any failure."""

LedgerHeaders: TypeAlias = list[tuple[str, str | bytes | None]]
LedgerLine: TypeAlias = tuple[bytes | None, bytes, LedgerHeaders | None]
"""One ledger record: its key and its value; with traces perhaps headers."""
LETTERS: Mapping[str, Any] = {"compression.type": "gzip"}
"""Every client can read gzip without a plug-in. It compresses at least as well as the codecs of sources, so that a dead
letter fits wherever its record did."""
Lines: TypeAlias = Mapping[int, list[LedgerLine]]
"""Ledger records by partition, in the order in which they are written."""


class LedgerWriter:
    """The producers of one intake process: one for the ledger, one for dead letters."""

    def __init__(self, config: Mapping[str, Any], ledger: str, threads: Executor) -> None:
        # Only failures are reported: once the queue is empty and there was none, all records have arrived.
        self._config = {
            **config,
            "delivery.report.only.error": True,
            "linger.ms": 2,
            # Room for a whole batch: a thousand notices are a thousand records in every partition.
            "queue.buffering.max.messages": 0,
            "queue.buffering.max.kbytes": 1 << 20,
            # The broker judges the size of compressed records; the client would judge it before compression.
            "message.max.bytes": 1_000_000_000,
        }
        self._ledger = ledger
        self._threads = threads
        self.letters_refused = False
        """Whether the broker refused the last dead letters, and not only kept them waiting."""
        self._failures: list[KafkaError] = []
        self._producer: Producer | None = None
        self._letters: Producer | None = None

    async def connect(self) -> None:
        """Connect ahead of the first write: without a connection the client would delay it by half a second."""
        await in_thread(self._threads, self._connect)

    async def write(self, lines: Lines, letters: Sequence[Letter] = ()) -> None:
        """Write the dead letters, then the ledger records, and wait until the broker has them all.

        Raises BrokerDown when any of them failed; some of them may have arrived by then, or may still arrive.
        """
        try:
            if letters:
                await in_thread(self._threads, self._send_letters, letters)
            failpoint("intake.letters_written")
            self._send_lines(lines)
            failpoint("intake.lines_sent")
            await in_thread(self._threads, self._flush, self._open())
        except KafkaException as error:
            await in_thread(self._threads, self._discard)
            raise BrokerDown(error.args[0].str()) from error

    def close(self) -> None:
        """Close the connection."""
        self._discard()

    def _connect(self) -> None:
        with contextlib.suppress(KafkaException):  # the first write will find out what is wrong
            self._open().list_topics(self._ledger, SLOW_SECONDS)

    def _send_letters(self, letters: Sequence[Letter]) -> None:
        if self._letters is None:
            self._letters = Producer({**self._config, **LETTERS})
        producer = self._letters
        for letter in letters:
            while True:
                try:
                    producer.produce(
                        letter.topic, value=letter.value, key=letter.key, partition=letter.partition,
                        headers=list(letter.headers), on_delivery=self._report,
                    )  # fmt: skip
                except BufferError:
                    producer.poll(0.05)
                else:
                    break
        try:
            self._flush(producer)
        finally:
            self.letters_refused = bool(self._failures)

    def _send_lines(self, lines: Lines) -> None:
        ledger, produce, report = self._ledger, self._open().produce, self._report
        try:
            for partition, records in lines.items():
                for key, value, _ in records:
                    produce(ledger, value, key, partition, report)
        except BufferError:
            # Write the batch again from its start: records sent again alone would come behind later ones.
            raise KafkaException(KafkaError(KafkaError._QUEUE_FULL)) from None  # noqa: SLF001

    def _flush(self, producer: Producer) -> None:
        waits = 0
        while producer.flush(SLOW_SECONDS) > 0:
            if waits == 0:
                logger.warning("The ledger does not acknowledge; waiting for it")
            waits += 1
            if waits == MOST_WAITS:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - librdkafka's own code
        if self._failures:
            raise KafkaException(self._failures[0])

    def _open(self) -> Producer:
        if self._producer is None:
            self._producer = Producer(self._config)
        return self._producer

    def _report(self, error: KafkaError | None, message: Message) -> None:  # noqa: ARG002 - the callback's signature
        if error is not None:
            self._failures.append(error)

    def _discard(self) -> None:
        producers = self._producer, self._letters
        self._producer = self._letters = None
        for producer in producers:
            if producer is not None:
                producer.purge()
                producer.close()
        self._failures = []
