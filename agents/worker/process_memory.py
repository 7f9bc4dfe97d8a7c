"""How a worker keeps its memory: garbage is looked for seldom, and what was freed goes back to the system.

A batch is thousands of objects that die with it, none of them in a cycle: with Python's defaults the collector took a
quarter of a catching-up worker's time, and stopped it for a tenth of a second now and then. And glibc gives each of
some thirty threads an arena of its own, and after large blocks were freed keeps ever larger ones: a worker that had
rebuilt its shards a few dozen times held 240 MB, of which 38 were free.
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
"""From this size on a block has pages of its own, and they go back at once."""


def give_back_what_was_freed() -> None:
    """Bound glibc's arenas; to be called before there are threads. Elsewhere nothing is done."""
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt is not None:
            mallopt(_ARENA_MAX, ARENAS)
            mallopt(_MMAP_THRESHOLD, OWN_PAGES_BYTES)


async def keep_giving_back() -> None:
    """Give the free pages between what is in use back to the system, now and then: taking shards leaves many."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    while trim is not None:
        await asyncio.sleep(TRIM_SECONDS)
        await asyncio.to_thread(trim, 0)


def seek_garbage_seldom() -> None:
    """Let the collector of cycles pass over the modules, and begin less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 10)
