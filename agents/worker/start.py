"""A worker's first moments: metrics and health listen at once, and whoever starts first waits for the others.

Until Kafka and Redis both answer, the worker says what it waits for, is alive, and is not ready. Only what waiting does
not help ends it: a wrong setting, a topic that differs, a server that refuses this client.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Iterator

from stream.checkpoint.redis_client import reach_redis
from stream.errors import AccessDenied, Unreachable
from stream.kafka.clients import reach
from stream.kafka.ledger_state import LedgerState
from stream.observability.answers import Answer, Answers
from stream.observability.health import Health
from stream.observability.instruments import Instruments
from stream.preconditions import verify
from stream.settings import Settings

logger = logging.getLogger(__name__)
FIRST_SECONDS, LONGEST_SECONDS = 0.2, 5.0


class Start:
    """What a worker has before it has looked at anything."""

    def __init__(self, settings: Settings) -> None:
        self.instruments = Instruments()
        self.answers = Answers(self.instruments.registry)
        self.health = Health(settings.metrics, self.instruments.registry, lambda: self.answers.missing or "starting")
        self._settings = settings

    async def verify(self, *, patient: bool) -> LedgerState | None:
        """Verify what must hold, once the servers answer; None when asked to stop meanwhile."""
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        stopping = asyncio.create_task(stop.wait())
        looking = asyncio.create_task(self._look(patient=patient))
        await asyncio.wait({stopping, looking}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            looking.cancel()
            return None
        stopping.cancel()
        return looking.result()

    async def _look(self, *, patient: bool) -> LedgerState:
        pause, said = FIRST_SECONDS, ""
        while True:
            try:
                return await asyncio.to_thread(self._verify)
            except AccessDenied:
                raise
            except Unreachable as error:
                if not patient:
                    raise
                if str(error) != said:
                    logger.warning("%s; waiting for it", error)
                    said = str(error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_SECONDS)

    def _verify(self) -> LedgerState:
        settings, answers = self._settings, self.answers
        with _noted(answers.broker):
            reach(settings)
        with _noted(answers.store):
            reach_redis(settings).close()
        return verify(settings)


@contextlib.contextmanager
def _noted(answer: Answer) -> Iterator[None]:
    """Note whether the server answers within the block."""
    try:
        yield
    except Unreachable as error:
        answer.failed(str(error))
        raise
    answer.came()
