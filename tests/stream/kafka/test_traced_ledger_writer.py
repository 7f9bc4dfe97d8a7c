"""Ledger records with headers and without, on a real broker: in one order, and all of them or an error."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from stream.faults import BrokerDown
from stream.kafka import topics
from stream.kafka.clients import producer_config
from stream.kafka.ledger_writer import LedgerLine
from stream.kafka.traced_ledger_writer import TracedLedgerWriter
from stream.settings import Settings
from tests.chaos.shop_front import Topics


async def test_records_with_headers_and_without_stay_in_order(kafka: str, app: str, topic_prefix: str) -> None:
    settings = Settings(kafka=kafka, app=app, topic_prefix=topic_prefix, partitions=2)
    topics.create(settings)
    lines: list[LedgerLine] = [(b"key", b"%d" % number, None) for number in range(1_000)]
    for number in (0, 1, 400, 402, 999):
        lines[number] = (b"key", b"%d" % number, [("traceparent", b"%d" % number)])
    with ThreadPoolExecutor(1) as threads:
        writer = TracedLedgerWriter(producer_config(settings), settings.topic("ledger"), threads)
        await writer.write({0: lines, 1: lines[:2]})
        await writer.write({0: lines[:1]})
        with pytest.raises(BrokerDown):
            await writer.write({7: lines[:1]})
        writer.close()
    found = Topics(kafka, topic_prefix).read("ledger")
    values = [[record.value for record in found if record.partition == partition] for partition in range(2)]
    assert values == [[line[1] for line in [*lines, lines[0]]], [b"0", b"1"]]
    headed = {record.value: record.headers for record in found if record.headers}
    assert headed == {b"%d" % number: {"traceparent": b"%d" % number} for number in (0, 1, 400, 402, 999)}
