"""Controller: hands the ledger's batches to the owners of their shards, who do all the rest in their own time."""

import faust
from faust.types import TP, EventT, StreamT

from stream.readers import Readers
from stream.transport import Batch


def declare(app: faust.App, ledger: str, readers: Readers) -> None:
    """Declare the agent that feeds the shards."""

    @app.agent(app.topic(ledger, key_serializer="raw", value_serializer="raw"), name="controller")
    async def fold(events: StreamT[Batch]) -> None:
        event: EventT[Batch]
        async for event in events.events():
            readers.receive(TP(event.message.topic, event.message.partition), event.message.value)
