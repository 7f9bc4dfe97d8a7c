"""The codec: both modes, fingerprints, outputs, and any bytes at all."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example as given_example
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import Event, Limits, decode, decode_output, encode, fingerprint, identity
from schemas.contract.examples import example, examples
from schemas.inbound import INBOUND, OrderPlaced
from schemas.outbound import OUTBOUND
from schemas.refusal import Reason, Refusal

STRUCTURED = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
INPUTS = [event for event in examples() if event["type"] in INBOUND]
OUTPUTS = [event for event in examples() if event["type"] in OUTBOUND]


def _json_with(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[Any]:
    return st.recursive(
        st.none() | st.booleans() | st.integers() | numbers | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=10,
    )


any_json = _json_with(st.floats(allow_nan=False, allow_infinity=False))
almost_json = _json_with(st.floats()) | st.text()


def _binary(event: dict[str, Any], content_type: bytes = b"application/json") -> tuple[bytes, list[tuple[str, bytes]]]:
    headers = [(f"ce_{name}", str(value).encode()) for name, value in event.items() if name != "data"]
    return json.dumps(event["data"]).encode(), [*headers, ("content-type", content_type)]


def _decoded(event: dict[str, Any], **spelling: Any) -> Event:
    verdict = decode(INBOUND[event["type"]].topic, json.dumps(event, **spelling).encode(), None, 0)
    assert isinstance(verdict, Event), verdict
    return verdict


# Modes --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", INPUTS, ids=lambda event: event["type"])
def test_both_modes_say_the_same(event: dict[str, Any]) -> None:
    event = {**event, "correlationid": "c-1", "causationid": "c-2", "traceparent": "00-1-2-01"}
    topic = INBOUND[event["type"]].topic
    structured = decode(topic, json.dumps(event).encode(), STRUCTURED, 0)
    assert isinstance(structured, Event)
    assert (structured.correlation, structured.causation, structured.trace) == ("c-1", "c-2", "00-1-2-01")
    value, headers = _binary(event)
    assert decode(topic, value, headers, 0) == structured
    assert decode(topic, json.dumps(event).encode(), None, 0) == structured
    assert decode(topic, json.dumps(event).encode(), [("traceparent", b"x")], 0) == structured


@pytest.mark.parametrize("content_type", [b"application/json", b"application/vnd.shop+json", b"text/json", b""])
def test_binary_data_of_any_json_media_type_is_read(content_type: bytes) -> None:
    value, headers = _binary(example("order.placed"), content_type)
    assert isinstance(decode("orders", value, headers, 0), Event)


@pytest.mark.parametrize(
    "content_type",
    [b"application/cloudevents-batch+json", b"application/cloudevents+avro", b"application/cloudevents"],
)
def test_other_formats_are_refused(content_type: bytes) -> None:
    verdict = decode("orders", b"[]", [("Content-Type", content_type)], 0)
    assert isinstance(verdict, Refusal)
    assert (verdict.reason, verdict.field) == (Reason.BAD_ENVELOPE, "content-type")


def test_binary_data_of_another_media_type_is_refused() -> None:
    value, headers = _binary(example("order.placed"), b"text/xml")
    verdict = decode("orders", value, headers, 0)
    assert isinstance(verdict, Refusal)
    assert verdict.reason is Reason.BAD_ENVELOPE


BINARY_FAULTS: dict[str, tuple[bytes | None, dict[str, bytes | None], Reason, str]] = {
    "empty": (b"", {}, Reason.EMPTY, ""),
    "truncated": (b'{"order_id": "o"', {}, Reason.NOT_JSON, ""),
    "an array": (b"[]", {}, Reason.NOT_AN_OBJECT, ""),
    "invalid UTF-8": (b'{"order_id": "\xff"}', {}, Reason.BAD_ENCODING, ""),
    "lone surrogate": (b'{"order_id": "\\ud800"}', {}, Reason.BAD_ENCODING, ""),
    "too deep": (b"[" * 70 + b"]" * 70, {}, Reason.TOO_DEEP, ""),
    "no id": (None, {"ce_id": None}, Reason.MISSING_FIELD, "id"),
    "no time": (None, {"ce_time": None}, Reason.MISSING_FIELD, "time"),
    "an attribute that is no text": (None, {"ce_source": b"\xff"}, Reason.BAD_ENVELOPE, "headers"),
    "a time that is none": (None, {"ce_time": b"noon"}, Reason.BAD_TIME, "time"),
    "an unknown type": (None, {"ce_type": b"order.eaten"}, Reason.UNKNOWN_TYPE, "type"),
    "another topic's type": (None, {"ce_type": b"stock.counted"}, Reason.WRONG_TOPIC, "type"),
    "other specversion": (None, {"ce_specversion": b"2.0"}, Reason.BAD_ENVELOPE, "specversion"),
    "missing field": (b"{}", {}, Reason.MISSING_FIELD, "data.order_id"),
}


@pytest.mark.parametrize("value, changed, reason, field", BINARY_FAULTS.values(), ids=BINARY_FAULTS.keys())
def test_binary_faults(value: bytes | None, changed: dict[str, bytes | None], reason: Reason, field: str) -> None:
    good, headers = _binary(example("order.placed"))
    verdict = decode("orders", good if value is None else value, list({**dict(headers), **changed}.items()), 0)
    assert isinstance(verdict, Refusal)
    assert (verdict.reason, verdict.field) == (reason, field)


def test_the_last_of_duplicate_headers_wins() -> None:
    value, headers = _binary(example("order.placed"))
    verdict = decode("orders", value, [("ce_id", b"first"), *headers], 0)
    assert isinstance(verdict, Event)
    assert verdict.id == "ord-1001"


def test_another_currency_by_setting() -> None:
    value = json.dumps(example("order.placed")).encode()
    assert isinstance(decode("orders", value, None, 0), Event)
    verdict = decode("orders", value, None, 0, Limits(currency="SEK"))
    assert isinstance(verdict, Refusal)
    assert verdict.reason is Reason.OUT_OF_RANGE
    assert "SEK" in verdict.cure
    assert isinstance(decode("orders", value.replace(b" EUR", b" SEK"), None, 0, Limits(currency="SEK")), Event)


# Fingerprints -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", INPUTS, ids=lambda event: event["type"])
def test_a_fingerprint_depends_on_typed_data_and_not_on_its_spelling(event: dict[str, Any]) -> None:
    expected = fingerprint(_decoded(event))
    backwards = {**event, "data": dict(reversed(event["data"].items()))}
    assert fingerprint(_decoded(backwards, indent=3)) == expected
    escaped = "".join(f"\\u{ord(each):04x}" for each in "BER1")
    value = json.dumps(event).replace('"BER1"', f'"{escaped}"').encode()
    verdict = decode(INBOUND[event["type"]].topic, value, None, 0)
    assert isinstance(verdict, Event)
    assert fingerprint(verdict) == expected
    unknown = {**event, "data": {**event["data"], "colour": "red"}}
    assert fingerprint(_decoded(unknown)) == expected
    other_attributes = {**event, "time": "2026-03-01T00:00:00Z", "id": "other", "correlationid": "c"}
    assert fingerprint(_decoded(other_attributes)) == expected


def test_a_fingerprint_leaves_the_customer_out_and_nothing_else() -> None:
    event = example("order.placed")
    expected = fingerprint(_decoded(event))
    for customer in ({"customer": "somebody else"}, {"customer": None}):
        assert fingerprint(_decoded({**event, "data": {**event["data"], **customer}})) == expected
    seen = {expected}
    lines = event["data"]["lines"]
    for change in (
        {"order_id": "o"},
        {"channel": None},
        {"lines": lines[:1]},
        {"lines": [{**lines[0], "quantity": 4}, lines[1]]},
        {"lines": [lines[1], lines[0]]},
    ):
        seen.add(fingerprint(_decoded({**event, "data": {**event["data"], **change}})))
    assert len(seen) == 6


def test_a_fingerprint_does_not_depend_on_the_offset_of_a_moment() -> None:
    event = example("stock.counted")
    moved = {**event, "data": {**event["data"], "as_of": "2026-03-04T18:00:00+01:00"}}
    assert fingerprint(_decoded(moved)) == fingerprint(_decoded(event))


def test_a_fingerprint_knows_the_type() -> None:
    approved, declined = _decoded(example("replenishment.approved")), _decoded(example("replenishment.declined"))
    assert fingerprint(approved) != fingerprint(declined)


def test_an_identity_keeps_source_and_id_apart() -> None:
    assert identity("shop", "1") == identity("shop", "1")
    assert identity("shop", "11") != identity("shop1", "1")
    assert 0 <= identity("shop", "1") < 2**64


# Outputs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", OUTPUTS, ids=lambda event: event["type"])
def test_outputs_are_written_exactly_as_promised(event: dict[str, Any]) -> None:
    output = decode_output(json.dumps(event).encode())
    assert json.loads(encode(output)) == event
    assert decode_output(encode(output)) == output
    assert output.type == event["type"]
    assert output.item == event["subject"]
    assert output.topic == OUTBOUND[event["type"]].topic


def test_bytes_that_we_did_not_write_are_no_output() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_output(json.dumps(example("order.placed")).encode())
    with pytest.raises(msgspec.DecodeError):
        decode_output(b"{")


# Any bytes ----------------------------------------------------------------------------------------------------------

topics = st.sampled_from(["orders", "stock", "catalog"])
header_lists = st.none() | st.lists(
    st.tuples(
        st.sampled_from(["ce_id", "ce_source", "ce_type", "ce_time", "ce_specversion", "content-type", "x"])
        | st.text(),
        st.none()
        | st.binary(max_size=20)
        | st.sampled_from([b"1.0", b"order.placed", b"2026-03-02T10:15:00Z", b"application/cloudevents+json"]),
    ),
    max_size=8,
)


def _assert_verdict(verdict: object) -> None:
    assert isinstance(verdict, Event | Refusal)
    if isinstance(verdict, Refusal):
        assert verdict.reason in Reason
        assert str(verdict)
    else:
        assert 0 <= fingerprint(verdict) < 2**64


@given(topics, st.binary(), header_lists, st.integers(min_value=-1, max_value=2**53))
@given_example("orders", b"\xff\xfe", None, 0)
@given_example("orders", b'{"\\ud800": 1}', None, 0)
def test_any_bytes_give_a_verdict(topic: str, value: bytes, headers: Any, appended_ms: int) -> None:
    _assert_verdict(decode(topic, value, headers, appended_ms))


@given(topics, almost_json, header_lists)
def test_any_json_gives_a_verdict(topic: str, document: Any, headers: Any) -> None:
    _assert_verdict(decode(topic, json.dumps(document).encode(), headers, 0))


@given(st.sampled_from(INPUTS), st.data())
@settings(max_examples=200)
def test_a_valid_event_with_some_bytes_changed_gives_a_verdict(event: dict[str, Any], data: st.DataObject) -> None:
    value = bytearray(json.dumps(event).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(value) - 1))
        value[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    _assert_verdict(decode(INBOUND[event["type"]].topic, bytes(value), None, 0))


def _places(node: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, child in inner for place in _places(child, (*path, key)))]


@given(st.sampled_from(INPUTS), st.data(), almost_json)
@settings(max_examples=200)
def test_a_valid_event_with_any_value_anywhere_gives_a_verdict(
    event: dict[str, Any], data: st.DataObject, junk: Any
) -> None:
    changed = json.loads(json.dumps(event))
    *steps, last = data.draw(st.sampled_from(_places(event)[1:]))
    node = changed
    for step in steps:
        node = node[step]
    node[last] = junk
    topic = INBOUND[event["type"]].topic
    verdict = decode(topic, json.dumps(changed).encode(), None, 0)
    _assert_verdict(verdict)
    if "data" in changed and isinstance(changed["data"], dict):
        value, headers = _binary(changed)
        if all(isinstance(changed[name], str) for name in changed if name != "data"):
            assert decode(topic, value, headers, 0) == verdict, "the two modes disagree"


@given(st.sampled_from(INPUTS), st.dictionaries(st.text(min_size=1).map("x-".__add__), any_json, max_size=3))
def test_unknown_fields_never_change_a_verdict(event: dict[str, Any], unknown: dict[str, Any]) -> None:
    assert _decoded({**unknown, **event, "data": {**unknown, **event["data"]}}) == _decoded(event)


names = st.text(st.characters(exclude_categories=["C", "Z", "M"], exclude_characters="@\u3164\u115f\u1160\uffa0\u2800"))


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "line_id": st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128),
                "sku": names.filter(lambda text: 0 < len(text) <= 64),
                "location": names.filter(lambda text: 0 < len(text) <= 64),
                "quantity": st.integers(1, 10**9),
            },
            optional={"unit_price": st.decimals(0, 10**6, places=2).map("{:f} EUR".format), "colour": any_json},
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda line: line["line_id"],
    )
)
def test_any_order_within_the_contract_arrives_as_it_was_sent(lines: list[dict[str, Any]]) -> None:
    event = {**example("order.placed"), "data": {"order_id": "o", "lines": lines}}
    verdict = decode("orders", json.dumps(event).encode(), None, 0)
    assert isinstance(verdict, Event), verdict
    assert isinstance(verdict.data, OrderPlaced)
    assert [(line.line_id, line.sku, line.location, line.quantity) for line in verdict.data.lines] == [
        (line["line_id"], line["sku"], line["location"], line["quantity"]) for line in lines
    ]
