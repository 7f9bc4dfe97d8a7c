"""CloudEvents 1.0 on Kafka: the envelope around the data of an event, in its two modes.

*Structured*: one JSON object holds attributes and data. *Binary*: the value is the data, the attributes are `ce_`
headers. Both are read; structured is what we write. Attributes that we do not use are ignored.

>>> mode_of([("content-type", b"application/cloudevents+json; charset=utf-8")])
<Mode.STRUCTURED: 'structured'>
>>> mode_of([("ce_specversion", b"1.0"), ("content-type", b"application/json")])
<Mode.BINARY: 'binary'>
"""

from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.quantities import Instant, Moment

Headers: TypeAlias = Sequence[tuple[str, bytes | None]] | None
"""Record headers as both Kafka clients hand them out."""

STRUCTURED_HEADERS: tuple[tuple[str, bytes], ...] = (("content-type", b"application/cloudevents+json"),)
"""The headers of every event we publish."""

Attribute: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]


class Attributes(msgspec.Struct, frozen=True, gc=False):
    """The attributes we use. `source` and `id` identify an event; extensions are copied from cause to effect."""

    specversion: Literal["1.0"]
    id: Attribute
    source: Attribute
    type: Attribute
    time: Moment
    correlationid: Attribute | None = None
    causationid: Attribute | None = None
    traceparent: Attribute | None = None


class Structured(Attributes, frozen=True, kw_only=True, gc=False):
    """Attributes and data in one object; data stays bytes until the type is known."""

    data: msgspec.Raw


class PublishedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that we publish, its fields in the order in which they are written."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    time: Instant
    subject: str
    correlationid: str | UnsetType = UNSET
    causationid: str | UnsetType = UNSET
    traceparent: str | UnsetType = UNSET
    data: Any


class Mode(Enum):
    """How a record carries its event."""

    STRUCTURED = "structured"
    BINARY = "binary"
    UNSUPPORTED = "unsupported"
    """A batch, or a format other than JSON."""


def mode_of(headers: Headers) -> Mode:
    """The mode, by the headers; a record without headers was written by hand and is structured."""
    if not headers:
        return Mode.STRUCTURED
    binary = False
    content_type = b""
    for name, value in headers:
        binary = binary or name.startswith("ce_")
        if name.lower() == "content-type":
            content_type = (value or b"").partition(b";")[0].strip().lower()
    if content_type.startswith(b"application/cloudevents"):
        return Mode.STRUCTURED if content_type == b"application/cloudevents+json" else Mode.UNSUPPORTED
    if not binary:
        return Mode.STRUCTURED
    is_json = not content_type or content_type.endswith((b"/json", b"+json"))
    return Mode.BINARY if is_json else Mode.UNSUPPORTED


def header_attributes(headers: Headers) -> dict[str, str]:
    """The attributes of a binary event. Raises UnicodeDecodeError when one is not UTF-8."""
    return {name[3:]: value.decode() for name, value in headers or () if name.startswith("ce_") and value is not None}
