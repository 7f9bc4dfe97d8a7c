"""What it would take to order an item: the champion is asked again and again, with ever fewer units available."""

from bisect import bisect_left

import msgspec

from agents.inspection.loaded_item import LoadedItem
from agents.inventory import holds
from agents.inventory.periods import decides, due
from agents.inventory.position import Item, available, position
from schemas.ledger import Milliseconds

_MOST_REVIEWS = 4_000
"""So many reviews are looked ahead; a hold of 30 days of hourly reviews is over by then."""


class WayToOrder(msgspec.Struct, frozen=True):
    """An order that comes when the position has fallen far enough."""

    fewer: int
    """Units that the position has to fall; 0 when it need not."""
    position: int
    """Where it is then."""
    quantity: int
    """What is ordered there, all else being equal; 0 where the policy wants nothing."""


class Prospect(msgspec.Struct, frozen=True):
    """What an order takes as things stand."""

    at_review: WayToOrder | None
    """A review asks the policy wherever the position is; None where it orders nothing, however little is left."""
    at_reorder_point: WayToOrder | None
    """Between reviews; None where the position is there already, or sales alone do not bring it there."""
    if_nothing_on_order: int
    """What a review would order then."""

    @property
    def now(self) -> int:
        """What a review would order as things stand."""
        return self.at_review.quantity if self.at_review is not None and self.at_review.fewer == 0 else 0


class Reviews(msgspec.Struct, frozen=True):
    """When an item is reviewed."""

    last: Milliseconds | None
    next: Milliseconds
    may_order: Milliseconds | None
    """The first of those to come that falls on an order day."""
    orders: Milliseconds | None
    """The first that orders what is wanted: on an order day, after a hold, once deciding has begun."""


def prospect_of(loaded: LoadedItem) -> Prospect | None:
    """What it takes; None before the first review."""
    if loaded.situation is None:
        return None
    here, point = position(loaded.item), loaded.item.reorder_point
    at_point = None
    if point is not None and 0 < here - point <= _most_fewer(loaded):
        at_point = WayToOrder(here - point, point, _quantity(loaded, here - point))
    emptied = loaded.choice(nothing_on_order=True)
    return Prospect(_at_review(loaded), at_point, emptied.guarded.quantity if emptied else 0)


def reviews_of(loaded: LoadedItem) -> Reviews:
    """When the item was reviewed last, and when it will be."""
    item, terms, settings = loaded.item, loaded.terms, loaded.settings
    later = due(item, loaded.card.name, settings) - item.ends
    mirror, ends = Item(held=item.held, refused_at=item.refused_at), item.ends
    may_order = orders = None
    for _ in range(_MOST_REVIEWS):
        if decides(ends, terms.review_period_days, terms.order_days, settings):
            may_order = may_order or ends + later
            holds.reviewed(mirror, ends + later)
            if not mirror.held and ends + later >= (settings.decide_from or 0):
                orders = ends + later
                break
        ends += settings.period_ms
    return Reviews(item.starts + later if item.closed_periods else None, item.ends + later, may_order, orders)


def _at_review(loaded: LoadedItem) -> WayToOrder | None:
    """The fewest units less at which a review orders; a policy that orders at some position orders at every lower."""
    most = _most_fewer(loaded)
    if not _quantity(loaded, most):
        return None
    fewer = bisect_left(range(most), True, key=lambda less: _quantity(loaded, less) > 0)
    return WayToOrder(fewer, position(loaded.item) - fewer, _quantity(loaded, fewer))


def _most_fewer(loaded: LoadedItem) -> int:
    """By how many units sales can lower the position: what is there, and where customers wait, as much again."""
    there = max(0, available(loaded.item))
    if loaded.terms.stock_out == "lost":
        return there
    return there + max(0, loaded.item.on_order) + max(0, loaded.item.order_up_to or 0) + 1


def _quantity(loaded: LoadedItem, fewer: int) -> int:
    choice = loaded.choice(fewer=fewer)
    return choice.guarded.quantity if choice else 0
