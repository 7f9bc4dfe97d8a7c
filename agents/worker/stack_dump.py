"""SIGUSR1: a worker says where each of its tasks and threads stands. For whoever wonders what it waits for."""

import asyncio
import faulthandler
import io
import logging
import signal

logger = logging.getLogger(__name__)


def tell_threads_when_asked() -> None:
    """Write the threads to standard error at SIGUSR1, while there are no tasks yet: a start may wait for a server."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)


def tell_when_asked(loop: asyncio.AbstractEventLoop) -> None:
    """Log the tasks at SIGUSR1, and write the threads to standard error: those even when the loop is stuck."""
    faulthandler.unregister(signal.SIGUSR1)  # or the loop's handler would take its place
    loop.add_signal_handler(signal.SIGUSR1, _tell, loop)
    faulthandler.register(signal.SIGUSR1, all_threads=True, chain=True)


def _tell(loop: asyncio.AbstractEventLoop) -> None:
    said = io.StringIO()
    for task in sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name()):
        task.print_stack(file=said)
    logger.warning("Asked by SIGUSR1 where it stands:\n%s", said.getvalue())
