"""Decodes records into events or verdicts, and encodes outputs: the one place for both.

`decode` is total: whatever the bytes are, it returns an event, a refusal, or None for a tombstone. A verdict
depends on the bytes, the headers, the topic and the broker's append time, never on a clock or on state.

>>> refusal = decode("orders", b'{"specversion": "1.0"}', None, 0)
>>> refusal.reason.value, refusal.field
('missing_field', 'id')
"""

import re
from datetime import datetime
from itertools import accumulate
from typing import Literal

import msgspec
import xxhash

from schemas.checks import EARLIEST_MS, find_fault
from schemas.diagnosis import fault_of_attributes, fault_of_bytes, fault_of_data, fault_of_type
from schemas.envelope import Attributes, Headers, Mode, PublishedEvent, Structured, header_attributes, mode_of
from schemas.inbound import INBOUND, Inbound, OrderPlaced
from schemas.outbound import OUTBOUND, OutputEvent
from schemas.quantities import DAY_MS, instant, milliseconds
from schemas.refusal import Reason, Refusal

MAX_DEPTH = 64
"""The deepest nesting accepted. It is counted before parsing: a parser's own limit depends on its caller's stack."""


class Limits(msgspec.Struct, frozen=True):
    """The two settings a verdict depends on."""

    max_bytes: int = 256_000
    currency: str = "EUR"


class Event(msgspec.Struct, frozen=True, gc=False):
    """An inbound event that has passed every check."""

    source: str
    id: str
    type: str
    time_ms: int
    data: Inbound
    correlation: str | None = None
    causation: str | None = None
    trace: str | None = None


class PlacedOrder(Attributes, frozen=True, kw_only=True, gc=False):
    """The event that comes most often, with its data."""

    type: Literal["order.placed"]
    data: OrderPlaced


class Typed(msgspec.Struct, gc=False):
    """The part of an event that says to which topic it belongs."""

    type: str


DEFAULT_LIMITS = Limits()

_decode_type = msgspec.json.Decoder(Typed).decode
_decode_order = msgspec.json.Decoder(PlacedOrder).decode
_decode_structured = msgspec.json.Decoder(Structured).decode
_DATA_DECODERS = {name: msgspec.json.Decoder(kind.data).decode for name, kind in INBOUND.items()}
_decode_published = msgspec.json.Decoder(PublishedEvent).decode
_encode_canonically = msgspec.msgpack.Encoder().encode
_encode_json = msgspec.json.Encoder().encode

# What the parser raises: its own errors, and Python's for bytes that are no text or numbers of thousands of digits.
_FAULTS = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)

_STEPS = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_NO_BRACKETS = bytes(set(range(256)) - set(_STEPS))
_NO_STRUCTURE = bytes(set(_NO_BRACKETS) - set(b'"\\'))
# A string without an end counts up to the end of the input: otherwise each of its quotes would be scanned from anew.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.?+[^"\\]*+)*+(?:"|\Z)', re.DOTALL)


def decode(
    topic: str, value: bytes | None, headers: Headers, appended_ms: int, limits: Limits = DEFAULT_LIMITS
) -> Event | Refusal | None:
    """Turn a record into an event or a verdict; None for a tombstone.

    `topic` is the logical name (`orders`, `stock`, `catalog`), `appended_ms` the broker's append time, 0 or less when
    the broker gives none; then no time is too far in the future.
    """
    if value is None:
        return None
    fault = _fault_of_size(value, limits)
    if fault is not None:
        return fault
    opened = (None if headers or topic != "orders" else _open_order(value)) or _open(topic, value, headers)
    if isinstance(opened, Refusal):
        return opened
    attributes, data = opened
    time_ms = milliseconds(attributes.time)
    fault = _fault_of_place(attributes.type, topic, time_ms, appended_ms)
    if fault is not None:
        return fault
    typed = data if isinstance(data, OrderPlaced) else _read(attributes.type, data)
    if isinstance(typed, Refusal):
        return typed
    return find_fault(typed, limits.currency, appended_ms) or Event(
        attributes.source,
        attributes.id,
        attributes.type,
        time_ms,
        typed,
        attributes.correlationid,
        attributes.causationid,
        attributes.traceparent,
    )


def _fault_of_size(value: bytes, limits: Limits) -> Refusal | None:
    if len(value) > limits.max_bytes:
        cure = "split it, for instance into several events with fewer lines"
        return Refusal(Reason.TOO_LARGE, "", f"is longer than {limits.max_bytes} bytes", cure)
    if value.count(b"{") + value.count(b"[") > MAX_DEPTH and depth(value) > MAX_DEPTH:
        return Refusal(Reason.TOO_DEEP, "", f"is nested more than {MAX_DEPTH} deep", "flatten what is nested")
    return None


def _open_order(value: bytes) -> tuple[Attributes, OrderPlaced] | None:
    """Read an order that was placed, attributes and data at once; None for anything else, and for what has a fault."""
    if not value.isascii() or b'"order.placed"' not in value:
        return None
    try:
        event = _decode_order(value)
    except _FAULTS:
        return None
    return event, event.data


def _open(topic: str, value: bytes, headers: Headers) -> tuple[Attributes, bytes | msgspec.Raw] | Refusal:
    """Take attributes and data out of a record."""
    mode = mode_of(headers) if headers else Mode.STRUCTURED
    try:
        value.decode()  # The parser does not look at the bytes of strings that it skips.
        if mode is Mode.STRUCTURED:
            event = _decode_structured(value)
            return event, event.data
        if mode is Mode.BINARY:
            return msgspec.convert(header_attributes(headers), Attributes), value
    except _FAULTS:
        return _open_slowly(mode, topic, value, headers)
    return Refusal(
        Reason.BAD_ENVELOPE,
        "content-type",
        "is a format this contract does not speak",
        "send JSON: `application/cloudevents+json`, or `ce_` headers and `application/json`",
    )


def _open_slowly(
    mode: Mode, topic: str, value: bytes, headers: Headers
) -> tuple[Attributes, bytes | msgspec.Raw] | Refusal:
    """Find what is wrong with a record; if only the earlier of two equal keys is wrong, open it after all."""
    fault = fault_of_bytes(value)
    if fault is not None:
        return fault
    data: bytes | msgspec.Raw = value
    attributes: dict[str, object]
    try:
        if mode is Mode.BINARY:
            attributes = dict(header_attributes(headers))
        else:
            parts = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
            data = parts.pop("data", msgspec.Raw())
            attributes = {name: _plain(part) for name, part in parts.items()}
    except UnicodeDecodeError:
        return Refusal(Reason.BAD_ENVELOPE, "headers", "hold an attribute that is not UTF-8", "send UTF-8")
    fault = fault_of_attributes(attributes, topic)
    if fault is None and not data:
        fault = Refusal(Reason.MISSING_FIELD, "data", "is missing", "put the type's fields into `data`")
    return fault or (msgspec.convert(attributes, Attributes), data)


def _plain(part: msgspec.Raw) -> object:
    try:
        return msgspec.json.decode(part)
    except _FAULTS:
        return None


def _read(name: str, data: bytes | msgspec.Raw) -> Inbound | Refusal:
    """Turn data into its type's struct."""
    decode_data = _DATA_DECODERS[name]
    try:
        return decode_data(data)
    except _FAULTS as error:
        found = error
    # The data of a structured event was parsed with the whole record; only that of a binary event may be no JSON.
    fault = None if isinstance(data, msgspec.Raw) else fault_of_bytes(data)
    if fault is not None:
        return fault
    try:
        # The last one of equal keys wins, but the decoder checks them all. Reading without types keeps only the last.
        without_duplicates = msgspec.json.encode(msgspec.json.decode(data))
    except _FAULTS:
        return fault_of_data(found, INBOUND[name].data)
    try:
        return decode_data(without_duplicates)
    except _FAULTS as error:
        return fault_of_data(error, INBOUND[name].data)


def _fault_of_place(name: str, topic: str, time_ms: int, appended_ms: int) -> Refusal | None:
    """The fault of a type that is unknown or in the wrong topic, or of a time too early or too late; else None."""
    kind = INBOUND.get(name)
    if kind is None or kind.topic != topic:
        return fault_of_type(name, topic)
    if time_ms < EARLIEST_MS:
        return Refusal(Reason.BAD_TIME, "time", "lies before 2000", "correct the clock or the unit of the time")
    if 0 < appended_ms < time_ms - DAY_MS:
        message = "lies more than a day after the moment the broker received it"
        return Refusal(Reason.TIME_TOO_FAR, "time", message, "correct the producer's clock, and publish again")
    return None


def topic_for(value: bytes) -> str:
    """The topic an event in structured mode belongs to by its type; `orders` when the type is unknown.

    >>> topic_for(b'{"type": "stock.counted"}'), topic_for(b"?")
    ('stock', 'orders')
    """
    try:
        kind = INBOUND.get(_decode_type(value).type)
    except _FAULTS:
        kind = None
    return kind.topic if kind else "orders"


def depth(value: bytes) -> int:
    """Count how deep brackets nest outside of strings.

    >>> depth(b'{"a": ["[[[", {}]}')
    3
    """
    # Most strings hold neither brackets nor escapes, so only a pair of quotes is left of each. If another quote or
    # a backslash remains, the strings are cut out one by one, which takes ten times as long.
    brackets = value.translate(None, _NO_STRUCTURE).replace(b'""', b"")
    if b'"' in brackets or b"\\" in brackets:
        brackets = _STRING.sub(b"", value).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


def fingerprint(event: Event) -> int:
    """Hash an event's type and typed data into 64 bits: equal however the data was written, whatever its attributes.

    The customer is left out: it is no part of what the event does, and is not kept.
    """
    data = event.data
    if type(data) is OrderPlaced and data.customer is not None:
        data = msgspec.structs.replace(data, customer=None)
    return xxhash.xxh3_64_intdigest(_encode_canonically((event.type, data)))


def identity(source: str, id: str) -> int:  # noqa: A002 - CloudEvents calls it so
    """Hash what identifies an event into 64 bits."""
    return xxhash.xxh3_64_intdigest(f"{source}\0{id}".encode())


def encode(output: OutputEvent) -> bytes:
    """Write an output as a structured CloudEvent; its record carries `envelope.STRUCTURED_HEADERS`."""
    return _encode_json(
        PublishedEvent(
            specversion="1.0",
            id=output.id,
            source=output.source,
            type=output.type,
            time=instant(output.time_ms),
            subject=output.item,
            correlationid=output.correlation or msgspec.UNSET,
            causationid=output.causation or msgspec.UNSET,
            traceparent=output.trace or msgspec.UNSET,
            data=output.body,
        )
    )


def decode_output(value: bytes) -> OutputEvent:
    """Read an output back. Raises msgspec.DecodeError for anything `encode` did not write."""
    published = _decode_published(value)
    kind = OUTBOUND.get(published.type)
    if kind is None:
        raise msgspec.ValidationError("Not the type of an output - at `$.type`")
    return OutputEvent(
        id=published.id,
        time_ms=milliseconds(datetime.fromisoformat(published.time)),
        body=msgspec.convert(published.data, kind.data),
        source=published.source,
        correlation=published.correlationid or None,
        causation=published.causationid or None,
        trace=published.traceparent or None,
    )
