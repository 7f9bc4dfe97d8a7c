"""Waits for a server with growing pauses, and logs it once, however many wait."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from stream.faults import BrokerDown, StoreDown
from stream.observability.server_errors import count_error

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

_waiting: dict[str, dict[object, str]] = {"Redis": {}, "Kafka": {}}
"""Who waits for which server, and why: many shards of a process may wait, and one log line is enough."""

FIRST_SECONDS, LONGEST_SECONDS = 0.05, 5.0


async def until_answered(ask: Callable[[], Awaitable[Result]]) -> Result:
    """Ask until the server answers."""
    pause, me = FIRST_SECONDS, object()
    try:
        while True:
            try:
                result = await ask()
            except (StoreDown, BrokerDown) as fault:
                count_error(fault)
                _begin_to_wait(me, "Redis" if isinstance(fault, StoreDown) else "Kafka", fault)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_SECONDS)
            else:
                _answered(me)
                return result
    finally:
        for waiting in _waiting.values():
            waiting.pop(me, None)


def waited_for() -> str:
    """Which server somebody waits for now, and what it answered last; an empty text when nobody does."""
    return next((f"{server} is waited for: {[*why.values()][-1]}" for server, why in _waiting.items() if why), "")


def _begin_to_wait(who: object, server: str, fault: Exception) -> None:
    if not _waiting[server]:
        logger.warning("%s does not answer (%s); waiting for it", server, fault)
    _waiting[server][who] = str(fault)


def _answered(who: object) -> None:
    """Log once that the server answers; others that wait find out by their own next try."""
    for server, waiting in _waiting.items():
        if who in waiting:
            logger.info("%s answers again", server)
            waiting.clear()
