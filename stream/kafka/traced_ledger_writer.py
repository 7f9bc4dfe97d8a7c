"""Writes ledger records of which some carry headers."""

from confluent_kafka import KafkaError, KafkaException

from stream.kafka.ledger_writer import LedgerWriter, Lines


class TracedLedgerWriter(LedgerWriter):
    """The ledger writer of a worker that makes spans: a line may have headers."""

    def _send_lines(self, lines: Lines) -> None:
        producer = self._open()
        try:
            for partition, records in lines.items():
                for key, value, headers in records:
                    producer.produce(
                        self._ledger, value, key, partition, on_delivery=self._report, headers=headers or []
                    )
        except BufferError:
            raise KafkaException(KafkaError(KafkaError._QUEUE_FULL)) from None  # noqa: SLF001 - as without headers
