"""Records that break the contract in every way of the verdict table, each with the reason it is refused for."""

import json
import random
from typing import Any

from tests.chaos.events import JSON_TYPE, StatedEvent, WrittenEvent, moment, written

LINE = {"line_id": "1", "sku": "S-01", "location": "BER1", "quantity": 3}


def malformed(chance: random.Random, number: int, now_ms: int) -> WrittenEvent:
    """One of these records; if a field is at fault, the rest of the event is right."""
    kind = chance.randrange(3)
    topic = chance.choice(("orders", "stock", "catalog"))
    place = chance.randrange(1000)
    if kind == 0:
        value, reason = chance.choice(BYTES)
        return WrittenEvent(topic, place, value, reason, headers=(JSON_TYPE,))
    if kind == 1:
        change, reason = chance.choice(ENVELOPES)
        envelope = _envelope(number, now_ms) | change
        envelope = {name: value for name, value in envelope.items() if value is not Ellipsis}
        if reason == "time_too_far":
            envelope["time"] = "2099-01-01T00:00:00+00:00"
        return WrittenEvent("orders", place, json.dumps(envelope).encode(), reason)
    name, data, reason = chance.choice(DATA)
    whole = written(StatedEvent("shop.example", f"bad-{number}", name, now_ms, data))
    return WrittenEvent(whole.topic, place, whole.value, reason)


def _envelope(number: int, now_ms: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"bad-{number}",
        "source": "shop.example",
        "type": "order.placed",
        "time": moment(now_ms),
        "data": {"order_id": f"bad-{number}", "lines": [LINE]},
    }


def _line(**change: Any) -> dict[str, Any]:
    line = {name: value for name, value in (LINE | change).items() if value is not Ellipsis}
    return {"order_id": "bad", "lines": [line]}


BYTES: tuple[tuple[bytes, str], ...] = (
    (b"", "empty"),
    (b'{"specversion": "1.0", "id"', "not_json"),
    (b'{"specversion": "1.0"} trailing', "not_json"),
    (b"null", "not_an_object"),
    (b"17", "not_an_object"),
    (b'["order.placed"]', "not_an_object"),
    (b"[" * 100_000, "too_deep"),
    (b'{"a":' * 100 + b"1" + b"}" * 100, "too_deep"),
    (b'{"x": "' + b"x" * 300_000 + b'"}', "too_large"),
    (b'{"id": "\xff\xfe"}', "bad_encoding"),
    (b"\xef\xbb\xbf{}", "bad_encoding"),
    ('{"id": 1}'.encode("utf-16"), "bad_encoding"),
    (b'{"specversion": "1.0", "id": "\\ud800"}', "bad_encoding"),
    (b'{"specversion": "1.0", "id": NaN}', "not_json"),
    (b'{"specversion": "1.0"}', "missing_field"),
)
ENVELOPES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"type": "order.teleported"}, "unknown_type"),
    ({"type": "Order.Placed"}, "unknown_type"),
    ({"type": "stock.counted"}, "wrong_topic"),
    ({"type": "item.configured"}, "wrong_topic"),
    ({"time": ...}, "missing_field"),
    ({"time": "2026-03-02T10:15:00"}, "bad_time"),
    ({"time": "1999-12-31T23:59:59+00:00"}, "bad_time"),
    ({"time": "soon"}, "bad_time"),
    ({}, "time_too_far"),
    ({"id": ...}, "missing_field"),
    ({"data": ...}, "missing_field"),
    ({"data": [1]}, "not_an_object"),
)
_COUNT = {"count_id": "c", "sku": "S-01", "location": "BER1", "as_of": "2026-03-04T17:00:00+00:00"}
_ADJUSTMENT = {"adjustment_id": "a", "sku": "S-01", "location": "BER1", "reason": "damaged"}
_TRANSFER = {"transfer_id": "t", "sku": "S-01", "quantity": 1, "phase": "shipped"}
_ITEM = {"sku": "S-01", "location": "BER1"}
DATA: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("order.placed", _line(quantity=0), "out_of_range"),
    ("order.placed", _line(quantity=-1), "out_of_range"),
    ("order.placed", _line(quantity=10**9 + 1), "out_of_range"),
    ("order.placed", _line(quantity=2**53 + 1), "out_of_range"),
    ("order.placed", _line(quantity=1.0), "wrong_type"),
    ("order.placed", _line(quantity="1"), "wrong_type"),
    ("order.placed", _line(quantity=True), "wrong_type"),
    ("order.placed", _line(quantity=...), "missing_field"),
    ("order.placed", _line(sku=...), "missing_field"),
    ("order.placed", _line(sku="a@b"), "bad_identity"),
    ("order.placed", _line(sku="a\nb"), "bad_identity"),
    ("order.placed", _line(sku="a\u200bb"), "bad_identity"),
    ("order.placed", _line(location="x" * 65), "bad_identity"),
    ("order.placed", {"order_id": "bad", "lines": []}, "out_of_range"),
    ("order.placed", {"order_id": "bad", "lines": [LINE, LINE]}, "out_of_range"),
    ("order.placed", {"lines": [LINE]}, "missing_field"),
    ("stock.counted", _COUNT | {"counted": -1}, "out_of_range"),
    ("stock.adjusted", _ADJUSTMENT | {"delta": 0}, "out_of_range"),
    ("stock.transferred", _TRANSFER | {"from": "BER1", "to": "BER1"}, "out_of_range"),
    ("item.configured", _ITEM | {"unit_cost": "-1.00 EUR"}, "out_of_range"),
    ("item.configured", _ITEM | {"unit_cost": "cheap"}, "wrong_type"),
    ("item.configured", _ITEM | {"service_level": 1.2}, "out_of_range"),
    (
        "promotion.scheduled",
        _ITEM | {"promotion_id": "p", "starts": "2026-03-09T00:00:00+00:00", "ends": "2026-03-06T00:00:00+00:00"},
        "out_of_range",
    ),
)
