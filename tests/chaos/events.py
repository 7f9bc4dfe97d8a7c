"""Events as a shop's own programs would write them: plain dictionaries and JSON, no code of the product.

A `WrittenEvent` carries what the harness knows of it: what it states, and what must become of it.
"""

import json
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

NUMBER = "n"
"""The header by which the harness finds its event again, in sources and in dead letters."""
TILL = "till.example"
"""A source whose events all lie on one feed, in the order they were published in."""
JSON_TYPE = ("content-type", b"application/cloudevents+json")
TOPIC_OF = {
    "order": "orders",
    "demand": "orders",
    "stock": "stock",
    "return": "stock",
    "replenishment": "stock",
    "item": "catalog",
    "supplier": "catalog",
    "calendar": "catalog",
    "promotion": "catalog",
    "price": "catalog",
}


@dataclass(frozen=True)
class StatedEvent:
    """What an event states, before it is written in one of its spellings."""

    source: str
    id: str
    type: str
    time_ms: int
    data: dict[str, Any]

    @property
    def topic(self) -> str:
        return TOPIC_OF[self.type.partition(".")[0]]

    @property
    def body(self) -> str:
        """What two events of one id must share to be the same: type and data, without the customer."""
        return json.dumps([self.type, {k: v for k, v in self.data.items() if k != "customer"}], sort_keys=True)


@dataclass(frozen=True)
class WrittenEvent:
    """One record of a source topic, and its verdict: ok, tombstone, or the reason it is refused for at intake."""

    topic: str
    place: int
    """This number modulo the number of partitions is its partition."""
    value: bytes | None
    verdict: str
    said: StatedEvent | None = None
    headers: tuple[tuple[str, bytes], ...] = (JSON_TYPE,)
    key: bytes | None = None
    uncertain: bool = False
    """Whether the state may take it or refuse it, depending on the watermark (a count of long ago) or on what came
    first on another feed (a correction and the orders it is about)."""
    number: int = field(default=0, compare=False)


def written(said: StatedEvent, *, spelling: int = 0) -> WrittenEvent:
    """Write an event; other spellings state the same in other bytes."""
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": said.id,
        "source": said.source,
        "type": said.type,
        "time": moment(said.time_ms),
    }
    place, key = zlib.crc32((TILL if said.source == TILL else said.id).encode()), said.id.encode()
    if said.type.startswith(("replenishment.", "stock.")) and (item := _item(said.data)):
        place = zlib.crc32(item.encode())  # events about the goods of one item keep their order
    if spelling == 1:  # binary mode
        headers = [(f"ce_{name}", str(value).encode()) for name, value in attributes.items()]
        value = json.dumps(said.data).encode()
        return WrittenEvent(
            said.topic, place, value, "ok", said, (*headers, ("content-type", b"application/json")), key
        )
    if spelling == 2:  # other whitespace, unknown fields, other attributes
        attributes |= {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "invented": [1, {"x": None}]}
        data = {"unheard_of": {"deep": [1, 2]}} | said.data
        text = json.dumps({"data": data} | attributes, indent=1, ensure_ascii=False)
        return WrittenEvent(said.topic, place, text.encode(), "ok", said, (JSON_TYPE,), key)
    text = json.dumps(attributes | {"data": said.data}, separators=(",", ":"))
    return WrittenEvent(said.topic, place, text.encode(), "ok", said, (JSON_TYPE,), key)


def moment(time_ms: int) -> str:
    """RFC 3339 in UTC."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")


def milliseconds(text: str) -> int:
    """Milliseconds of an RFC 3339 text that has no fraction of a millisecond."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def _item(data: dict[str, Any]) -> str | None:
    if "transfer_id" in data:
        return f"transfer {data['sku']}"
    return f"{data['sku']}@{data['location']}" if "location" in data else None
