"""The composition root: everything a worker is made of is put together here, and nowhere else.

A worker verifies what it stands on, then runs two Faust agents: intake writes the ledger, the controller feeds the
shards. Asked to stop, it finishes what it holds, checkpoints, and leaves its groups.
"""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir
from typing import Any, TypeVar

import faust
from faust.types import TP
from yarl import URL

from agents.controller import agent as controller
from agents.intake import intake
from agents.intake.intake import Intake
from agents.worker.process_memory import keep_giving_back, seek_garbage_seldom
from agents.worker.resources import SOURCES, Resources
from agents.worker.stack_dump import tell_when_asked
from agents.worker.ticker import Ticker
from schemas.codec import Limits
from stream import VERSION
from stream.consumer.feeds import SourceFeed
from stream.consumer.readers import Readers
from stream.consumer.transport import Consumer, Transport
from stream.kafka.clients import ANSWER_MS, aiokafka_options, producer_config
from stream.kafka.ledger_state import LedgerState
from stream.kafka.ledger_writer import LedgerWriter
from stream.observability.health import Health
from stream.observability.metrics import Metrics
from stream.retry import until_answered
from stream.settings import Settings
from stream.shard.owner import Owner

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

SHUTDOWN_SECONDS = 60.0
CRASHED_SECONDS = 5.0
"""How long a worker that cannot go on may tidy up: others wait for its shards, and what it leaves they find out."""
LEAVE_SECONDS = 10.0


class App(faust.App):
    """A Faust app whose consumer hands out batches and asks `positions` where to read."""

    logger = logging.getLogger("faust.app")
    positions: Readers
    crashed_by: Callable[[BaseException], None]

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
            datadir=str(Path(gettempdir()) / "restock"),  # Faust insists on a place; nothing is kept there
            loghandlers=[],
        )

    def _crash(self, reason: BaseException) -> None:
        """Whatever Faust cannot survive ends the process: a supervisor starts it again, and nothing is lost.

        A part that crashes calls `crash` of its own and nothing but this method of the app, perhaps in its own thread.
        """
        super()._crash(reason)
        self.loop.call_soon_threadsafe(self.crashed_by, reason)

    def _new_transport(self) -> Transport:
        transport = Transport(self.conf.broker, self, loop=self.loop)
        transport.client_options = self._client_options
        return transport


class Worker:
    """One process: its Faust app, its readers, and the clock that ticks."""

    def __init__(self, settings: Settings, ledger: LedgerState, roles: frozenset[str]) -> None:
        self.settings = settings
        self.ledger = ledger
        self.roles = roles
        self.resources = Resources(settings, ledger)
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self.app = App(settings, settings.app)
        self.app.crashed_by = self._fail
        self.readers = self.app.positions = Readers(self._makers())
        self.intake = Intake(
            instruments=self.resources.instruments,
            writer=LedgerWriter(producer_config(settings), settings.topic("ledger"), self.resources.threads),
            logical=lambda topic: topic.removeprefix(settings.topic_prefix),
            dead_letters=settings.topic("dead-letters"),
            partitions=ledger.partitions,
            limits=Limits(settings.max_event_bytes, settings.currency),
            privacy_key=settings.privacy_key_file,
        )
        self.metrics = Metrics(self.resources.instruments, self.readers, self.intake, self._consumer)
        self._health = Health(settings.metrics, self.metrics)

    # Putting together ---------------------------------------------------------------------------------------------

    def _makers(self) -> dict[str, Callable[[TP], Any]]:
        settings, makers = self.settings, dict[str, Callable[[TP], Any]]()
        if "intake" in self.roles:
            makers = {settings.topic(name): self._make_feed for name in SOURCES}
        if "controller" in self.roles:
            ports = self.resources.ports()
            every = settings.checkpoint_ms / 1000

            def make_owner(tp: TP) -> Owner:
                return Owner(tp.partition, ports, VERSION, every, lambda offset: self._consumer().move(tp, offset))

            makers[settings.topic("ledger")] = make_owner
        return makers

    def _make_feed(self, tp: TP) -> SourceFeed:
        return SourceFeed(tp, self._feed_name, self._consumer(), self.resources.instruments)

    async def _feed_name(self, tp: TP) -> str:
        return await self._in_thread(self.resources.name_of_feed, tp.topic, tp.partition)

    async def _in_thread(self, work: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self.resources.threads, work, *arguments)

    def _consumer(self) -> Consumer:
        consumer = self.app.consumer
        assert isinstance(consumer, Consumer)  # noqa: S101 - our transport makes no other
        return consumer

    # Running ------------------------------------------------------------------------------------------------------

    async def run(self, exit_when_idle: float | None = None) -> None:
        """Work until asked to stop, or until nothing has come for so many seconds."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._stop.set)
        tell_when_asked(loop)
        await until_answered(lambda: self._in_thread(self.resources.name_feeds))
        if "intake" in self.roles:
            intake.declare(self.app, [self.settings.topic(name) for name in SOURCES], self.readers, self.intake)
        if "controller" in self.roles:
            controller.declare(self.app, self.settings.topic("ledger"), self.readers)
        pulse = Ticker(self.readers, self.intake, self._consumer, self._tick)
        await self._health.start()
        try:
            if "intake" in self.roles:
                await self.intake.open()
            await self.app.start()
            seek_garbage_seldom()
            self._spawn(keep_giving_back())
            self._spawn(self.readers.mend(self._consumer()))
            if "intake" in self.roles:
                wall_clock = self.settings.clock == "wall"
                self._spawn(pulse.keep_ticking(self.settings.tick_ms / 1000, wall_clock=wall_clock))
            if exit_when_idle is not None:
                self._spawn(self._stop_when_idle(pulse, exit_when_idle))
            await self._stop.wait()
        finally:
            leaving = asyncio.create_task(self._shut_down())
            # Not `wait_for`, which would wait for what does not heed a cancellation either.
            await asyncio.wait([leaving], timeout=SHUTDOWN_SECONDS if self._failure is None else CRASHED_SECONDS)
        if self._failure is not None:
            raise self._failure
        if not leaving.done():
            raise TimeoutError(f"what this worker held was not let go within {SHUTDOWN_SECONDS:g} s")
        await leaving

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (bug := task.exception()) is not None:
            self._fail(bug)

    def _fail(self, reason: BaseException) -> None:
        if self._failure is None and not self._stop.is_set():
            logger.critical("The worker cannot go on and ends: %r", reason)
            self._failure = reason
        self._stop.set()

    async def _shut_down(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.readers.close()
        with contextlib.suppress(TimeoutError):  # a broker that is away cannot be told goodbye; all else is safe by now
            await asyncio.wait_for(self.app.stop(), LEAVE_SECONDS)
        self.intake.close()
        await self._health.stop()
        await self.resources.close()

    async def _tick(self) -> None:
        if "intake" in self.roles:
            names = await until_answered(lambda: self._in_thread(self.resources.every_feed))
            now = int(time.time() * 1000) if self.settings.clock == "wall" else None
            feeds = [reader for reader in self.readers.by_partition.values() if isinstance(reader, SourceFeed)]
            await self.intake.tick(feeds, names, now, self.ledger.settings)

    async def _stop_when_idle(self, pulse: Ticker, seconds: float) -> None:
        await pulse.idle(seconds)
        self._stop.set()
