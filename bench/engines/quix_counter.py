# /// script
# requires-python = ">=3.11"
# dependencies = ["quixstreams==3.28.0"]
# ///
"""Quix Streams: a counter per item in RocksDB with a changelog; every seventh record of an item publishes it."""

# mypy: disable-error-code="import-not-found"
import os
from typing import Any

from quixstreams import Application

EVERY = 7

app = Application(
    broker_address=os.environ["BENCH_KAFKA"],
    consumer_group=os.environ["BENCH_SOURCE"],
    auto_offset_reset="earliest",
    state_dir=f"{os.environ['BENCH_STATE']}/quix",
    processing_guarantee="exactly-once",
    loglevel="WARNING",
)


def count(line: dict[str, Any], state: Any) -> dict[str, Any]:
    """Count."""
    line["count"] = state.get("count", 0) + 1
    state.set("count", line["count"])
    return line


lines = app.dataframe(app.topic(os.environ["BENCH_SOURCE"], value_deserializer="json", key_deserializer="str"))
seventh = lines.apply(count, stateful=True).filter(lambda line: line["count"] % EVERY == 0)
seventh.to_topic(app.topic(os.environ["BENCH_SINK"], value_serializer="json", key_serializer="str"))

if __name__ == "__main__":
    app.run()
