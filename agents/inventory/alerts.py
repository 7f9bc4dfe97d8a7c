"""When an alert begins and when it ends, with a band between the two, so that one crossing is one alert.

| kind | begins when | ends when |
|---|---|---|
| low_stock | available ≤ t; t = configured `low_stock`, else safety stock | available ≥ t + max(1, ⌈0.2 t⌉) |
| stock_out | available ≤ 0 | available ≥ max(1, ⌈0.2 t⌉) |
| negative_stock | on hand < 0 | on hand ≥ 0 |
| overstock | available > 1.5 × order-up-to, by more than a month sells; no newcomer | available ≤ order-up-to |
| overdue_replenishment | the watermark passes what was promised, expected, or needed and a period | none is |
| order_refused | the second order in a row comes to nothing | one is accepted or arrives, another supplier |
| unusual_order | somebody is asked about an order beyond facts | answered, lapsed, or a review says no more |
| projected_stock_out, demand_shift, dead_stock | a review says so | a review says no more |

>>> from agents.inventory.position import Episode
>>> item = Item(known=True, net=14, low_stock=14)
>>> edges(item)
[('low_stock', True)]
>>> item.alerts = [Episode("low_stock", "eps-1", 0)]
>>> item.net = 16
>>> edges(item), quiet(item)
([], (0, 17))
>>> item.net = 17
>>> edges(item)
[('low_stock', False)]
"""

from collections.abc import Mapping
from typing import get_args

from agents.inventory import unusual
from agents.inventory.holds import REPEATED
from agents.inventory.position import NEVER, Item, available, on_hand
from schemas.outbound import AlertKind
from schemas.quantities import DAY_MS

SELL_OFF_DAYS = 30
"""An excess that sells off within so many days is not worth a person's time."""
NEWCOMER_DAYS = 28
"""How old an item is when its stock is first called too much."""
KINDS: tuple[AlertKind, ...] = get_args(AlertKind)


def edges(
    item: Item, *, overdue: bool | None = None, reviewed: Mapping[AlertKind, bool] | None = None
) -> list[tuple[AlertKind, bool]]:
    """The alerts that begin (True) or end (False) as things stand.

    `overdue` and `reviewed` say whether the conditions hold that stock alone does not show; a kind of which they say
    nothing stays as it is.
    """
    stock, hand, t, most = available(item), on_hand(item), item.low_stock, item.order_up_to
    asked = unusual.find(item) is not None
    begins: dict[AlertKind, bool] = {
        "low_stock": t is not None and stock <= t,
        "stock_out": stock <= 0,
        "negative_stock": hand < 0,
        "order_refused": item.refusals >= REPEATED,
        "unusual_order": asked,
        "overstock": stock >= _overstock_from(item),
    }
    ends: dict[AlertKind, bool] = {
        "low_stock": t is None or stock >= t + _band(t),
        "stock_out": stock >= _band(t),
        "negative_stock": hand >= 0,
        "order_refused": item.refusals < REPEATED,
        "unusual_order": not asked,
        "overstock": not most or stock <= most,
    }
    conditions = dict(reviewed or {})
    if overdue is not None:
        conditions["overdue_replenishment"] = overdue
    for kind, holds in conditions.items():
        begins[kind], ends[kind] = holds, not holds
    open_kinds = {episode.kind for episode in item.alerts}
    return [
        (kind, kind not in open_kinds) for kind in KINDS if (ends if kind in open_kinds else begins).get(kind, False)
    ]


def quiet(item: Item) -> tuple[int, int]:
    """Two levels of availability: while it stays strictly between them, `edges` finds nothing."""
    t, most = item.low_stock, item.order_up_to
    open_kinds = {episode.kind for episode in item.alerts}
    below, above = -NEVER, NEVER
    if not item.open.ran_out:
        below = 0
    if "low_stock" in open_kinds:
        above = min(above, (t or 0) + _band(t)) if t is not None else -NEVER
    elif t is not None:
        below = max(below, t)
    if "stock_out" in open_kinds:
        above = min(above, _band(t))
    else:
        below = max(below, 0)
    if "negative_stock" in open_kinds:
        below = NEVER
    elif not item.backorder:
        below = max(below, -1)
    if "overstock" in open_kinds:
        below = max(below, most or NEVER)
    else:
        above = min(above, _overstock_from(item))
    return below, above


def threshold(item: Item, kind: AlertKind) -> float | None:
    """The level whose crossing raises an alert of that kind; None where it is no level."""
    if kind == "low_stock":
        return item.low_stock
    if kind == "overstock":
        return _overstock_from(item) - 0.5 if item.order_up_to else None
    return 0.0 if kind in {"stock_out", "negative_stock"} else None


def warning_lines(item: Item) -> tuple[int | None, int | None]:
    """What is available should lie between these: at the lower it is low, at the upper too much; None for no line."""
    upper = _overstock_from(item)
    return item.low_stock, upper if upper < NEVER else None


def at_risk(item: Item) -> bool:
    """Whether customers go without the item, or will soon."""
    return any(episode.kind in {"stock_out", "projected_stock_out"} for episode in item.alerts)


def _overstock_from(item: Item) -> int:
    """The least availability that is overstock; NEVER while the item is new, or has no level to be judged by.

    Half as much again as the item is ordered up to today, if the excess over that level does not sell off within
    `SELL_OFF_DAYS`. What opened a shop says nothing of how it is run, so newcomers get `NEWCOMER_DAYS`.
    """
    level = item.order_up_to
    if not level or item.closed_periods * (item.ends - item.starts) < NEWCOMER_DAYS * DAY_MS:
        return NEVER
    return max(3 * level // 2, level + int(SELL_OFF_DAYS * item.daily)) + 1


def _band(t: int | None) -> int:
    """The width of the band between beginning and end: a fifth of the threshold, at least one unit."""
    return max(1, -(-(t or 0) // 5)) if t is None or t >= 0 else 1
