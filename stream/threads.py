"""Blocking calls of Kafka's client, kept off the event loop."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

Result = TypeVar("Result")


async def in_thread(threads: Executor, work: Callable[..., Result], *arguments: Any) -> Result:
    """Call `work` in one of these threads, and wait for what it returns; what it logs is about what its caller is."""
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(threads, lambda: context.run(work, *arguments))
