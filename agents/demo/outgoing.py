"""How the simulated shop, warehouse and planner write: CloudEvents in structured mode, as any producer would.

>>> event = EventWriter("shop.demo").write("ord-1", 0, OrderRejected(order_id="ord-1", lines=(), reason="out_of_stock"))
>>> event.topic, event.key, b'"type":"order.rejected"' in event.value
('orders', 'ord-1', True)
"""

from typing import NamedTuple

import msgspec

from schemas.envelope import PublishedEvent
from schemas.inbound import INBOUND, TYPE_OF, Inbound, OrderRejected
from schemas.quantities import instant
from stream.kafka.event_publisher import key_of

__all__ = ["EventWriter", "OrderRejected", "OutgoingEvent"]
_encode = msgspec.json.Encoder().encode


class OutgoingEvent(NamedTuple):
    """One event, ready to be published."""

    topic: str
    key: str | None
    value: bytes


class EventWriter:
    """Writes the events of one source."""

    def __init__(self, source: str) -> None:
        self._source = source

    def write(self, event_id: str, time_ms: int, data: Inbound) -> OutgoingEvent:
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
        return OutgoingEvent(INBOUND[kind].topic, key, _encode(event))
