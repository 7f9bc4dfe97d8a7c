"""Controller: hands the ledger's batches to the owners of their shards, who do all the rest in their own time."""

import faust
from faust.types import EventT, StreamT

from stream.consumer.readers import Readers
from stream.consumer.transport import Batch, batch_of


def declare(app: faust.App, ledger: str, readers: Readers) -> None:
    """Declare the agent that feeds the shards."""

    @app.agent(app.topic(ledger, key_serializer="raw", value_serializer="raw"), name="controller")
    async def fold(events: StreamT[Batch]) -> None:
        event: EventT[Batch]
        async for event in events.events():
            readers.receive(*batch_of(event.message))
