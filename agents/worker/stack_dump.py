"""Dumps the stacks of a worker's tasks and threads at SIGUSR1, which shows what it waits for."""

import asyncio
import faulthandler
import io
import logging
import signal

logger = logging.getLogger(__name__)


def dump_threads_on_signal() -> None:
    """Dump the threads to standard error at SIGUSR1. There are no tasks yet, but a start may wait for a server."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)


def dump_tasks_on_signal(loop: asyncio.AbstractEventLoop) -> None:
    """Log the tasks at SIGUSR1, and dump the threads to standard error: those even when the loop is stuck."""
    faulthandler.unregister(signal.SIGUSR1)  # or the loop's handler would take its place
    loop.add_signal_handler(signal.SIGUSR1, _log_tasks, loop)
    faulthandler.register(signal.SIGUSR1, all_threads=True, chain=True)


def _log_tasks(loop: asyncio.AbstractEventLoop) -> None:
    stacks = io.StringIO()
    for task in sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name()):
        task.print_stack(file=stacks)
    logger.warning("Asked by SIGUSR1 for the stacks of all tasks:\n%s", stacks.getvalue())
