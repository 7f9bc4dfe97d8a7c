"""Every topic there is, declared once: its key, what it carries, who writes it; and where an item is placed.

>>> TOPICS["alerts"].name_with("eu."), TOPICS["alerts"].types
('eu.alerts', ('stock.alert',))
>>> place("TEA-01@BER1", 12)
10
"""

from typing import Literal, TypeAlias

import msgspec
import xxhash

from schemas.inbound import INBOUND
from schemas.outbound import OUTBOUND
from schemas.spelling import folded

Role: TypeAlias = Literal["source", "log", "output", "dead_letters"]


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """One topic of the contract, by its logical name; the broker's name has the configured prefix before it."""

    name: str
    role: Role
    """`source`: producers write; `log`: ours alone, the truth; `output`: we write, others read."""
    key: str
    writer: str
    types: tuple[str, ...]
    """CloudEvents types, or the names of record structs for what is internal."""
    cleanup: Literal["delete"] = "delete"
    timestamps: Literal["LogAppendTime"] = "LogAppendTime"
    partitions: Literal["ledger", "any"] = "any"
    """`ledger`: exactly as many as the ledger has; `any`: as many as its load wants."""
    retention: Literal["long", "any"] = "any"
    """`long`: state is rebuilt from it, so ledger and journal keep the same long time."""

    def name_with(self, prefix: str) -> str:
        """The broker's name of the topic."""
        return f"{prefix}{self.name}"


def _inbound(topic: str) -> tuple[str, ...]:
    return tuple(name for name, kind in INBOUND.items() if kind.topic == topic)


def _outbound(topic: str) -> tuple[str, ...]:
    return tuple(name for name, kind in OUTBOUND.items() if kind.topic == topic)


_DECLARED = (
    Topic(name="orders", role="source", key="order id, or any", writer="shops", types=_inbound("orders")),
    Topic(name="stock", role="source", key="any", writer="warehouses, suppliers, buyers", types=_inbound("stock")),
    Topic(name="catalog", role="source", key="any", writer="planners", types=_inbound("catalog")),
    Topic(
        name="ledger",
        role="log",
        key="sku@location",
        writer="intake",
        types=("Movement", "Notice", "Ticked", "LedgerCreated", "SettingsChanged"),
        partitions="ledger",
        retention="long",
    ),
    Topic(
        name="journal",
        role="log",
        key="shard",
        writer="controller",
        types=("Published", "Sealed"),
        partitions="ledger",
        retention="long",
    ),
    Topic(
        name="replenishments", role="output", key="sku@location", writer="controller", types=_outbound("replenishments")
    ),
    Topic(name="alerts", role="output", key="sku@location", writer="controller", types=_outbound("alerts")),
    Topic(name="reviews", role="output", key="sku@location", writer="controller", types=_outbound("reviews")),
    Topic(
        name="dead-letters",
        role="dead_letters",
        key="the key of the refused record",
        writer="intake: the original record; controller: a refused movement; `restock dead-letters`: marks",
        types=("DeadLetter", "DeadLetterMark"),
    ),
)
TOPICS: dict[str, Topic] = {topic.name: topic for topic in _DECLARED}


def place(item: str, partitions: int, *, alike: bool = False) -> int:
    """The partition of an item: our own stable hash, never a client's default, which differs between clients.

    Partition p of the ledger is shard p; the outputs about an item are placed the same way. `alike`, for ledgers whose
    `unknown_items` is `ask`, places all spellings of a name together, so that one shard can tell them apart.

    >>> place("TEA-01@BER1", 12, alike=True) == place("tea-01 @BER1", 12, alike=True)
    True
    """
    return xxhash.xxh3_64_intdigest((folded(item) if alike else item).encode()) % partitions
