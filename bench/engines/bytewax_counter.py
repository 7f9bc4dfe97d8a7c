# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["bytewax[kafka]==0.21.1"]
# ///
"""Bytewax: a counter per item, recovered from SQLite; every seventh record of an item publishes it."""

# mypy: disable-error-code="import-not-found"
import json
import os
from datetime import timedelta
from pathlib import Path

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import cluster_main

EVERY = 7
BROKERS = [os.environ["BENCH_KAFKA"]]


def count(kept: int | None, _: object) -> tuple[int, int]:
    """Count."""
    number = (kept or 0) + 1
    return number, number


def written(seventh: tuple[str, int]) -> KafkaSinkMessage:
    """Write an output."""
    sku, number = seventh
    return KafkaSinkMessage(sku.encode(), json.dumps({"sku": sku, "count": number}).encode())


flow = Dataflow("counter")
read = op.input("read", flow, KafkaSource(BROKERS, [os.environ["BENCH_SOURCE"]], batch_size=5000))
lines = op.map("decode", read, lambda message: (message.key.decode(), json.loads(message.value)))
counted = op.stateful_map("count", lines, count)
seventh = op.filter("filter", counted, lambda pair: pair[1] % EVERY == 0)
op.output("write", op.map("encode", seventh, written), KafkaSink(BROKERS, os.environ["BENCH_SINK"]))

if __name__ == "__main__":
    kept = Path(os.environ["BENCH_STATE"]) / "bytewax"
    kept.mkdir()
    init_db_dir(kept, 1)
    cluster_main(flow, [], 0, recovery_config=RecoveryConfig(str(kept)), epoch_interval=timedelta(seconds=1))
