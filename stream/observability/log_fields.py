"""Fields that a log line carries beside its message: shard, partition, topic, offset, item, event, correlation id.

They belong to the task that logs, so that a line of the publisher names the shard it was called for. They are stated
once where a task's work begins, and added to where something went wrong: ordinary records cost nothing.

>>> about(shard=3); also(offset=17); current()
{'shard': 3, 'offset': 17}
>>> about(); current()
{}
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TypeAlias

Field: TypeAlias = str | int
_fields: ContextVar[Mapping[str, Field]] = ContextVar("log fields", default={})  # noqa: B039 - nobody changes it


def about(**fields: Field | None) -> None:
    """State what this task is about from now on; what it was about before is forgotten."""
    _fields.set(_given(fields))


def also(**fields: Field | None) -> None:
    """Add to what this task is about."""
    _fields.set({**_fields.get(), **_given(fields)})


def current() -> Mapping[str, Field]:
    """What this task is about."""
    return _fields.get()


def _given(fields: Mapping[str, Field | None]) -> dict[str, Field]:
    return {name: value for name, value in fields.items() if value not in {None, ""}}
