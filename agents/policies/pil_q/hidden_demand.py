"""The demand that a stock-out hid: its expectation, given what was sold."""

import math

from agents.policies.base import Outcome
from agents.policies.pil_q.averages import Averages
from agents.policies.rules.levels import one_missing


def uncensored(averages: Averages, outcome: Outcome) -> float:
    """The period's demand, or what it was on average when at least so much was sold."""
    demand = max(float(outcome.demand), 0.0)
    if not outcome.censored or averages.periods == 0:
        return demand
    deviation = math.sqrt(averages.variance_of(1))
    gap = demand - averages.mean[1]
    beyond = 0.5 * math.erfc(gap / deviation / math.sqrt(2.0))
    return demand + (one_missing(gap, deviation) / beyond if beyond > 1e-6 else 0.0)
