"""What the transport hands to readers: the records of one fetch, and the offset that a group has committed."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from faust.types import TP


class SourceRecord(Protocol):
    """A record of a source topic as the client decodes it; which partition it is of, its reader knows."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Batch(NamedTuple):
    """The records of [start, end) of one partition; markers and aborted records among them are left out."""

    start: int
    end: int
    records: Sequence[Any]
    """They have an offset, a timestamp and a value; those of a source have a key and headers, too."""
    left: int = 0
    """How many offsets lay behind the batch when it was read."""


class Committed(NamedTuple):
    """What a group has committed of a partition."""

    offset: int
    name: str
    """The feed it was committed for: the same topic name may have belonged to another topic."""


def batch_of(message: Any) -> tuple[TP, Batch]:
    """The partition and the batch that a Faust message of our transport carries."""
    return TP(message.topic, message.partition), message.value
