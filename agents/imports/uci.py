"""The preset for UCI's Online Retail (dataset 352): an invoice list with cancellations, write-offs and postage.

- Only five-digit codes are products (letters may follow, their case does not count); the rest is left out and counted.
- A `C` invoice within a day of the sale it takes back cancels that order; later it is a return.
- A line at zero price moved stock without a sale: `stock.adjusted`.
- Giant orders stay, and so do exact copies of a line: nothing says that they did not happen.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from agents.imports.events import EventDraft
from agents.imports.orders import Form, Sale, placed, plain_lines, returned, rows_of, sales
from agents.imports.report import Report
from agents.imports.table import CsvRow
from schemas.inbound import OrderCancelled, StockAdjusted

MAPPING = {
    "InvoiceNo": "order_id",
    "StockCode": "sku",
    "Quantity": "quantity",
    "InvoiceDate": "time",
    "UnitPrice": "unit_price",
    "CustomerID": "customer",
    "Country": "channel",
}
LOCATION = "UK"
PRODUCT = re.compile(r"\d{5}[A-Za-z]*")
CANCELLED_WITHIN = timedelta(days=1)


def drafts(rows: Iterable[CsvRow], form: Form, report: Report) -> Iterator[EventDraft]:
    """Every event of the list."""
    orders: defaultdict[str, list[Sale]] = defaultdict(list)
    back: defaultdict[str, list[Sale]] = defaultdict(list)
    adjusted: defaultdict[str, int] = defaultdict(int)
    for sale in products(sales(rows, form, report), report):
        if _price(sale) == 0:
            adjusted[sale.order] += 1
            report.notes["lines at zero price: adjustments of stock"] += 1
            yield _adjustment(sale, adjusted[sale.order])
        elif sale.quantity < 0:
            back[sale.order].append(sale)
        else:
            orders[sale.order].append(sale)
    bought = _Bought(orders.values())
    for order, lines in orders.items():
        yield from placed(order, lines)
    for invoice, lines in back.items():
        yield from _taken_back(invoice, lines, bought, report)


def products(lines: Iterable[Sale], report: Report) -> Iterator[Sale]:
    """Without postage, fees, gifts, samples, and corrections of money."""
    for sale in lines:
        if not PRODUCT.fullmatch(sale.sku):
            report.leave_out("no product code", sale.row, sale.sku)
        elif _price(sale) < 0:
            report.leave_out("negative price", sale.row)
        else:
            yield sale._replace(sku=sale.sku.upper())


class _Purchase:
    """Units that can still be taken back."""

    def __init__(self, sale: Sale) -> None:
        self.order, self.time, self.units = sale.order, sale.time, sale.quantity


class _Bought:
    """What each customer bought and has not taken back."""

    def __init__(self, orders: Iterable[list[Sale]]) -> None:
        self._open: defaultdict[tuple[str | None, str], list[_Purchase]] = defaultdict(list)
        for lines in orders:
            for sale in lines:
                self._open[sale.customer, sale.sku].append(_Purchase(sale))

    def take_back(self, sale: Sale) -> _Purchase | None:
        """The latest order within a day before that holds as many units; None where nobody knows of one."""
        if sale.customer is None:
            return None
        for purchase in reversed(self._open[sale.customer, sale.sku]):
            if timedelta(0) <= sale.time - purchase.time <= CANCELLED_WITHIN and purchase.units >= -sale.quantity:
                purchase.units += sale.quantity
                return purchase
        return None


def _taken_back(invoice: str, lines: list[Sale], bought: _Bought, report: Report) -> Iterator[EventDraft]:
    of_order: defaultdict[str | None, list[Sale]] = defaultdict(list)
    placed_at: dict[str, datetime] = {}
    for sale in lines:
        purchase = bought.take_back(sale)
        of_order[None if purchase is None else purchase.order].append(sale)
        if purchase is not None:
            placed_at.setdefault(purchase.order, purchase.time)
    for order, some in of_order.items():
        if order is None:
            report.notes["cancellations of more than a day, or of nothing known: returns"] += len(some)
            yield from returned(invoice, None, some)
        else:
            report.notes["cancellations within a day of the sale"] += len(some)
            data = OrderCancelled(
                order_id=order, lines=plain_lines(some), reason="customer", ordered_at=placed_at[order]
            )
            yield EventDraft(some[0].time, f"{invoice}-{order}", data, rows_of(some), (order, invoice))


def _adjustment(sale: Sale, number: int) -> EventDraft:
    name = f"{sale.order}-adjusted-{number}"
    data = StockAdjusted(
        sku=sale.sku, location=sale.location, adjustment_id=name, delta=sale.quantity, reason="zero_price"
    )
    return EventDraft(sale.time, name, data, (sale.row,), (sale.order,))


def _price(sale: Sale) -> float:
    return float(sale.price.partition(" ")[0]) if sale.price else 0.0
