"""What people and programs are shown of a dead letter: a row of the list, and all of it with the original bytes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from schemas.quantities import instant

if TYPE_CHECKING:
    from schemas.envelope import Headers
    from stream.kafka.dead_letters import FiledDeadLetter, Original

COLUMNS = ("place", "state", "refused_at", "reason", "stage", "id", "source", "key", "item", "origin", "message")
"""What the list shows in a terminal."""


def row(filed: "FiledDeadLetter", state: str | None) -> dict[str, Any]:
    """The letter in a line; without a mark its state is open."""
    letter, record, event = filed.letter, filed.record, filed.event
    origin = letter.origin
    return {
        "place": str(filed.place),
        "state": state or "open",
        "refused_at": instant(filed.appended_ms),
        "reason": letter.reason,
        "stage": letter.stage,
        "id": text(event.id),
        "source": text(event.source),
        "type": text(event.type),
        "key": text(letter.key),
        "origin": f"{origin.topic}/{origin.partition}/{origin.offset}",
        "first_seen": instant(origin.appended_ms),
        "item": getattr(record, "item", None),
        "message": letter.message,
    }


def whole(filed: "FiledDeadLetter", state: str | None, found: "Original | None") -> dict[str, Any]:
    """The letter with the record as its producer sent it, where the source still holds that."""
    value = found.value if found else None
    return {
        **row(filed, state),
        "app_version": filed.letter.app_version,
        "exception": filed.letter.exception,
        "key": text(found.key if found else None),
        "headers": dict(_headers(found.headers)) if found else None,
        "value": text(value),
        "bytes": len(value) if value is not None else None,
    }


def _headers(headers: "Headers") -> Iterator[tuple[str, str | None]]:
    for name, value in headers or ():
        yield name, text(value)


def text(value: bytes | str | None) -> str | None:
    r"""Bytes for people: what is no UTF-8, and what a terminal would obey, is escaped.

    >>> text(b"order\x1b[2J\xff")
    'order\\x1b[2J\\xff'
    """
    if value is None:
        return None
    decoded = value if isinstance(value, str) else value.decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in decoded)
