"""Turns a parser's error into a reason, a field and a cure: slow and thorough, for events that are refused anyway.

The decoders stop at the first fault and describe it in English. Here that text becomes a verdict that does not depend
on how the JSON was written; the type's JSON Schema says what was expected.

>>> error = msgspec.ValidationError("Expected `int` >= 1 - at `$.lines[0].quantity`")
>>> fault_of_data(error, INBOUND["order.placed"].data).field
'data.lines[0].quantity'
"""

import difflib
import json
import re
from functools import cache
from typing import Any

import msgspec

from schemas.envelope import Attributes
from schemas.inbound import INBOUND
from schemas.outbound import OUTBOUND
from schemas.refusal import Reason, Refusal
from schemas.schema_words import in_words, resolved

TIME_CURE = "write RFC 3339 with an offset, such as 2026-03-02T10:15:00+00:00"

_IDENTITY_FIELDS = ("sku", "location", "from", "to")
_UTF16_OR_32_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")


def _split(error: Exception) -> tuple[str, str]:
    """Split an error into its text and its place: `$.lines[0].quantity` becomes `lines[0].quantity`."""
    text, _, path = str(error).rpartition(" - at `$")
    if not text:
        text, path = path, ""
    path = path.removesuffix("`").removeprefix(".")
    missing = re.fullmatch(r"Object missing required field `(.+)`", text)
    if missing:
        path = f"{path}.{missing[1]}" if path else missing[1]
    return text, path


def _reason(text: str, path: str) -> Reason:
    """The reason for a parser's sentence, by how it begins; a test holds each of them."""
    if text.startswith("Object missing required field"):
        return Reason.MISSING_FIELD
    if text.startswith("Number out of range"):  # 1e999: a spelling of infinity
        return Reason.NOT_JSON
    if text.startswith(("Expected `datetime", "Invalid RFC3339")):
        return Reason.BAD_TIME
    if text.startswith("Expected `str` of length") and path.rpartition(".")[2] in _IDENTITY_FIELDS:
        return Reason.BAD_IDENTITY
    if text.startswith(("Invalid enum value", "Integer value out of range")) or re.match(
        r"Expected `\w+` (?:[<>]|of length|matching)", text
    ):
        return Reason.OUT_OF_RANGE
    return Reason.WRONG_TYPE


def fault_of_data(error: Exception, struct: type[msgspec.Struct]) -> Refusal:
    """The verdict on data that its type's decoder refused."""
    text, path = _split(error)
    if not path:
        return Refusal(Reason.NOT_AN_OBJECT, "data", "is not a JSON object", "send the type's fields as a JSON object")
    reason = _reason(text, path)
    expected = _expected(struct, path)
    messages = {
        Reason.MISSING_FIELD: ("is missing; names are case-sensitive", f"add it: {expected}"),
        Reason.NOT_JSON: ("is a number beyond what JSON can carry", f"send {expected}"),
        Reason.BAD_TIME: ("is not a moment in time with an offset", TIME_CURE),
        Reason.BAD_IDENTITY: ("is empty or longer than 64 characters", "use 1 to 64 visible characters without `@`"),
        Reason.OUT_OF_RANGE: ("is outside what is allowed", f"send {expected}"),
    }
    message, cure = messages.get(reason, ("has the wrong type", f"send {expected}"))
    return Refusal(reason, f"data.{path}", message, cure)


def fault_of_bytes(value: bytes) -> Refusal | None:
    """The verdict on bytes that are no JSON object, whatever the type of the event; None when they are one."""
    if not value.strip(b" \t\r\n"):
        return Refusal(Reason.EMPTY, "", "is empty", "send the event as a JSON object")
    if value.startswith(_UTF16_OR_32_MARKS) or b"\0" in value[:4] or not _is_utf8(value):
        return Refusal(Reason.BAD_ENCODING, "", "is not plain UTF-8", "send UTF-8 without a byte order mark")
    try:
        msgspec.json.decode(value, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        return Refusal(Reason.NOT_AN_OBJECT, "", "is not a JSON object", "send one event as one JSON object")
    except msgspec.DecodeError:
        if _is_json_but_for_surrogates(value):
            return Refusal(
                Reason.BAD_ENCODING,
                "",
                "holds one half of a surrogate pair",
                "escape both halves, or send the character itself as UTF-8",
            )
        return Refusal(Reason.NOT_JSON, "", "is not one complete JSON value", "send exactly one JSON object (RFC 8259)")
    return None


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_json_but_for_surrogates(value: bytes) -> bool:
    """Whether lone surrogates are all that is wrong: the standard library's parser accepts them. NaN is refused."""

    def refuse(_: str) -> None:
        raise ValueError

    if b"\\u" not in value:
        return False
    try:
        json.loads(value, parse_constant=refuse, parse_int=float)
    except (ValueError, RecursionError):
        return False
    return True


def fault_of_attributes(attributes: dict[str, Any], topic: str) -> Refusal | None:
    """The verdict on attributes, checked in this order: present, well formed, a known type, its topic, a time."""
    for field in msgspec.structs.fields(Attributes):
        name = field.encode_name
        if name not in attributes:
            if field.required:
                return _missing(name)
            continue
        if name == "time":
            continue
        try:
            msgspec.convert(attributes[name], field.type)
        except msgspec.ValidationError:
            wanted = "`1.0`" if name == "specversion" else "a text of 1 to 256 characters"
            return Refusal(Reason.BAD_ENVELOPE, name, "is not what CloudEvents 1.0 says", f"send {wanted}")
    fault = fault_of_type(attributes["type"], topic)
    if fault is not None:
        return fault
    try:
        msgspec.convert(attributes["time"], dict(_TYPES)["time"])
    except msgspec.ValidationError:
        return Refusal(Reason.BAD_TIME, "time", "is not a moment in time with an offset", TIME_CURE)
    return None


_TYPES = tuple((field.encode_name, field.type) for field in msgspec.structs.fields(Attributes))


def _missing(name: str) -> Refusal:
    return Refusal(
        Reason.MISSING_FIELD,
        name,
        "is missing; names are case-sensitive",
        TIME_CURE if name == "time" else f"add `{name}`, as CloudEvents 1.0 says",
    )


def fault_of_type(name: str, topic: str) -> Refusal | None:
    """The verdict on an event's type and the topic it came by."""
    kind = INBOUND.get(name)
    if name in OUTBOUND:
        return Refusal(Reason.UNKNOWN_TYPE, "type", "is one that this service publishes itself", "consume it")
    if kind is None:
        near = difflib.get_close_matches(name, INBOUND, n=1) or ["order.placed"]
        return Refusal(
            Reason.UNKNOWN_TYPE,
            "type",
            "is no type of this contract",
            f"use one of the contract's types, such as `{near[0]}`",
        )
    if kind.topic != topic:
        return Refusal(
            Reason.WRONG_TOPIC, "type", f"does not belong to topic `{topic}`", f"publish it to topic `{kind.topic}`"
        )
    return None


@cache
def _schema(struct: type[msgspec.Struct]) -> dict[str, Any]:
    return msgspec.json.schema(struct)


def _expected(struct: type[msgspec.Struct], path: str) -> str:
    """Say in words what the schema wants at a path."""
    root = _schema(struct)
    node = resolved(root["$defs"], root)
    for step in re.findall(r"[^.\[\]]+", path):
        inner = node.get("items", {}) if step.isdigit() else node.get("properties", {}).get(step, {})
        node = resolved(root["$defs"], inner)
    description = node.get("description")
    return in_words(node) + (f" ({description})" if description else "")
