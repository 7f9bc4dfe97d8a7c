"""The contract's table of verdicts, row by row: what is sent, and what becomes of it."""

import copy
import json
from typing import Any

import msgspec
import pytest

from schemas.codec import Event, Limits, decode
from schemas.contract.examples import example, examples
from schemas.inbound import INBOUND, ItemConfigured, OrderPlaced
from schemas.refusal import Reason, Refusal

APPENDED_MS = 1_772_446_600_000  # 2026-03-02T10:16:40+00:00
ORDER = example("order.placed")


def _topic(event: dict[str, Any]) -> str:
    return INBOUND[event["type"]].topic


def _changed(name: str, path: str, value: Any) -> dict[str, Any]:
    """An example with one field set; `data.lines.0.sku` is the first line's sku."""
    event = copy.deepcopy(example(name))
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place: Any = event
    for step in steps:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return event


def _verdict(event: Any, topic: str | None = None, appended_ms: int = 0) -> Event | Refusal | None:
    """The verdict on an event given as bytes or as what json.dumps takes."""
    value = event if isinstance(event, bytes) else json.dumps(event).encode()
    return decode(topic or (_topic(event) if isinstance(event, dict) else "orders"), value, None, appended_ms)


def _assert_refused(verdict: object, reason: Reason, field: str) -> None:
    assert isinstance(verdict, Refusal), verdict
    assert (verdict.reason, verdict.field) == (reason, field)
    assert verdict.message
    assert verdict.cure
    assert len(str(verdict).encode()) <= 512


# Accepted -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [each for each in examples() if each["type"] in INBOUND], ids=lambda e: e["type"])
def test_every_example_is_accepted(event: dict[str, Any]) -> None:
    verdict = _verdict(event)
    assert isinstance(verdict, Event)
    assert (verdict.id, verdict.source, verdict.type) == (event["id"], event["source"], event["type"])


def test_a_tombstone_is_neither_event_nor_refusal() -> None:
    assert decode("orders", None, None, APPENDED_MS) is None


ACCEPTED = {
    "unknown field in the envelope": _changed("order.placed", "colour", {"deep": [1, 2, {"er": None}]}),
    "unknown field in the data": _changed("order.placed", "data.colour", "red"),
    "unknown field in a line": _changed("order.placed", "data.lines.0.colour", [[]]),
    "look-alikes": _changed("order.placed", "data.lines.0.sku", "ТЕА-０１"),  # noqa: RUF001
    "composed characters": _changed("order.placed", "data.lines.0.sku", "the\u0301-01"),
    "emoji": _changed("order.placed", "data.lines.0.sku", "🫖"),
    "glob characters": _changed("order.placed", "data.lines.0.sku", "{a}[*]?:%\\"),
    "a space inside": _changed("order.placed", "data.lines.0.sku", "GREEN TEA"),
    "64 characters": _changed("order.placed", "data.lines.0.sku", "é" * 64),
    "no channel, no customer": _changed("order.placed", "data.channel", None),
    "a return without its order": _changed("return.received", "data.order_id", ...),
    "a receipt without its replenishment": _changed("stock.received", "data.replenishment_id", ...),
    "a count of 0": _changed("stock.counted", "data.counted", 0),
    "nanoseconds": _changed("stock.counted", "time", "2026-03-04T18:00:00.123456789Z"),
    "another offset": _changed("stock.counted", "time", "2026-03-04T20:00:00+02:00"),
    "no unit price": _changed("order.placed", "data.lines.0.unit_price", ...),
    "a free item": _changed("order.placed", "data.lines.0.unit_price", "0 EUR"),
    "the largest quantity": _changed("order.placed", "data.lines.0.quantity", 10**9),
    "service level 1": _changed("item.configured", "data.service_level", 1),
    "service level 0": _changed("item.configured", "data.service_level", 0),
    "one and a half days": _changed("item.configured", "data.lead_time_days", 1.5),
    "only the item": {**example("item.configured"), "data": {"sku": "TEA-01", "location": "BER1"}},
    "a promotion of an instant": _changed("promotion.scheduled", "data.ends", "2026-03-06T00:00:00Z"),
    "a promotion of a whole location": _changed("promotion.scheduled", "data.sku", None),
    "no closed day": _changed("calendar.configured", "data.closed_days", []),
    "an attribute nobody uses": _changed("order.placed", "subject", 5),
}


@pytest.mark.parametrize("event", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_unusual_but_valid_events_are_accepted(event: dict[str, Any]) -> None:
    assert isinstance(_verdict(event), Event)


def test_the_last_of_duplicate_keys_wins() -> None:
    value = json.dumps(ORDER).replace('"quantity": 3', '"quantity": 0, "quantity": 7').encode()
    verdict = _verdict(value)
    assert isinstance(verdict, Event)
    assert isinstance(verdict.data, OrderPlaced)
    assert verdict.data.lines[0].quantity == 7


def test_only_the_last_of_duplicate_keys_counts_in_the_envelope() -> None:
    assert isinstance(_verdict(PLAIN.replace(b'"time":', b'"time": "never", "time":')), Event)
    _assert_refused(_verdict(PLAIN.replace(b'"data":', b'"time": "never", "data":')), Reason.BAD_TIME, "time")


def test_absent_is_not_null_in_configurations() -> None:
    without, null = (
        _changed("item.configured", "data.capacity", ...),
        _changed("item.configured", "data.capacity", None),
    )
    absent_event, null_event = _verdict(without), _verdict(null)
    assert isinstance(absent_event, Event)
    assert isinstance(null_event, Event)
    assert isinstance(absent_event.data, ItemConfigured)
    assert isinstance(null_event.data, ItemConfigured)
    assert absent_event.data.capacity is msgspec.UNSET
    assert null_event.data.capacity is None


def test_a_day_ahead_is_accepted_and_a_millisecond_more_is_not() -> None:
    ahead = _changed("order.placed", "time", "2026-03-03T10:16:40+00:00")
    assert isinstance(_verdict(ahead, appended_ms=APPENDED_MS), Event)
    _assert_refused(_verdict(ahead, appended_ms=APPENDED_MS - 1), Reason.TIME_TOO_FAR, "time")


def test_the_largest_size_is_accepted_and_a_byte_more_is_not() -> None:
    value = json.dumps(ORDER).encode()
    assert isinstance(decode("orders", value, None, 0, Limits(max_bytes=len(value))), Event)
    _assert_refused(decode("orders", value, None, 0, Limits(max_bytes=len(value) - 1)), Reason.TOO_LARGE, "")


def test_a_large_order_is_not_deep() -> None:
    lines = [{**ORDER["data"]["lines"][0], "line_id": f'"{{[{place}'} for place in range(1_000)]
    assert isinstance(_verdict({**ORDER, "data": {"order_id": "o", "lines": lines}}), Event)


# Refused for their bytes --------------------------------------------------------------------------------------------

PLAIN = json.dumps(ORDER).encode()
BYTES = {
    "empty": (b"", Reason.EMPTY),
    "blank": (b" \n\t", Reason.EMPTY),
    "truncated": (PLAIN[:-1], Reason.NOT_JSON),
    "truncated in a string": (PLAIN[:30], Reason.NOT_JSON),
    "trailing bytes": (PLAIN + b"x", Reason.NOT_JSON),
    "two events": (PLAIN + PLAIN, Reason.NOT_JSON),
    "trailing NUL": (PLAIN + b"\0", Reason.NOT_JSON),
    "single quotes": (PLAIN.replace(b'"', b"'"), Reason.NOT_JSON),
    "a comma too many": (PLAIN[:-1] + b",}", Reason.NOT_JSON),
    "text": (b"hello", Reason.NOT_JSON),
    "NaN": (PLAIN.replace(b'"quantity": 3', b'"quantity": NaN'), Reason.NOT_JSON),
    "Infinity": (PLAIN.replace(b'"quantity": 3', b'"quantity": Infinity'), Reason.NOT_JSON),
    "a leading zero": (PLAIN.replace(b'"quantity": 3', b'"quantity": 03'), Reason.NOT_JSON),
    "a raw newline in a string": (PLAIN.replace(b"TEA-01", b"TEA\n01"), Reason.NOT_JSON),
    "a number": (b"17", Reason.NOT_AN_OBJECT),
    "a string": (b'"order"', Reason.NOT_AN_OBJECT),
    "null": (b"null", Reason.NOT_AN_OBJECT),
    "an array": (b"[" + PLAIN + b"]", Reason.NOT_AN_OBJECT),
    "100,000 arrays": (b"[" * 100_000, Reason.TOO_DEEP),
    "100,000 closed arrays": (b"[" * 100_000 + b"]" * 100_000, Reason.TOO_DEEP),
    "20,000 objects": (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, Reason.TOO_DEEP),
    "65 in an unknown field": (PLAIN[:-1] + b',"x":' + b"[" * 64 + b"]" * 64 + b"}", Reason.TOO_DEEP),
    "byte order mark": (b"\xef\xbb\xbf" + PLAIN, Reason.BAD_ENCODING),
    "UTF-16": (PLAIN.decode().encode("utf-16"), Reason.BAD_ENCODING),
    "UTF-16 without mark": (PLAIN.decode().encode("utf-16-le"), Reason.BAD_ENCODING),
    "big-endian UTF-16": (PLAIN.decode().encode("utf-16-be"), Reason.BAD_ENCODING),
    "UTF-32": (PLAIN.decode().encode("utf-32"), Reason.BAD_ENCODING),
    "Latin-1": (PLAIN.replace(b"TEA-01", "THÉ".encode("latin-1")), Reason.BAD_ENCODING),
    "invalid UTF-8": (PLAIN.replace(b"TEA-01", b"TEA\xff"), Reason.BAD_ENCODING),
    "overlong UTF-8": (PLAIN.replace(b"TEA-01", b"\xc0\xaf"), Reason.BAD_ENCODING),
    "invalid UTF-8 in an unknown field": (PLAIN[:-1] + b',"x":"\xff"}', Reason.BAD_ENCODING),
    "a surrogate in UTF-8": (PLAIN.replace(b"TEA-01", b"\xed\xa0\x80"), Reason.BAD_ENCODING),
    "high surrogate alone": (PLAIN.replace(b"TEA-01", b"\\ud83e"), Reason.BAD_ENCODING),
    "low surrogate alone": (PLAIN.replace(b"TEA-01", b"\\udd56"), Reason.BAD_ENCODING),
    "surrogate alone in an unknown field": (PLAIN[:-1] + b',"x":"\\ud83e"}', Reason.BAD_ENCODING),
}


@pytest.mark.parametrize("value, reason", BYTES.values(), ids=BYTES.keys())
def test_bytes_that_are_no_event_are_refused(value: bytes, reason: Reason) -> None:
    _assert_refused(_verdict(value), reason, "")


def test_a_nesting_of_64_is_accepted() -> None:
    assert isinstance(_verdict(PLAIN[:-1] + b',"x":' + b"[" * 63 + b"]" * 63 + b"}"), Event)


def test_brackets_in_strings_hide_no_depth() -> None:
    hidden = b'["]",' * 5_000 + b"1" + b"]" * 5_000
    _assert_refused(_verdict(PLAIN[:-1] + b',"x":' + hidden + b"}"), Reason.TOO_DEEP, "")
    escaped = b'["\\"]\\"",' * 5_000 + b"1" + b"]" * 5_000
    _assert_refused(_verdict(PLAIN[:-1] + b',"x":' + escaped + b"}"), Reason.TOO_DEEP, "")


# Refused for a field ------------------------------------------------------------------------------------------------

FIRST = "data.lines.0"
QUANTITY = "data.lines[0].quantity"
FIELDS = {
    "1.0": ("order.placed", f"{FIRST}.quantity", 1.0, Reason.WRONG_TYPE, QUANTITY),
    '"1"': ("order.placed", f"{FIRST}.quantity", "1", Reason.WRONG_TYPE, QUANTITY),
    "true": ("order.placed", f"{FIRST}.quantity", True, Reason.WRONG_TYPE, QUANTITY),
    "null": ("order.placed", f"{FIRST}.quantity", None, Reason.WRONG_TYPE, QUANTITY),
    "an array": ("order.placed", f"{FIRST}.quantity", [1], Reason.WRONG_TYPE, QUANTITY),
    "2^53 + 1": ("order.placed", f"{FIRST}.quantity", 2**53 + 1, Reason.OUT_OF_RANGE, QUANTITY),
    "2^63": ("order.placed", f"{FIRST}.quantity", 2**63, Reason.OUT_OF_RANGE, QUANTITY),
    "2^64": ("order.placed", f"{FIRST}.quantity", 2**64, Reason.OUT_OF_RANGE, QUANTITY),
    "-2^64": ("order.placed", f"{FIRST}.quantity", -(2**64), Reason.OUT_OF_RANGE, QUANTITY),
    "zero": ("order.placed", f"{FIRST}.quantity", 0, Reason.OUT_OF_RANGE, QUANTITY),
    "negative": ("order.placed", f"{FIRST}.quantity", -1, Reason.OUT_OF_RANGE, QUANTITY),
    "above 10^9": ("order.placed", f"{FIRST}.quantity", 10**9 + 1, Reason.OUT_OF_RANGE, QUANTITY),
    "a negative count": ("stock.counted", "data.counted", -1, Reason.OUT_OF_RANGE, "data.counted"),
    "an adjustment of 0": ("stock.adjusted", "data.delta", 0, Reason.OUT_OF_RANGE, "data.delta"),
    "missing quantity": ("order.placed", f"{FIRST}.quantity", ..., Reason.MISSING_FIELD, QUANTITY),
    "missing lines": ("order.placed", "data.lines", ..., Reason.MISSING_FIELD, "data.lines"),
    "missing data": ("order.placed", "data", ..., Reason.MISSING_FIELD, "data"),
    "data is an array": ("order.placed", "data", [], Reason.NOT_AN_OBJECT, "data"),
    "data is null": ("order.placed", "data", None, Reason.NOT_AN_OBJECT, "data"),
    "a line is a text": ("order.placed", FIRST, "TEA", Reason.WRONG_TYPE, "data.lines[0]"),
    "no lines": ("order.placed", "data.lines", [], Reason.OUT_OF_RANGE, "data.lines"),
    "a line_id twice": ("order.placed", "data.lines.1.line_id", "1", Reason.OUT_OF_RANGE, "data.lines[1].line_id"),
    "to itself": ("stock.transferred", "data.to", "BER1", Reason.OUT_OF_RANGE, "data.to"),
    "a phase nobody knows": ("stock.transferred", "data.phase", "lost", Reason.OUT_OF_RANGE, "data.phase"),
    "a phase called datetime": ("stock.transferred", "data.phase", "datetime", Reason.OUT_OF_RANGE, "data.phase"),
    "a phase like an error": (
        "stock.transferred",
        "data.phase",
        "x' - at `$.sku`",
        Reason.OUT_OF_RANGE,
        "data.phase",
    ),
    "service level above 1": ("item.configured", "data.service_level", 1.01, Reason.OUT_OF_RANGE, "data.service_level"),
    "service level below 0": ("item.configured", "data.service_level", -0.1, Reason.OUT_OF_RANGE, "data.service_level"),
    "negative money": ("item.configured", "data.unit_cost", "-2.10 EUR", Reason.OUT_OF_RANGE, "data.unit_cost"),
    "other currency": ("item.configured", "data.unit_cost", "2.10 USD", Reason.OUT_OF_RANGE, "data.unit_cost"),
    "no currency": ("item.configured", "data.unit_cost", "2.10", Reason.WRONG_TYPE, "data.unit_cost"),
    "money as a number": ("item.configured", "data.unit_cost", 2.1, Reason.WRONG_TYPE, "data.unit_cost"),
    "money with a newline": ("item.configured", "data.unit_cost", "2.10 EUR\n", Reason.WRONG_TYPE, "data.unit_cost"),
    "a line's other currency": (
        "order.placed",
        f"{FIRST}.unit_price",
        "4.90 USD",
        Reason.OUT_OF_RANGE,
        "data.lines[0].unit_price",
    ),
    "review every 0 days": (
        "item.configured",
        "data.review_period_days",
        0,
        Reason.OUT_OF_RANGE,
        "data.review_period_days",
    ),
    "ends before it starts": (
        "promotion.scheduled",
        "data.ends",
        "2026-03-05T23:59:59Z",
        Reason.OUT_OF_RANGE,
        "data.ends",
    ),
    "a day nobody knows": (
        "calendar.configured",
        "data.closed_days",
        ["sun", "someday"],
        Reason.OUT_OF_RANGE,
        "data.closed_days[1]",
    ),
    "a date that is none": (
        "calendar.configured",
        "data.closed_days",
        ["2026-02-30"],
        Reason.OUT_OF_RANGE,
        "data.closed_days[0]",
    ),
    "a weekday nobody knows": (
        "supplier.configured",
        "data.order_days",
        ["mo"],
        Reason.OUT_OF_RANGE,
        "data.order_days[0]",
    ),
    "a class nobody knows": ("class.configured", "data.class", "D", Reason.OUT_OF_RANGE, "data.class"),
    "no class": ("class.configured", "data.class", ..., Reason.MISSING_FIELD, "data.class"),
    "fewer than no units to ask above": (
        "class.configured",
        "data.ask_above_units",
        -1,
        Reason.OUT_OF_RANGE,
        "data.ask_above_units",
    ),
    "a negative value to ask above": (
        "item.configured",
        "data.ask_above_value",
        "-1.00 EUR",
        Reason.OUT_OF_RANGE,
        "data.ask_above_value",
    ),
    "a value to ask above in another currency": (
        "supplier.configured",
        "data.ask_above_value",
        "10.00 USD",
        Reason.OUT_OF_RANGE,
        "data.ask_above_value",
    ),
    "a value to ask above as a number": (
        "supplier.configured",
        "data.ask_above_value",
        10,
        Reason.WRONG_TYPE,
        "data.ask_above_value",
    ),
    "a moment without offset": ("stock.counted", "data.as_of", "2026-03-04T17:00:00", Reason.BAD_TIME, "data.as_of"),
    "a moment before 2000": ("stock.counted", "data.as_of", "1999-12-31T23:59:59Z", Reason.BAD_TIME, "data.as_of"),
    "a date for a moment": ("stock.counted", "data.as_of", "2026-03-04", Reason.BAD_TIME, "data.as_of"),
    "an optional moment that is none": ("stock.transferred", "data.eta", "soon", Reason.BAD_TIME, "data.eta"),
    "an optional moment as a number": ("stock.transferred", "data.eta", 5, Reason.BAD_TIME, "data.eta"),
    "no time": ("order.placed", "time", ..., Reason.MISSING_FIELD, "time"),
    "time without offset": ("order.placed", "time", "2026-03-02T10:15:00", Reason.BAD_TIME, "time"),
    "time before 2000": ("order.placed", "time", "1999-12-31T23:59:59Z", Reason.BAD_TIME, "time"),
    "time in year 1": ("order.placed", "time", "0001-01-01T00:00:00+14:00", Reason.BAD_TIME, "time"),
    "time as a number": ("order.placed", "time", 1_772_446_500, Reason.BAD_TIME, "time"),
    "time that never was": ("order.placed", "time", "2026-02-30T00:00:00Z", Reason.BAD_TIME, "time"),
    "time null": ("order.placed", "time", None, Reason.BAD_TIME, "time"),
    "no id": ("order.placed", "id", ..., Reason.MISSING_FIELD, "id"),
    "no source": ("order.placed", "source", ..., Reason.MISSING_FIELD, "source"),
    "no type": ("order.placed", "type", ..., Reason.MISSING_FIELD, "type"),
    "no specversion": ("order.placed", "specversion", ..., Reason.MISSING_FIELD, "specversion"),
    "other specversion": ("order.placed", "specversion", "0.3", Reason.BAD_ENVELOPE, "specversion"),
    "empty id": ("order.placed", "id", "", Reason.BAD_ENVELOPE, "id"),
    "id as a number": ("order.placed", "id", 17, Reason.BAD_ENVELOPE, "id"),
    "a long id": ("order.placed", "id", "x" * 257, Reason.BAD_ENVELOPE, "id"),
    "correlation as a number": ("order.placed", "correlationid", 17, Reason.BAD_ENVELOPE, "correlationid"),
}


@pytest.mark.parametrize("name, path, value, reason, field", FIELDS.values(), ids=FIELDS.keys())
def test_an_event_is_refused_for_a_field(name: str, path: str, value: Any, reason: Reason, field: str) -> None:
    topic = INBOUND[name].topic
    _assert_refused(_verdict(_changed(name, path, value), topic), reason, field)


@pytest.mark.parametrize(
    "number, reason",
    [(b"1e999", Reason.NOT_JSON), (b"9" * 5_000, Reason.OUT_OF_RANGE), (b"-" + b"9" * 5_000, Reason.OUT_OF_RANGE)],
    ids=["1e999", "5,000 digits", "5,000 negative digits"],
)
def test_numbers_that_no_machine_holds_are_refused(number: bytes, reason: Reason) -> None:
    _assert_refused(_verdict(PLAIN.replace(b'"quantity": 3', b'"quantity": ' + number)), reason, QUANTITY)


@pytest.mark.parametrize("number", [b"1e999", b"9" * 5_000])
def test_numbers_that_no_machine_holds_are_refused_in_the_envelope(number: bytes) -> None:
    _assert_refused(_verdict(PLAIN.replace(b'"ord-1001"', number, 1)), Reason.BAD_ENVELOPE, "id")


@pytest.mark.parametrize(
    "text",
    [
        "", "a@b", "tab\t", "line\n", "nul\0", "del\x7f", "bell\x07", "x" * 65, " ", "   ",
        "zero\u200bwidth", "joiner\u200dx", "mark\ufeff", "soft\u00adhyphen", "rtl\u202eoverride", "no\u00a0break",
        "filler\u3164", "braille\u2800", "selector\ufe0f", "grapheme\u034fjoiner", "private\ue000", "\u2028",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "name, path, field",
    [
        ("order.placed", "data.lines.1.sku", "data.lines[1].sku"),
        ("order.cancelled", "data.lines.0.location", "data.lines[0].location"),
        ("stock.adjusted", "data.sku", "data.sku"),
        ("stock.transferred", "data.from", "data.from"),
        ("stock.transferred", "data.to", "data.to"),
        ("promotion.scheduled", "data.sku", "data.sku"),
        ("calendar.configured", "data.location", "data.location"),
    ],
)
def test_a_name_that_cannot_be_read_is_refused(name: str, path: str, field: str, text: str) -> None:
    _assert_refused(_verdict(_changed(name, path, text)), Reason.BAD_IDENTITY, field)


def test_a_sku_that_is_no_text_is_refused() -> None:
    _assert_refused(_verdict(_changed("stock.adjusted", "data.sku", 17)), Reason.WRONG_TYPE, "data.sku")


def test_a_missing_required_field_is_named() -> None:
    """Every type, every required field, deleted, and in another case."""
    required = [
        (event, field.encode_name)
        for event in examples()
        if event["type"] in INBOUND
        for field in msgspec.structs.fields(INBOUND[event["type"]].data)
        if field.required
    ]
    assert len(required) > 50
    for event, name in required:
        without = copy.deepcopy(event)
        value = without["data"].pop(name)
        _assert_refused(_verdict(without), Reason.MISSING_FIELD, f"data.{name}")
        without["data"][name.upper()] = value
        _assert_refused(_verdict(without), Reason.MISSING_FIELD, f"data.{name}")


# Type and topic -----------------------------------------------------------------------------------------------------


def test_an_unknown_type_is_refused_with_the_nearest_in_its_cure() -> None:
    verdict = _verdict(_changed("order.placed", "type", "order.place"), "orders")
    _assert_refused(verdict, Reason.UNKNOWN_TYPE, "type")
    assert isinstance(verdict, Refusal)
    assert "order.placed" in verdict.cure


def test_outbound_events_are_refused_as_input() -> None:
    _assert_refused(_verdict(example("stock.alert"), "stock"), Reason.UNKNOWN_TYPE, "type")


@pytest.mark.parametrize("name", INBOUND)
@pytest.mark.parametrize("topic", ["orders", "stock", "catalog"])
def test_each_type_belongs_to_one_topic(name: str, topic: str) -> None:
    verdict = _verdict(example(name), topic)
    if topic == INBOUND[name].topic:
        assert isinstance(verdict, Event)
    else:
        _assert_refused(verdict, Reason.WRONG_TOPIC, "type")


@pytest.mark.parametrize("name", [name for name, kind in INBOUND.items() if kind.topic == "stock"])
def test_a_stock_event_of_the_future_is_refused(name: str) -> None:
    event = {**example(name), "time": "2027-01-01T00:00:00Z"}
    _assert_refused(_verdict(event, appended_ms=APPENDED_MS), Reason.TIME_TOO_FAR, "time")


def test_a_count_of_the_future_is_refused() -> None:
    event = {**_changed("stock.counted", "data.as_of", "2027-01-01T00:00:00Z"), "time": "2026-03-02T00:00:00Z"}
    _assert_refused(_verdict(event, appended_ms=APPENDED_MS), Reason.TIME_TOO_FAR, "data.as_of")


def test_without_an_append_time_nothing_is_too_far() -> None:
    assert isinstance(_verdict(_changed("order.placed", "time", "2999-01-01T00:00:00Z"), appended_ms=-1), Event)


def test_the_faults_of_an_event_come_in_a_fixed_order() -> None:
    """The order does not depend on the spelling: type before topic before time before data."""
    event = {**ORDER, "type": "order.place", "time": "never", "data": 5}
    for keys in (list(event), list(reversed(event))):
        spelled = {key: event[key] for key in keys}
        _assert_refused(_verdict(spelled, "orders"), Reason.UNKNOWN_TYPE, "type")
        _assert_refused(_verdict({**spelled, "type": "order.placed"}, "stock"), Reason.WRONG_TOPIC, "type")
        _assert_refused(_verdict({**spelled, "type": "order.placed"}, "orders"), Reason.BAD_TIME, "time")


def test_no_refusal_repeats_the_payload() -> None:
    secret = "canary-4711"
    for path in ("id", "type", "time", "data.order_id", "data.customer", f"{FIRST}.sku", f"{FIRST}.unit_price"):
        for value in (secret + "\0@", [secret], {secret: secret}, secret * 100):
            verdict = _verdict(_changed("order.placed", path, value), "orders")
            if isinstance(verdict, Refusal):
                assert secret not in str(verdict)
