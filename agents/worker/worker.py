"""A worker process from its start to its end. `agents.worker.app` puts its parts together.

Asked to stop, it finishes what it holds, saves checkpoints, and leaves its consumer group.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from agents.intake.intake import Intake
from agents.worker.faust_app import FaustApp
from agents.worker.process_memory import collect_garbage_seldom, keep_returning_pages
from agents.worker.resources import Resources
from agents.worker.stack_dump import dump_tasks_on_signal
from agents.worker.ticker import Ticker
from stream.consumer.readers import Readers
from stream.consumer.transport import Consumer
from stream.observability.health import Health

logger = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 60.0
CRASHED_SECONDS = 5.0
"""How long a worker that cannot go on may tidy up: others wait for its shards, and they recover whatever it leaves."""
LEAVE_SECONDS = 10.0


class Worker:
    """Runs the parts of one process, and lets go of them in the end."""

    def __init__(
        self,
        *,
        resources: Resources,
        app: FaustApp,
        consumer: Callable[[], Consumer],
        readers: Readers,
        intake: Intake | None,
        ticker: Ticker,
        watch: Callable[[], Coroutine[Any, Any, None]],
        health: Health,
    ) -> None:
        self._resources = resources
        self._app = app
        self._consumer = consumer
        self._readers = readers
        self._intake = intake
        """None in a worker that is a controller only."""
        self._ticker = ticker
        self._watch = watch
        self._health = health
        """Listens already."""
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        app.crashed_by = self._fail

    async def run(self, exit_when_idle: float | None = None) -> None:
        """Work until asked to stop, or until nothing has come for so many seconds."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._stop.set)
        dump_tasks_on_signal(loop)
        await self._resources.feeds.every()  # the names of feeds stand in dead letters from the first record on
        self._spawn(self._watch())
        try:
            await self._start(exit_when_idle)
            await self._stop.wait()
        finally:
            leaving = asyncio.create_task(self._shut_down())
            # Not `wait_for`: that would wait for a task that does not react to its cancellation, too.
            await asyncio.wait([leaving], timeout=SHUTDOWN_SECONDS if self._failure is None else CRASHED_SECONDS)
        if self._failure is not None:
            raise self._failure
        if not leaving.done():
            raise TimeoutError(f"this worker did not let go of what it held within {SHUTDOWN_SECONDS:g} s")
        await leaving

    async def _start(self, exit_when_idle: float | None) -> None:
        if self._intake is not None:
            await self._intake.open()
        await self._app.start()
        collect_garbage_seldom()
        self._spawn(keep_returning_pages())
        self._spawn(self._readers.mend(self._consumer().next_offset))
        if self._intake is not None:
            self._spawn(self._ticker.keep_ticking())
        if exit_when_idle is not None:
            self._spawn(self._stop_when_idle(exit_when_idle))

    async def _stop_when_idle(self, seconds: float) -> None:
        await self._ticker.idle(seconds)
        self._stop.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
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
        self._health.why_not_ready = lambda: "stopping"
        for task in self._tasks:
            task.cancel()
        await self._readers.close()
        with contextlib.suppress(TimeoutError):  # the broker may be away; what matters is safe by now
            await asyncio.wait_for(self._app.stop(), LEAVE_SECONDS)
        if self._intake is not None:
            self._intake.close()
        await self._health.stop()
        await self._resources.close()
