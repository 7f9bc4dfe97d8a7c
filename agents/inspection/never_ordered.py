"""Says when never ordering is cheapest under an item's terms: one sentence, the same wherever somebody asks.

>>> from agents.inventory.terms import Said, effective
>>> from schemas.ledger import Terms
>>> dear = effective(Said(Terms(unit_cost=4.0, order_cost=400.0, shortage_cost=0.05)), None)
>>> never_ordered(dear, FoldSettings(), daily=2.0)
'never ordering is cheapest, since a lost sale costs 0.05, but it costs at least 1 to have a unit there: an order \
costs 400 for 764 units, and holding a unit costs 0.00274 a period; state a higher shortage_cost, or a lower order_cost'
>>> never_ordered(effective(Said(Terms(unit_cost=4.0, order_cost=400.0)), None), FoldSettings(), daily=2.0) is None
True
"""

from agents.core.situation import economics_of, wait_of
from agents.inventory.position import Item
from agents.inventory.terms import Effective
from agents.policies.never_ordering import never_ordering_is_cheapest
from schemas.ledger import FoldSettings
from schemas.quantities import DAY_MS

ASSUMED_DAILY = 10.0
"""Demand a day that is reckoned with while an item's own is not known: more than most items have, so that what is named
then would hardly be ordered at any demand."""


def daily_demand(item: Item) -> float | None:
    """The demand a day that was expected at the last review; None before the first."""
    return item.daily if item.closed_periods else None


def never_ordered(terms: Effective, settings: FoldSettings, daily: float | None) -> str | None:
    """Why no order pays at this demand a day, and what to do; None where orders pay."""
    period_days = settings.period_ms / DAY_MS
    demand = (ASSUMED_DAILY if daily is None else daily) * period_days
    interval = wait_of(terms, settings.period_ms) + 1
    found = never_ordering_is_cheapest(economics_of(terms, settings.period_ms, 1, demand * interval), demand)
    if found is None or terms.lifecycle == "phase_out":
        return None
    assumed = f" even at {ASSUMED_DAILY:g} a day" if daily is None else ""
    return f"never ordering is cheapest{assumed}, since {found}"
