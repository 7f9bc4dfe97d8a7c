"""Keeps a worker's memory small: garbage is collected seldom, and freed pages are returned to the system.

A batch is thousands of objects that die with it, none of them in a cycle. With Python's defaults the collector of
cycles took a quarter of a catching-up worker's time, and stopped it for a tenth of a second now and then.

glibc gives each of some thirty threads a heap of its own, an arena, and keeps ever larger blocks of what was freed: a
worker that had rebuilt its shards a few dozen times held 240 MB, of which 38 were free.
"""

import asyncio
import ctypes
import gc
import sys

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
"""As glibc's malloc.h names them."""
ARENAS = 2
TRIM_SECONDS = 20.0
OWN_PAGES_BYTES = 256 * 1024
"""From this size on a block has pages of its own, which are returned as soon as it is freed."""


def bound_arenas() -> None:
    """Bound the number of glibc's arenas; call it before there are threads. On other systems it does nothing."""
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt is not None:
            mallopt(_ARENA_MAX, ARENAS)
            mallopt(_MMAP_THRESHOLD, OWN_PAGES_BYTES)


async def keep_returning_pages() -> None:
    """Return free pages to the system now and then, also those between pages in use: taking shards leaves many."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    while trim is not None:
        await asyncio.sleep(TRIM_SECONDS)
        await asyncio.to_thread(trim, 0)


def collect_garbage_seldom() -> None:
    """Let the collector of cycles ignore what is loaded by now, and run less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 10)
