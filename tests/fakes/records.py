"""Records as the consumer hands them to readers."""

from typing import NamedTuple


class ConsumedRecord(NamedTuple):
    """A record of a source topic or of the ledger."""

    offset: int
    timestamp: int
    value: bytes | None
    topic: str = "orders"
    partition: int = 0
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
