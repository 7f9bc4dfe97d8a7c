"""Says a notification in plain text: groups by supplier, class and location, the worst first, at most so many lines.

>>> Group("acme", "A", "BER1").heading(2), Group("", "C", "BER1").heading(1)
('acme, class A, BER1: 2', 'no supplier, class C, BER1: 1')
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from agents.notify.hours import Hours
from agents.notify.mailing import Notification
from agents.notify.matters import PROPOSAL, SEVERITIES, KnownItem, Matter
from schemas.outbound import ReplenishmentProposed, Severity, StockAlert
from schemas.quantities import split_item


class NotificationText(NamedTuple):
    """What is sent."""

    title: str
    text: str
    severity: Severity
    key: str
    """The same when the same stretch is sent again."""


class Group(NamedTuple):
    """What the matters of one paragraph have in common."""

    supplier: str
    abc: str
    location: str

    def heading(self, matters: int) -> str:
        """The first line of the paragraph."""
        return f"{self.supplier or 'no supplier'}, class {self.abc}, {self.location}: {matters}"


def worded(
    notification: Notification, known: Mapping[str, KnownItem], hours: Hours, lines: int, key: str
) -> NotificationText:
    """The text of a notification; what is more than so many lines is counted."""
    news, still_open = notification.news, notification.still_open
    paragraphs = []
    if news:
        since = f" since {hours.shown(notification.since_ms)}" if notification.since_ms is not None else ""
        paragraphs += [f"New{since}: {len(news)}", *_paragraphs(news, known, hours, lines)]
    if still_open:
        left = max(1, lines - len(news))
        paragraphs += [f"Still open: {len(still_open)}", *_paragraphs(still_open, known, hours, left)]
    paragraphs.append(f"{_what_helps((*news, *still_open))}\nKey {key}: what is sent twice has the same key.")
    worst = min((matter.severity for matter in (*news, *still_open)), key=SEVERITIES.index)
    return NotificationText(_title(notification), "\n\n".join(paragraphs), worst, key)


def _title(notification: Notification) -> str:
    news, still_open = notification.news, notification.still_open
    if len(news) == 1 and not still_open:
        return f"restock: {_kind(news[0])}: {news[0].item}"
    if notification.urgency == "at-once":
        return f"restock: {len(news)} critical: {_counted(news)}"
    parts = [f"{len(news)} new"] if news else []
    parts += [f"{len(still_open)} still open"] if still_open else []
    return f"restock: {', '.join(parts)}"


def _paragraphs(matters: Sequence[Matter], known: Mapping[str, KnownItem], hours: Hours, lines: int) -> Iterator[str]:
    """A paragraph for each group, and a last one that counts what is left out."""
    groups: defaultdict[Group, list[Matter]] = defaultdict(list)
    for matter in matters:
        item = known.get(matter.item) or KnownItem(getattr(matter.body, "supplier", None), "C")
        _, location = split_item(matter.item)
        groups[Group(item.supplier or "", item.abc, location)].append(matter)
    left, unsaid = lines, list[Matter]()
    for group, of_group in sorted(groups.items(), key=lambda pair: (_urgency(pair[1]), pair[0])):
        rows = _rows(of_group)
        some, others = rows[:left], rows[left:]
        left -= len(some)
        unsaid += [matter for row in others for matter in row]
        if some:
            yield "\n".join([group.heading(len(of_group)), *(f"  {_line(row, hours)}" for row in some)])
    if unsaid:
        yield f"and {len(unsaid)} more: {_counted(unsaid)}"


def _urgency(matters: Sequence[Matter]) -> tuple[int, int]:
    """The group with the worst first, then the largest."""
    return min(SEVERITIES.index(matter.severity) for matter in matters), -len(matters)


def _rows(matters: Sequence[Matter]) -> list[list[Matter]]:
    """A line each: the alerts of an item together, a proposal alone."""
    rows: defaultdict[str, list[Matter]] = defaultdict(list)
    for matter in sorted(matters, key=_rank):
        rows[matter.name if matter.kind == PROPOSAL else matter.item].append(matter)
    return list(rows.values())


def _rank(matter: Matter) -> tuple[int, str, int, str]:
    return SEVERITIES.index(matter.severity), matter.kind, matter.since_ms, matter.name


def _line(row: Sequence[Matter], hours: Hours) -> str:
    sku, _ = split_item(row[0].item)
    kinds = ", ".join(_kind(matter) for matter in row)
    latest = max(row, key=lambda matter: matter.since_ms)
    since = hours.shown(min(matter.since_ms for matter in row))
    body = latest.body
    parts = _of_alert(body, hours) if isinstance(body, StockAlert) else _of_proposal(body, hours)
    named = [matter.body.replenishment_id for matter in row if matter.body.replenishment_id]
    parts += [f"`restock explain {each}`" for each in named]
    return f"{sku}: {kinds} since {since}: {', '.join(parts)}"


def _of_alert(alert: StockAlert, hours: Hours) -> list[str]:
    stock = alert.on_hand if alert.available is None else alert.available
    parts = [f"{stock} available", f"{alert.on_order} on order"]
    if alert.next_receipt_at:
        parts.append(f"next receipt {_day(alert.next_receipt_at, hours)}")
    if alert.projected_stock_out_at and stock > 0:
        parts.append(f"runs out {_day(alert.projected_stock_out_at, hours)}")
    return parts


def _of_proposal(proposal: ReplenishmentProposed, hours: Hours) -> list[str]:
    return [
        f"{proposal.quantity} wanted by {_day(proposal.need_by, hours)}",
        *(ask.replace("_", " ") for ask in proposal.why.asks),
    ]


def _what_helps(matters: Sequence[Matter]) -> str:
    runbooks = {matter.body.runbook for matter in matters if isinstance(matter.body, StockAlert)}
    if any(isinstance(matter.body, ReplenishmentProposed) for matter in matters):
        runbooks.add("docs/how-to/consume-replenishments.md")
    return f"What to do: {', '.join(sorted(runbooks))}"


def _counted(matters: Sequence[Matter]) -> str:
    """How many of each kind.

    >>> _counted([])
    ''
    """
    kinds = Counter(_kind(matter) for matter in matters)
    return ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())


def _kind(matter: Matter) -> str:
    return matter.kind.replace("_", " ")


def _day(instant: str, hours: Hours) -> str:
    return hours.shown(int(datetime.fromisoformat(instant).timestamp() * 1_000)).partition(" ")[0]
