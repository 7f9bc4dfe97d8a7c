"""What the transport hands over: the records of one fetch, and what a group has committed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from faust.types import TP


class Batch(NamedTuple):
    """The records of [start, end) of one partition; fewer than end - start where markers or aborted records lie."""

    start: int
    end: int
    records: Sequence[Any]
    """They have an offset, a timestamp and a value; those of a source have a key and headers, too."""
    left: int = 0
    """How many offsets there were beyond its end when it was read."""


class Committed(NamedTuple):
    """What a group has committed of a partition."""

    offset: int
    name: str
    """The feed it was committed for: the same topic name may have belonged to another topic."""


def batch_of(message: Any) -> tuple[TP, Batch]:
    """The partition and the batch that a Faust message of our transport carries."""
    return TP(message.topic, message.partition), message.value
