"""How the simulated shop, warehouse and planner write: CloudEvents in structured mode, as any producer would.

>>> letter = Pen("shop.demo").write("ord-1", 0, OrderRejected(order_id="ord-1", lines=(), reason="out_of_stock"))
>>> letter.topic, letter.key, b'"type":"order.rejected"' in letter.value
('orders', 'ord-1', True)
"""

from typing import NamedTuple

import msgspec

from schemas.envelope import PublishedEvent
from schemas.inbound import INBOUND, TYPE_OF, Inbound, OrderRejected
from schemas.quantities import instant
from stream.kafka.event_publisher import key_of

__all__ = ["Letter", "OrderRejected", "Pen"]
_encode = msgspec.json.Encoder().encode


class Letter(NamedTuple):
    """One event, ready to be published."""

    topic: str
    key: str | None
    value: bytes


class Pen:
    """Writes the events of one source."""

    def __init__(self, source: str) -> None:
        self._source = source

    def write(self, event_id: str, time_ms: int, data: Inbound) -> Letter:
        """Put an envelope around what happened."""
        kind, key = TYPE_OF[type(data)], key_of(data)
        event = PublishedEvent(
            specversion="1.0",
            id=event_id,
            source=self._source,
            type=kind,
            time=instant(time_ms),
            subject=key or event_id,
            data=data,
        )
        return Letter(INBOUND[kind].topic, key, _encode(event))
