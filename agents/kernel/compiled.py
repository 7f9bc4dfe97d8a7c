"""Makes a function part of the kernel: `@compiled`.

>>> import numpy as np
>>> @compiled
... def square(x):
...     return x * x
>>> @compiled(np.float64, int)
... def squares_below(numbers, count):
...     found = 0.0
...     for place in range(count):
...         found += square(numbers[place])
...     return found
>>> squares_below(np.array([1.0, 2.0, 3.0]), 2)
5.0
"""

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, overload

import numba
import numpy as np
import numpy.typing as npt

from agents.kernel.code_cache import keep

Numbers: TypeAlias = npt.NDArray[np.float64]
Singles: TypeAlias = npt.NDArray[np.float32]
Places: TypeAlias = npt.NDArray[np.int64]
Bytes: TypeAlias = npt.NDArray[np.uint8]
Records: TypeAlias = npt.NDArray[np.void]
Record: TypeAlias = np.void
Function = TypeVar("Function", bound=Callable[..., Any])
Kind = type[float] | type[int] | type[bool] | npt.DTypeLike | tuple[npt.DTypeLike, int]
"""A number, an array of numbers or records, or one of so many dimensions."""
_called: list[tuple[Any, tuple[Any, ...]]] = []
"""Functions that are called from outside of the kernel, and with what."""


@overload
def compiled(function: Function, /) -> Function: ...
@overload
def compiled(*kinds: Kind) -> Callable[[Function], Function]: ...
def compiled(*kinds: Any) -> Any:
    """Compile a function when it is first called.

    One that is called from outside of the kernel says with what, so that `ready` can compile it before that.
    """
    if len(kinds) == 1 and callable(kinds[0]) and not isinstance(kinds[0], type):
        return _compiled(kinds[0])

    def called(function: Any) -> Any:
        made = _compiled(function)
        if not numba.config.DISABLE_JIT:
            _called.append((made, tuple(map(_type_of, kinds))))
        return made

    return called


def ready() -> int:
    """Compile what was declared so far, or take it from the code cache; from then on another call is a TypeError.

    Answers with how many functions are ready. Without this a worker would compile in the middle of a review.
    """
    for function, kinds in _called:
        if kinds not in function.overloads:
            function.compile(kinds)
        function.disable_compile()
    return len(_called)


def _compiled(function: Any) -> Any:
    made = numba.njit(function, error_model="numpy")
    return made if numba.config.DISABLE_JIT else keep(made)


def _type_of(kind: Any) -> Any:
    if kind in {float, int, bool}:
        return {float: numba.float64, int: numba.int64, bool: numba.boolean}[kind]
    dtype, dimensions = kind if isinstance(kind, tuple) else (kind, 1)
    return numba.types.Array(numba.from_dtype(np.dtype(dtype)), dimensions, "C", aligned=True)
