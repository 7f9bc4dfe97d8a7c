"""When orders come to nothing, the item is held: whoever said no is not asked again at once.

An order that was rejected, cancelled down to nothing, or proposed and declined holds its item until the next review
that may order. When it happens again without a success between, the hold doubles, up to a month. Another supplier for
the item ends it at once, other terms of its supplier at the next review. All of this follows from what others
published, so every replay holds the same items.

>>> item = Item()
>>> refuse(item, 0), refuse(item, 0), item.held
(None, None, 2)
>>> reviewed(item, 1), item.held, reviewed(item, 2), item.held
(None, 1, None, 0)
>>> [_reviews(refusals) for refusals in (1, 2, 3, 4, 99)]
[1, 2, 4, 8, 1024]
"""

from agents.inventory.position import Item
from schemas.ledger import Milliseconds
from schemas.quantities import DAY_MS

LONGEST_HOLD = 30 * DAY_MS
"""No hold lasts longer, however often the item was refused."""
REPEATED = 2
"""So many refusals in a row are worth an alert."""
_MOST_DOUBLINGS = 10


def refuse(item: Item, time: Milliseconds) -> None:
    """An order of the item came to nothing: hold it."""
    item.refusals += 1
    item.held = max(item.held, _reviews(item.refusals))
    item.refused_at = max(item.refused_at, time)


def succeed(item: Item) -> None:
    """An order was accepted, or goods came: the next refusal is the first again, and the next review may order."""
    item.refusals = 0
    item.held = min(item.held, 1)


def lift(item: Item) -> None:
    """Somebody else delivers from now on: a shortage that waited is looked at as if it had just come."""
    item.refusals = 0
    if item.held:
        item.held = 0
        item.below = False


def reviewed(item: Item, now: Milliseconds) -> None:
    """A review that may order has come; while the item is held, it orders nothing."""
    if item.held:
        item.held = 0 if now - item.refused_at >= LONGEST_HOLD else item.held - 1


def _reviews(refusals: int) -> int:
    """For how many reviews so many refusals in a row hold an item."""
    return 1 << min(refusals - 1, _MOST_DOUBLINGS)
