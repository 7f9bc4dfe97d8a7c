"""Sales to a demand history, `item,date,demand[,promotion,price]`: what the same file would teach as events.

A day is the shop's own, in the time zone of `--timezone`. What came back is no demand; an order that is cancelled
within the file is taken out of the day it was placed on. Promotion and price are there where the file has them: a day
is on promotion when anything was sold under one, its price is what a unit brought on average.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, tzinfo
from typing import Any, NamedTuple, TypeAlias

from agents.imports.events import EventDraft, items_of, take_figures
from agents.imports.report import Report
from schemas.inbound import OrderCancelled, OrderLine, OrderPlaced, ReturnReceived
from schemas.quantities import amount

COLUMNS = ("item", "date", "demand")
NO_PROMOTION = {"0", "0.0", "false", "no", "n", "none", "-"}
"""What files write into the column of promotions where there is none."""

ItemDay: TypeAlias = tuple[str, date]


class DaySales:
    """What was sold of one item on one day."""

    __slots__ = ("demand", "money", "priced", "promotion")

    def __init__(self) -> None:
        self.demand = 0
        self.promotion = False
        self.money, self.priced = 0.0, 0
        """What the units with a price brought, and how many those are."""

    def sell(self, line: OrderLine) -> None:
        """Take in a line."""
        self.demand += line.quantity
        self.promotion |= (line.promotion or "0").lower() not in NO_PROMOTION
        if line.unit_price is not None and line.quantity > 0:
            self.money += amount(line.unit_price) * line.quantity
            self.priced += line.quantity


class DemandTable(NamedTuple):
    """A history as it is written."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def demand_table(drafts: Iterable[EventDraft], days_in: tzinfo, report: Report) -> DemandTable:
    """Add up a file's orders by item and day."""
    sold: defaultdict[ItemDay, DaySales] = defaultdict(DaySales)
    placed_on: dict[str, date] = {}
    cancelled: list[OrderCancelled] = []
    for draft in drafts:
        report.items.update(items_of(draft.data))
        match draft.data:
            case OrderPlaced(order_id=order, lines=lines):
                take_figures(draft, report)
                day = placed_on.setdefault(order, draft.time.astimezone(days_in).date())
                for line in lines:
                    sold[_name(line), day].sell(line)
            case OrderCancelled():
                cancelled.append(draft.data)
            case ReturnReceived(lines=returned):
                report.notes["rows that came back, no demand"] += len(returned)
            case _:
                report.notes["corrections of stock, no demand"] += 1
    for data in cancelled:
        for back in data.lines:
            day_sales = sold[_name(back), placed_on[data.order_id]]
            day_sales.demand = max(0, day_sales.demand - back.quantity)
    return DemandTable(*_written(sold))


def _written(sold: dict[ItemDay, DaySales]) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    has_promotion = any(each.promotion for each in sold.values())
    has_price = any(each.priced for each in sold.values())
    columns = (*COLUMNS, *(("promotion",) if has_promotion else ()), *(("price",) if has_price else ()))
    return columns, [
        (item, day.isoformat(), each.demand, *_extras(each, has_promotion=has_promotion, has_price=has_price))
        for (item, day), each in sorted(sold.items())
    ]


def _extras(sales: DaySales, *, has_promotion: bool, has_price: bool) -> Iterator[Any]:
    if has_promotion:
        yield int(sales.promotion)
    if has_price:
        yield f"{sales.money / sales.priced:.6g}" if sales.priced else ""


def _name(line: Any) -> str:
    """The item; a file without locations has skus alone."""
    return f"{line.sku}@{line.location}".removesuffix("@")
