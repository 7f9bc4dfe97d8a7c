"""What no policy may exceed: the last word on every quantity, whoever proposed it.

The rails stand outside the policies, so a policy may be wrong but not dangerous: what leaves here is a whole number,
not negative, no more than demand can explain, and what the supplier delivers and the location can store.

>>> from agents.forecasting.base import DemandForecast
>>> from agents.policies.base import Economics
>>> forecast = DemandForecast(5, 41.2, 64.0, (40.0, 48.0, 55.0, 60.0, 66.0), (8.24,) * 5)
>>> economics = Economics(0.01, 0.19, minimum_order=20, order_multiple=20, capacity=100)
>>> situation = Situation("TEA-01@BER1", 0, 12, (), (0, 0, 0, 0, 1.0), forecast, economics)
>>> guard(48.0, situation)
Guarded(quantity=60, clamped_by=('order_multiple',), cap=140)
>>> guard(1e9, situation)
Guarded(quantity=80, clamped_by=('demand_cap', 'order_multiple', 'capacity'), cap=140)
>>> guard(float("nan"), situation), guard(48.0, situation, phase_out=True)
(Guarded(quantity=0, clamped_by=('not_finite',), cap=140), Guarded(quantity=0, clamped_by=('phase_out',), cap=140))
"""

from math import ceil, isfinite, sqrt

import msgspec

from agents.policies.base import Economics, Situation

REASONS = ("not_finite", "negative", "phase_out", "demand_cap", "minimum_order", "order_multiple", "capacity")
"""Every reason there is; a metric label each."""
MOST_MEANS = 3.0
"""An order is at most this many times the expected demand of the protection interval, …"""
MOST_QUANTILES = 1.5
"""… or this many times its 99 % quantile, …"""
MOST_LOTS = 2.0
"""… or this many economic order quantities, whichever is most."""


class Guarded(msgspec.Struct, frozen=True):
    """A quantity that may leave the house."""

    quantity: int
    clamped_by: tuple[str, ...]
    cap: int
    """What demand could explain, in whole order multiples."""


def guard(wanted: float, situation: Situation, *, phase_out: bool = False) -> Guarded:
    """Bring a wanted quantity within the rails, and say which of them it touched."""
    economics = situation.economics
    step, least = economics.order_multiple, _up(economics.minimum_order, economics.order_multiple)
    explained = demand_cap(situation)
    cap = max(_up(explained, step), least) if explained > 0 else 0
    for reason, stops in (("not_finite", not isfinite(wanted)), ("negative", wanted < 0), ("phase_out", phase_out)):
        if stops:
            return Guarded(0, (reason,), cap)
    quantity = int(wanted + 0.5)
    if quantity == 0:
        return Guarded(0, (), cap)
    clamped_by = []
    if quantity > explained:
        quantity = explained
        clamped_by.append("demand_cap")
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
    return Guarded(quantity, tuple(clamped_by), cap)


def admit(wanted: float, situation: Situation) -> int:
    """The quantity that `guard` leaves; quick where no rail is near, for shadows at each review."""
    economics = situation.economics
    if 0.0 <= wanted <= MOST_MEANS * situation.forecast.mean and economics.capacity is None:
        quantity = int(wanted + 0.5)
        if quantity == 0 or (economics.minimum_order <= quantity and economics.order_multiple == 1):
            return quantity
    return guard(wanted, situation).quantity


def demand_cap(situation: Situation) -> int:
    """The most units that demand, backorders or a planner's own level can explain."""
    forecast, economics = situation.forecast, situation.economics
    explained = max(MOST_MEANS * forecast.mean, MOST_QUANTILES * forecast.quantiles[-1], MOST_LOTS * _lot(situation))
    cap = ceil(explained) + max(0, -situation.position)
    if economics.order_up_to is not None:
        cap = max(cap, economics.order_up_to - situation.position)
    return cap


def respects(quantity: int, cap: int, situation: Situation, economics: Economics) -> bool:
    """Whether a quantity keeps every rail (invariant I12)."""
    if quantity == 0:
        return True
    fits = economics.capacity is None or situation.position + quantity <= economics.capacity
    return economics.minimum_order <= quantity <= cap and quantity % economics.order_multiple == 0 and fits


def _lot(situation: Situation) -> float:
    """Economic order quantity (Harris 1913) at the forecast's rate of demand."""
    forecast, economics = situation.forecast, situation.economics
    if economics.holding <= 0.0 or forecast.horizon <= 0:
        return 0.0
    return sqrt(2 * forecast.mean / forecast.horizon * economics.order_cost / economics.holding)


def _up(quantity: int, step: int) -> int:
    """The next whole multiple."""
    return -(-quantity // step) * step
