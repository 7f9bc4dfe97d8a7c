"""Gathers what is open, alerts and proposals, from the topics `alerts` and `replenishments`.

A *matter* is one thing that may need a person. It has the place of the record that brought it, so that "already told"
is a comparison of offsets.

>>> from schemas.outbound import StockAlert
>>> def event(state):
...     return OutputEvent(id=f"alr-{state}", time_ms=0, body=StockAlert(
...         alert_id=f"alr-{state}", episode="eps-1", sku="TEA-01", location="BER1", kind="stock_out", state=state,
...         severity="critical", on_hand=0, threshold=0.0, days_of_supply=None, projected_stock_out_at=None,
...         on_order=0, next_receipt_at=None, runbook="docs/runbooks/StockOut.md"))
>>> matters = Matters()
>>> matters.take(RecordPlace("alerts", 0, 7, 0), event("raised"))
>>> [(matter.item, matter.kind, matter.offset) for matter in matters.open.values()]
[('TEA-01@BER1', 'stock_out', 7)]
>>> matters.take(RecordPlace("alerts", 0, 8, 0), event("cleared"))
>>> matters.open
{}
"""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import msgspec

from schemas.outbound import OutputEvent, ReplenishmentProposed, ReplenishmentRequested, Severity, StockAlert
from schemas.quantities import MINUTE_MS

PROPOSAL = "proposal"
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
"""The worst first."""
CHECKPOINTED_MS = 10 * MINUTE_MS
"""A checkpoint follows what is published within a second, or later where a store was away."""
TopicPartitionName: TypeAlias = tuple[str, int]
"""The logical name of a topic, and a partition of it."""


class KnownItem(NamedTuple):
    """What the checkpoint says of an item: by what its matters are grouped, and which proposals still wait."""

    supplier: str | None
    abc: str
    proposals: frozenset[str] = frozenset()


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """An alert's episode, or a proposal."""

    name: str
    """The episode, or the replenishment's id."""
    item: str
    kind: str
    """Of the alert; `proposal`."""
    severity: Severity
    since_ms: int
    topic: str
    partition: int
    offset: int
    appended_ms: int
    """When the broker took the record."""
    body: StockAlert | ReplenishmentProposed

    @property
    def waits_for_a_person(self) -> bool:
        """Whether somebody has to look at it: information is nobody's work."""
        return self.severity != "info"


class RecordPlace(NamedTuple):
    """Where a record lies, and since when."""

    topic: str
    partition: int
    offset: int
    appended_ms: int


class Matters:
    """What is open as far as the topics were read, and what has ended."""

    def __init__(self) -> None:
        self.open: dict[str, Matter] = {}
        self.ended: list[tuple[Matter, int]] = []
        """With the moment at which each ended, until somebody clears it."""

    def take(self, place: RecordPlace, event: OutputEvent) -> None:
        """Follow one record."""
        body = event.body
        match body:
            case StockAlert(state="raised"):
                self._open(_matter(place, event, body.episode, body.kind, body.severity, body))
            case StockAlert():
                self._end(body.episode, event.time_ms)
            # An order beyond facts is asked about by its alert, `unusual_order`, which ends when it is answered.
            case ReplenishmentProposed() if "beyond_facts" not in body.why.asks:
                name = body.replenishment_id
                self._open(_matter(place, event, name, PROPOSAL, "warning", body))
            case ReplenishmentRequested():
                self._end(body.replenishment_id, event.time_ms)
            case _:
                pass

    def settle(self, known: Mapping[str, KnownItem], now_ms: int) -> None:
        """End proposals that the checkpoint has no more: declined or lapsed, which neither topic says."""
        for matter in list(self.open.values()):
            item = known.get(matter.item)
            if (
                matter.kind == PROPOSAL
                and item is not None
                and matter.name not in item.proposals
                and now_ms - matter.appended_ms > CHECKPOINTED_MS
            ):
                self._end(matter.name, now_ms)

    def _open(self, matter: Matter) -> None:
        """Begin it; one that is open already is news again only where it has become worse."""
        known = self.open.get(matter.name)
        if known is not None and SEVERITIES.index(known.severity) <= SEVERITIES.index(matter.severity):
            matter = msgspec.structs.replace(
                matter, since_ms=known.since_ms, severity=known.severity, offset=known.offset
            )
        self.open[matter.name] = matter

    def _end(self, name: str, moment_ms: int) -> None:
        if (matter := self.open.pop(name, None)) is not None:
            self.ended.append((matter, moment_ms))


def _matter(
    place: RecordPlace,
    event: OutputEvent,
    name: str,
    kind: str,
    severity: Severity,
    body: StockAlert | ReplenishmentProposed,
) -> Matter:
    return Matter(
        name=name,
        item=event.item,
        kind=kind,
        severity=severity,
        since_ms=event.time_ms,
        topic=place.topic,
        partition=place.partition,
        offset=place.offset,
        appended_ms=place.appended_ms,
        body=body,
    )
