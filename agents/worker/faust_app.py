"""The Faust app of a worker: with our transport, and without the parts of Faust that a worker does not use."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir

import faust
from faust.tables.manager import TableManager
from yarl import URL

from stream.consumer.readers import Readers
from stream.consumer.transport import Transport
from stream.kafka.clients import ANSWER_MS, aiokafka_options
from stream.settings import Settings


class NoTables(TableManager):
    """Tables, of which a worker has none: Faust would wait a second for them before it joins its group."""

    logger = logging.getLogger("faust.tables")

    async def on_start(self) -> None:
        """Go on once the topics of every agent are named: one that is named later is not read for 45 s."""
        wanted = {topic for agent in self.app.agents.values() for topic in agent.channel.topics}
        while not wanted <= self._named() and not self.should_stop:  # noqa: ASYNC110 - Faust tells nobody
            await asyncio.sleep(0.001)
        await self._update_channels()
        await self.recovery.start()

    def _named(self) -> set[str]:
        return {topic for channel in self.app.topics for topic in channel.topics}


class FaustApp(faust.App):
    """A Faust app whose consumer hands out batches and asks `readers` where to read."""

    logger = logging.getLogger("faust.app")
    readers: Readers
    crashed_by: Callable[[BaseException], None]
    """Called when Faust cannot go on."""

    def __init__(self, settings: Settings, group: str) -> None:
        self._client_options = aiokafka_options(settings)
        session = settings.session_timeout_ms / 1000
        super().__init__(
            group,
            broker=[URL(f"kafka://{server}") for server in settings.kafka.split(",")],
            broker_max_poll_records=2500,
            broker_session_timeout=session,
            broker_heartbeat_interval=session / 5,
            broker_rebalance_timeout=session,
            broker_request_timeout=max(ANSWER_MS / 1000, 2 * session),
            broker_max_poll_interval=300.0,
            broker_commit_interval=1.0,
            topic_disable_leader=True,
            topic_allow_declare=False,
            stream_wait_empty=False,
            stream_buffer_maxsize=1 << 16,
            web_enabled=False,
            datadir=str(Path(gettempdir()) / "restock"),  # Faust insists on a folder; nothing is kept there
            loghandlers=[],
            TableManager=NoTables,
        )

    def _crash(self, reason: BaseException) -> None:
        """End the process when Faust cannot go on: a supervisor starts it again, and nothing is lost.

        A part of Faust that crashes calls no method of the app but this one, perhaps from another thread.
        """
        super()._crash(reason)
        self.loop.call_soon_threadsafe(self.crashed_by, reason)

    def _new_transport(self) -> Transport:
        transport = Transport(self.conf.broker, self, loop=self.loop)
        transport.client_options = self._client_options
        return transport
