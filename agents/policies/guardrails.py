"""What no policy may exceed: the last word on every quantity, whoever proposed it.

The rails stand outside the policies, so a policy may be wrong but not dangerous. What leaves here is a whole number,
not negative, and within what the supplier delivers and the location can store. It is no more than the forecast can
explain, and no more than facts can explain: a forecast may be wrong as well. Facts are the demand that the item had
before (`facts.py`), a planner's own level, customers who wait, and the least that the supplier delivers.

>>> from agents.forecasting.base import DemandForecast
>>> from agents.policies.base import Economics
>>> forecast = DemandForecast(5, 41.2, 64.0, (40.0, 48.0, 55.0, 60.0, 66.0), (8.24,) * 5)
>>> economics = Economics(0.01, 0.19, minimum_order=20, order_multiple=20, capacity=100)
>>> situation = Situation("TEA-01@BER1", 0, 12, (), (0, 0, 0, 0, 1.0), forecast, economics)
>>> guard(48.0, situation)
Guarded(quantity=60, clamped_by=('order_multiple',), cap=140, unexplained=0)
>>> guard(1e9, situation)
Guarded(quantity=80, clamped_by=('demand_cap', 'order_multiple', 'capacity'), cap=140, unexplained=0)
>>> guard(float("nan"), situation).clamped_by, guard(48.0, situation, phase_out=True).clamped_by
(('not_finite',), ('phase_out',))

An item that never sold more than 5 in such a time is not given 48 because a forecast says so:

>>> seen = msgspec.structs.replace(situation, facts=DemandFacts(200, 5.0))
>>> guard(48.0, seen)
Guarded(quantity=20, clamped_by=('beyond_facts', 'minimum_order'), cap=20, unexplained=40)
"""

from math import ceil, isfinite, sqrt

import msgspec

from agents.policies.base import Economics, Situation
from agents.policies.facts import DemandFacts

BEYOND_FACTS = "beyond_facts"
REASONS = (
    "not_finite", "negative", "phase_out", "demand_cap", BEYOND_FACTS, "minimum_order", "order_multiple", "capacity",
)  # fmt: skip
"""Every reason there is; a metric label each."""
MOST_MEANS = 3.0
"""An order is at most this many times the expected demand of the protection interval, …"""
MOST_QUANTILES = 1.5
"""… or this many times its 99 % quantile, …"""
MOST_LOTS = 2.0
"""… or this many economic order quantities, whichever is most."""
MOST_SEEN, MOST_ROOTS = 3.0, 2.0
"""No order lifts the position above this many times the greatest demand that a protection interval ever had, and so
many times its root, which is what chance adds to a few units; …"""
MOST_NEWCOMERS = 2.0
"""… or this many times the usual demand of a new item of the class, while the item is younger than the interval, …"""
LEAST_EXPLAINED = 1.0
"""… but one unit of anything needs no explanation."""


class Guarded(msgspec.Struct, frozen=True):
    """A quantity that may leave the house."""

    quantity: int
    clamped_by: tuple[str, ...]
    cap: int
    """What forecast and facts can explain, in whole order multiples."""
    unexplained: int = 0
    """Units beyond `quantity` that were wanted and that only the forecast explains: a person has to decide."""


def guard(wanted: float, situation: Situation, *, phase_out: bool = False) -> Guarded:
    """Bring a wanted quantity within the rails, and say which of them it touched."""
    economics = situation.economics
    step, least = economics.order_multiple, _up(economics.minimum_order, economics.order_multiple)
    believed, seen = demand_cap(situation), facts_cap(situation)
    explained = believed if seen is None else min(believed, seen)
    cap = max(_up(explained, step), least) if explained > 0 else 0
    for reason, stops in (("not_finite", not isfinite(wanted)), ("negative", wanted < 0), ("phase_out", phase_out)):
        if stops:
            return Guarded(0, (reason,), cap)
    quantity = int(wanted + 0.5)
    if quantity == 0:
        return Guarded(0, (), cap)
    clamped_by = []
    if quantity > believed:
        quantity = believed
        clamped_by.append("demand_cap")
    asked = 0
    if quantity > explained:
        asked = _admitted(quantity, situation, [])
        quantity = explained
        clamped_by.append(BEYOND_FACTS)
    quantity = _admitted(quantity, situation, clamped_by)
    return Guarded(quantity, tuple(clamped_by), cap, max(asked - quantity, 0))


def _admitted(quantity: int, situation: Situation, clamped_by: list[str]) -> int:
    """What supplier and location allow of a quantity; adds their reasons."""
    economics, step = situation.economics, situation.economics.order_multiple
    if 0 < quantity < economics.minimum_order:
        quantity = economics.minimum_order
        clamped_by.append("minimum_order")
    if quantity % step:
        quantity = _up(quantity, step)
        clamped_by.append("order_multiple")
    if economics.capacity is not None and situation.position + quantity > economics.capacity:
        room = max(0, economics.capacity - situation.position) // step * step
        quantity = room if room >= economics.minimum_order else 0
        clamped_by.append("capacity")
    return quantity


def admit(wanted: float, situation: Situation) -> int:
    """The quantity that `guard` leaves; quick where no rail is near, for shadows at each review."""
    economics = situation.economics
    usual = 0.0 <= wanted <= MOST_MEANS * situation.forecast.mean and economics.capacity is None
    if usual and (situation.facts is None or wanted + situation.position <= MOST_SEEN * situation.facts.greatest):
        quantity = int(wanted + 0.5)
        if quantity == 0 or (economics.minimum_order <= quantity and economics.order_multiple == 1):
            return quantity
    return guard(wanted, situation).quantity


def demand_cap(situation: Situation) -> int:
    """The most units that the forecast, backorders or a planner's own level can explain."""
    forecast, economics = situation.forecast, situation.economics
    parts = (MOST_MEANS * forecast.mean, MOST_QUANTILES * forecast.quantiles[-1], MOST_LOTS * _lot(situation))
    cap = max(0, -situation.position)
    if isfinite(sum(parts)):
        cap += ceil(max(parts))
    if economics.order_up_to is not None:
        cap = max(cap, economics.order_up_to - situation.position)
    return cap


def facts_cap(situation: Situation) -> int | None:
    """The most units that facts can explain; None where no facts are known."""
    facts, economics = situation.facts, situation.economics
    if facts is None:
        return None
    level = max(explained_level(facts, situation.forecast.horizon, economics), LEAST_EXPLAINED)
    if economics.order_up_to is not None:
        level = max(level, economics.order_up_to)
    return max(0, ceil(level) - situation.position)


def explained_level(facts: DemandFacts, periods: float, economics: Economics) -> float:
    """The position that facts can explain: greatest demand seen, or a newcomer's, with plans and lot sizes."""
    seen = MOST_SEEN * facts.greatest + MOST_ROOTS * sqrt(facts.greatest)
    if facts.periods < periods:
        seen = max(seen, MOST_NEWCOMERS * facts.newcomer)
    return seen * facts.uplift + MOST_LOTS * _economic_lot(facts.greatest / max(periods, 1.0), economics)


def respects(quantity: int, cap: int, situation: Situation, economics: Economics) -> bool:
    """Whether a quantity keeps every rail (invariant I12)."""
    if quantity == 0:
        return True
    fits = economics.capacity is None or situation.position + quantity <= economics.capacity
    return economics.minimum_order <= quantity <= cap and quantity % economics.order_multiple == 0 and fits


def _lot(situation: Situation) -> float:
    """Economic order quantity at the forecast's rate of demand."""
    forecast = situation.forecast
    return _economic_lot(forecast.mean / forecast.horizon, situation.economics) if forecast.horizon > 0 else 0.0


def _economic_lot(rate: float, economics: Economics) -> float:
    """Economic order quantity (Harris 1913)."""
    if economics.holding <= 0.0 or not rate >= 0.0:
        return 0.0
    return sqrt(2.0 * rate * economics.order_cost / economics.holding)


def _up(quantity: int, step: int) -> int:
    """The next whole multiple."""
    return -(-quantity // step) * step
