"""Freed memory is returned to the system as long as a worker works."""

import asyncio
import ctypes
import threading
from types import SimpleNamespace

import pytest

from agents.worker import process_memory


async def test_free_pages_are_returned_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    given = threading.Semaphore(0)
    monkeypatch.setattr(process_memory, "TRIM_SECONDS", 0.001)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(malloc_trim=lambda _: given.release()))
    giving = asyncio.create_task(process_memory.keep_returning_pages())
    for _ in range(3):
        assert await asyncio.to_thread(given.acquire, timeout=10)
    giving.cancel()


async def test_a_system_without_such_a_call_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    async with asyncio.timeout(10):
        await process_memory.keep_returning_pages()
