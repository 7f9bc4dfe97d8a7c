"""Turns what was decided into outputs, each named after the point that caused it and with its journal entry beside.

An output's name holds ledger, partition, offset and step of its cause, so that it can be found again and explained, and
so that the same cause has the same name in every replay (I3).
"""

from collections.abc import Sequence

from agents.inventory import unusual
from agents.inventory.alerts import threshold, warning_lines
from agents.inventory.card import Card
from agents.inventory.position import Item, allocated, available, backorders, on_hand
from agents.inventory.replenishments import due_at
from agents.inventory.severity import severity
from schemas import outbound
from schemas.journal import Alerted, Decided, JournalEntry, Point, Refused
from schemas.ledger import Corrected, Milliseconds, Movement, Notice
from schemas.outbound import AlertKind, ItemReviewed, ReplenishmentProposed, ReplenishmentRequested, StockAlert
from schemas.quantities import DAY_MS, instant, split_item
from schemas.refusal import Reason, Refusal
from schemas.refused import RefusedRecord
from stream.ports import Output

_CURES = {
    Reason.UNKNOWN_ITEM: ("is about an item that nobody configured", "publish item.configured for it, then redrive"),
    Reason.TOO_MANY_ITEMS: (
        "is about a new item, and the shard holds as many as it may",
        "raise RESTOCK_MAX_ITEMS, then redrive",
    ),
    Reason.CONFLICTING_DUPLICATE: (
        "came before under the same source and id, with other data",
        "publish it under a new id",
    ),
    Reason.COUNT_TOO_OLD: (
        "counts a moment more than 48 hours before the watermark",
        "count again, or publish an adjustment",
    ),
    Reason.OUT_OF_RANGE: (
        "confirms more than was ordered",
        "confirm at most the ordered quantity, and publish what comes beyond it as received",
    ),
    Reason.UNKNOWN_REPLENISHMENT: (
        "names a replenishment that nobody requested for this item",
        "check replenishment_id and item",
    ),
}
_BEYOND_DEMAND = (
    "takes out more demand than is remembered of that period",
    "state the time of the mistaken order as it was published, and at most its quantity",
)

RESPELT = "publish it under a new id for {}; if it is another item, publish item.configured for it, then redrive"
"""What to do about another spelling of a known item, which is to be filled in."""


class Cause:
    """The cause of outputs: a movement, or a wake-up of an item. It collects them."""

    __slots__ = ("_names", "entries", "moment", "offset", "outputs", "record", "review", "step")

    def __init__(
        self,
        names: tuple[str, int],
        offset: int,
        step: int,
        moment: Milliseconds,
        record: Movement | Notice | None = None,
        review: tuple[Milliseconds, str] | None = None,
        entries: Sequence[JournalEntry] | None = None,
    ) -> None:
        self._names = names
        """Ledger and partition."""
        self.offset = offset
        self.step = step
        """Of the next output."""
        self.moment = moment
        """The logical time of what is decided here."""
        self.record = record
        self.review = review
        """The wake-up that this is, as (due, item); None for a movement."""
        self.entries = entries
        """In replay the journal's entries of this cause, which take the place of deciding; None in the live run."""
        self.outputs: list[Output] = []

    def name(self, kind: str) -> str:
        """What the next output, or something it begins, is called."""
        ledger, partition = self._names
        return f"{kind}-{ledger}-{partition}-{self.offset}-{self.step}"

    @property
    def at(self) -> Point:
        """The point of the next output."""
        return Point(self.offset, self.step)

    def decided(self, decided: Decided) -> None:
        """Publish a replenishment."""
        sku, location = split_item(decided.item)
        make = ReplenishmentProposed if decided.proposed else ReplenishmentRequested
        body = make(
            replenishment_id=decided.replenishment,
            sku=sku,
            location=location,
            quantity=decided.quantity,
            kind="purchase",
            need_by=instant(decided.need_by),
            why=decided.why,
            supplier=decided.supplier,
        )
        # A proposal and the request that follows it share the replenishment's id; the events need one each.
        name = f"prp-{decided.replenishment.removeprefix('rep-')}" if decided.proposed else decided.replenishment
        self._publish(name, body, decided)

    def alerted(self, card: Card, kind: AlertKind, alerted: Alerted) -> None:
        """Publish that an alert begins or ends."""
        item = card.item
        sku, location = split_item(card.name)
        stock = available(item)
        days = max(0, stock) / item.daily if item.daily > 0.0 else None
        due = [due_at(order) for order in item.orders if order.outstanding > 0 and due_at(order) >= self.moment]
        about = min(item.orders, key=due_at, default=None) if kind == "overdue_replenishment" else None
        if kind == "unusual_order":
            about = unusual.find(item)
        lower, upper = warning_lines(item)
        body = StockAlert(
            alert_id=self.name("alr"),
            episode=alerted.episode,
            sku=sku,
            location=location,
            kind=kind,
            state="raised" if alerted.raised else "cleared",
            severity=severity(item, kind, self.moment),
            on_hand=on_hand(item),
            threshold=threshold(item, kind),
            days_of_supply=days,
            projected_stock_out_at=None if days is None else _soon(self.moment, days),
            on_order=item.on_order,
            next_receipt_at=instant(min(due)) if due else None,
            runbook=f"docs/runbooks/{kind.title().replace('_', '')}.md",
            available=stock,
            backorders=backorders(item),
            replenishment_id=about.id if about is not None and alerted.raised else None,
            lower_line=lower,
            upper_line=upper,
        )
        self._publish(body.alert_id, body, alerted)

    def reviewed(self, review: ItemReviewed) -> None:
        """Publish a review."""
        self._publish(self.name("rvw"), review, None)

    def refused(self, name: str, reason: Reason, appended: Milliseconds, nearest: str | None = None) -> None:
        """Send a record to the dead letters."""
        record = self.record
        if record is None:
            raise TypeError("only what was published can be refused")
        message, cure = _CURES[reason]
        if reason is Reason.OUT_OF_RANGE and isinstance(getattr(record, "change", None), Corrected):
            message, cure = _BEYOND_DEMAND
        if nearest is not None:
            message, cure = (
                f"is about an item that is spelt almost like {nearest}, which is known",
                RESPELT.format(nearest),
            )
        event = RefusedRecord(Refusal(reason, "", message, cure), record, appended)
        entry = Refused(self.at, name, reason.value)
        self.outputs.append(Output("dead-letters", name, event, self.at, entry, self.review))
        self.step += 1

    def _publish(self, name: str, body: outbound.Body, entry: Decided | Alerted | None) -> None:
        record = self.record
        event = outbound.OutputEvent(
            id=name,
            time_ms=self.moment,
            body=body,
            correlation=(record.correlation or record.id) if record is not None else None,
            causation=record.id if record is not None else None,
            trace=(record.trace or None) if record is not None else None,
        )
        self.outputs.append(Output(event.topic, event.item, event, self.at, entry, self.review))
        self.step += 1


def broken_down(item: Item) -> outbound.Position:
    """The item's position, as outputs show it."""
    return outbound.Position(
        on_hand=on_hand(item), allocated=allocated(item), backorders=backorders(item), on_order=item.on_order
    )


def _soon(moment: Milliseconds, days: float) -> str | None:
    """A moment some days ahead; None when it is so far that nobody needs to know."""
    return instant(moment + int(days * DAY_MS)) if days < 3650 else None
