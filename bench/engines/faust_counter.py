# /// script
# requires-python = ">=3.11"
# dependencies = ["faust-streaming==0.15.3"]
# ///
"""Plain Faust: a counter per item in a table with a changelog; every seventh record of an item publishes it."""

import os

import faust

SOURCE, SINK = os.environ["BENCH_SOURCE"], os.environ["BENCH_SINK"]
PARTITIONS = 12
EVERY = 7

app = faust.App(
    SOURCE,
    broker=f"kafka://{os.environ['BENCH_KAFKA']}",
    store="memory://",
    datadir=f"{os.environ['BENCH_STATE']}/faust",
    topic_disable_leader=True,
    topic_partitions=PARTITIONS,
    topic_replication_factor=1,
)


class CountedLine(faust.Record, serializer="json"):
    """One record of the source, as far as it is looked at."""

    sku: str
    n: int


counts = app.Table("counts", default=int, partitions=PARTITIONS)
sink = app.topic(SINK, value_serializer="json")


@app.agent(app.topic(SOURCE, value_type=CountedLine))
async def count(lines: faust.StreamT[CountedLine]) -> None:
    """Count, and publish."""
    async for line in lines:
        counts[line.sku] += 1
        if counts[line.sku] % EVERY == 0:
            await sink.send(key=line.sku, value={"sku": line.sku, "count": counts[line.sku]})


if __name__ == "__main__":
    faust.Worker(app, loglevel="warn").execute_from_commandline()
