"""Waiting for a server: in place, with growing pauses, and telling of it once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from stream.faults import BrokerDown, StoreDown

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

FIRST_SECONDS, LONGEST_SECONDS = 0.05, 5.0


async def until_answered(ask: Callable[[], Awaitable[Result]]) -> Result:
    """Ask until the server answers."""
    pause = FIRST_SECONDS
    while True:
        try:
            result = await ask()
        except (StoreDown, BrokerDown) as fault:
            if pause == FIRST_SECONDS:
                logger.warning("%s; waiting for it", _name(fault))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_SECONDS)
        else:
            if pause != FIRST_SECONDS:
                logger.info("The server answers again")
            return result


def _name(fault: Exception) -> str:
    return f"{'Redis' if isinstance(fault, StoreDown) else 'Kafka'} does not answer ({fault})"
