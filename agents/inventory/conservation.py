"""Nothing is lost and nothing appears (invariant I1): what flowed is what lies there, unit for unit.

>>> item = Item(known=True, net=7, totals=ItemTotals(opening=10, sold=3))
>>> conserved(item)
True
>>> item.net = 8
>>> conserved(item)
False
"""

from agents.inventory.position import Item, ItemTotals


def conserved(item: Item) -> bool:
    """Whether both sums of I1 hold, and the open orders add up to what is on order."""
    outstanding = sum(order.outstanding for order in item.orders)
    return stock(item.totals) == item.net and on_order(item.totals) == item.on_order == outstanding


def stock(totals: ItemTotals) -> int:
    """What the flows of physical stock add up to."""
    came = totals.opening + totals.received + totals.returned + totals.transferred_in + totals.cancelled
    went = totals.sold + totals.transferred_out
    return came - went + totals.adjusted + totals.differences


def on_order(totals: ItemTotals) -> int:
    """What the flows of orders add up to."""
    gone = totals.delivered + totals.withdrawn + totals.closed_short
    return totals.ordered - gone + totals.over_received
