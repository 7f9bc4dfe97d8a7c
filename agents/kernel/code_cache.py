"""Where compiled code is kept, so that it is compiled once and not at every start.

It stands in a folder that is named after all that it depends on: the sources of the rooms that are compiled, Numba, and
the processor. So code of another version or processor is never taken by mistake, whichever function has changed. The
folder is in NUMBA_CACHE_DIR, or else beside this file, or else in the user's own cache. One that is there need not be
writable, as in an image. Where nothing can be written, code is compiled at every start, which takes most of a minute.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache

ROOMS = ("kernel", "forecasting", "policies")
"""Folders of `agents` that hold functions of the kernel."""


def keep(function: Any) -> Any:
    """Have a compiled function's code kept."""
    folder = _folder()
    if folder is not None:
        function._cache = _Kept(function.py_func)  # noqa: SLF001 - what `cache=True` does, with a folder of our own
    return function


def nothing_kept() -> bool:
    """Whether everything must be compiled, which takes most of a minute."""
    folder = _folder()
    return folder is None or not any(folder.iterdir())


@cache
def _folder() -> Path | None:
    """The folder of this version and processor; None where none can be made."""
    name = f"restock-{_digest()}"
    places = [Path(__file__).parent / "__pycache__", *_of_user()]
    if numba.config.CACHE_DIR:
        places = [Path(numba.config.CACHE_DIR)]
    for place in places:
        if (place / name).is_dir():
            return place / name
    for place in places:
        try:
            (place / name).mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        return place / name
    return None


def _of_user() -> list[Path]:
    try:
        return [Path.home() / ".cache" / "restock"]
    except RuntimeError:  # a user without a home
        return []


def _digest() -> str:
    """What the code depends on: sources, Numba, and the processor it is compiled for."""
    found = hashlib.sha256(f"{numba.__version__} {_processor()}".encode())
    for room in ROOMS:
        for source in sorted((Path(__file__).parent.parent / room).rglob("*.py")):
            found.update(source.read_bytes())
    return found.hexdigest()[:16]


def _processor() -> str:
    """The kind of processor; NUMBA_CPU_NAME=generic is any of its kind."""
    if numba.config.CPU_NAME:
        return f"{numba.config.CPU_NAME} {numba.config.CPU_FEATURES}"
    return f"{llvmlite.binding.get_host_cpu_name()} {llvmlite.binding.get_host_cpu_features().flatten()}"


class _Place:
    """Tells Numba where a function's code is kept."""

    def __init__(self, function: Any) -> None:
        self._name = f"{function.__module__}-{function.__code__.co_firstlineno}"

    def get_cache_path(self) -> str:
        return str(_folder())

    def get_source_stamp(self) -> str:
        return ""  # the folder's name says it

    def get_disambiguator(self) -> str:
        return self._name

    def ensure_cache_path(self) -> None:
        pass

    @classmethod
    def from_function(cls, function: Any, source: str) -> "_Place":
        del source
        return cls(function)


class _Form(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Place,)


class _Kept(FunctionCache):  # type: ignore[misc]
    _impl_class = _Form

    def save_overload(self, signature: Any, data: Any) -> None:
        """Keep code; where that fails, it is compiled again at the next start."""
        try:
            super().save_overload(signature, data)
        except OSError:
            self.disable()
