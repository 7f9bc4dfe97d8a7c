"""Refused records on the topic `dead-letters`: the original bytes, with headers that say why and where they came from.

>>> from schemas.refusal import Reason
>>> refusal = Refusal(Reason.NOT_JSON, "", "is not one complete JSON value", "send exactly one JSON object")
>>> headers = letter_headers(refusal, stage="intake", origin=Origin("orders", 3, 17, 1_772_446_500_000))
>>> letter = DeadLetter.from_record(None, b"{", headers)
>>> letter.reason, letter.origin.offset, letter.message
('not_json', 17, 'the event is not one complete JSON value: send exactly one JSON object')
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib import metadata
from typing import Final, Self, TypeAlias

import msgspec

from schemas.envelope import Headers
from schemas.quantities import instant, milliseconds
from schemas.refusal import Refusal

PREFIX: Final = "restock.error."
REASON: Final = PREFIX + "reason"
STAGE: Final = PREFIX + "stage"
TOPIC: Final = PREFIX + "topic"
PARTITION: Final = PREFIX + "partition"
OFFSET: Final = PREFIX + "offset"
EXCEPTION: Final = PREFIX + "exception"
MESSAGE: Final = PREFIX + "message"
APP_VERSION: Final = PREFIX + "app-version"
FIRST_SEEN: Final = PREFIX + "first-seen"

MESSAGE_BYTES: Final = 512
"""The longest message; a longer one is cut between characters."""

OwnHeaders: TypeAlias = list[tuple[str, bytes | None]]


class Origin(msgspec.Struct, frozen=True):
    """The source record that a refusal leads back to, also when the controller refused a movement made of it."""

    topic: str
    """The broker's name."""
    partition: int
    offset: int
    appended_ms: int
    """The broker's append time: when it was first seen."""


def letter_headers(
    refusal: Refusal, *, stage: str, origin: Origin, original: Headers = None, exception: str = ""
) -> OwnHeaders:
    """The headers of a dead letter: the original ones, then the refusal; headers of an earlier refusal are replaced.

    `stage` is `intake` or `controller`, `exception` the class of an exception behind the refusal. No text repeats
    the payload.
    """
    return [
        *without_error(original),
        (REASON, refusal.reason.encode()),
        (STAGE, stage.encode()),
        (TOPIC, origin.topic.encode()),
        (PARTITION, str(origin.partition).encode()),
        (OFFSET, str(origin.offset).encode()),
        (EXCEPTION, exception.encode()),
        (MESSAGE, str(refusal).encode()[:MESSAGE_BYTES].decode(errors="ignore").encode()),
        (APP_VERSION, _app_version()),
        (FIRST_SEEN, instant(origin.appended_ms).encode()),
    ]


def without_error(headers: Headers) -> OwnHeaders:
    """The headers a record had before it was refused."""
    return [(name, value) for name, value in headers or () if not name.startswith(PREFIX)]


@cache
def _app_version() -> bytes:
    return metadata.version("restock").encode()


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A refused record as it is read back."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    """The original headers."""
    reason: str
    """A `Reason`, or one that a later version knows."""
    stage: str
    origin: Origin
    exception: str
    message: str
    app_version: str

    @classmethod
    def from_record(cls, key: bytes | None, value: bytes | None, headers: Headers) -> Self:
        """Read a dead letter. Raises ValueError for any other record."""
        said = {name: (text or b"").decode() for name, text in headers or () if name.startswith(PREFIX)}
        try:
            first_seen_ms = milliseconds(datetime.fromisoformat(said[FIRST_SEEN]))
            return cls(
                key=key,
                value=value,
                headers=without_error(headers),
                reason=said[REASON],
                stage=said[STAGE],
                origin=Origin(said[TOPIC], int(said[PARTITION]), int(said[OFFSET]), first_seen_ms),
                exception=said[EXCEPTION],
                message=said[MESSAGE],
                app_version=said[APP_VERSION],
            )
        except KeyError as missing:
            raise ValueError(f"header {missing} is missing: this is no dead letter") from None
