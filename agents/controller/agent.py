"""The Faust agent of the controller: hands the ledger's batches to the owners of the shards.

The owners work in their own time, so a slow shard keeps no other waiting.
"""

import faust
from faust.types import EventT, StreamT

from stream.consumer.batch import Batch, batch_of
from stream.consumer.readers import Readers


def declare(app: faust.App, ledger: str, readers: Readers) -> None:
    """Declare the agent that reads the ledger."""

    @app.agent(app.topic(ledger, key_serializer="raw", value_serializer="raw"), name="controller")
    async def fold(events: StreamT[Batch]) -> None:
        event: EventT[Batch]
        async for event in events.events():
            tp, batch = batch_of(event.message)
            readers.of(tp).receive(batch)
