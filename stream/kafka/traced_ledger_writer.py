"""Writes ledger records of which some carry headers, which the client's call for batches does not take."""

from itertools import groupby

from confluent_kafka import KafkaError, KafkaException

from stream.kafka.ledger_writer import LedgerLine, LedgerWriter, Lines


class TracedLedgerWriter(LedgerWriter):
    """The ledger writer of a worker that makes spans: a line may have `headers`."""

    def _send_lines(self, lines: Lines) -> None:
        for partition, records in lines.items():
            for with_headers, run in groupby(records, lambda line: "headers" in line):
                if with_headers:
                    self._send_one_by_one(partition, list(run))
                else:
                    super()._send_lines({partition: list(run)})

    def _send_one_by_one(self, partition: int, records: list[LedgerLine]) -> None:
        producer = self._open()
        for line in records:
            try:
                producer.produce(self._ledger, partition=partition, on_delivery=self._report, **line)
            except BufferError:
                raise KafkaException(KafkaError(KafkaError._QUEUE_FULL)) from None  # noqa: SLF001 - as for a batch
