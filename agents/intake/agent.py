"""The Faust agent of intake: takes the batches of the source feeds, one after the other."""

from collections.abc import Sequence

import faust
from faust.types import EventT, StreamT

from agents.intake.intake import Intake
from stream.consumer.batch import Batch, batch_of
from stream.consumer.feeds import SourceFeed
from stream.consumer.readers import Readers


def declare(app: faust.App, topics: Sequence[str], readers: Readers, intake: Intake) -> None:
    """Declare the agent that takes what producers publish."""

    @app.agent(app.topic(*topics, key_serializer="raw", value_serializer="raw"), name="intake")
    async def take(events: StreamT[Batch]) -> None:
        event: EventT[Batch]
        async for event in events.events():
            tp, batch = batch_of(event.message)
            reader = readers.of(tp)
            if isinstance(reader, SourceFeed):
                await intake.take_or_park(reader, batch)
            readers.of(tp).receive(batch)  # asked anew: the partition may have been lost meanwhile
