"""The demand that a stock-out hid: its expectation, given what was sold."""

from math import sqrt

from agents.kernel.arithmetic import upper_tail
from agents.kernel.compiled import Record, compiled
from agents.policies.pil_q.averages import variance_of
from agents.policies.rules.lots import missing


@compiled
def uncensored(averages: Record, demand: float, censored: bool) -> float:  # noqa: FBT001 - Numba has no keywords only
    """The period's demand, or what it was on average when at least so much was sold."""
    if not censored or averages["periods"] == 0:
        return demand
    deviation, gap = sqrt(variance_of(averages, 1)), demand - averages["mean"][1]
    beyond = upper_tail(gap / deviation)
    return demand + (missing(gap, deviation) / beyond if beyond > 1e-6 else 0.0)
