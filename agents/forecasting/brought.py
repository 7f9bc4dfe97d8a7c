"""Forecasters and policies that other packages bring, by their entry points.

A package names them in its own pyproject.toml; docs/how-to/bring-a-learner.md shows one. It is installed wherever a
worker or a command runs: where it is missing, its items are forecast and decided by the defaults.
"""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any


def brought(group: str, ours: Collection[str]) -> Mapping[str, Callable[..., Any]]:
    """Makers by name; each imports its package when it is first called. A name of ours is refused with a ValueError."""
    points = sorted(entry_points(group=group), key=lambda point: point.name)
    for point in points:
        if point.name in ours:
            package = point.dist.name if point.dist is not None else point.value
            raise ValueError(f"{package} brings {group} {point.name!r}, which restock has: rename it in that package")
    return {point.name: partial(_made, point) for point in points}


def _made(point: EntryPoint, *wanted: Any) -> Any:
    return point.load()(*wanted)
