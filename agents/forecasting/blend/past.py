"""What is remembered of one item: its last periods one by one, and running figures of all of them.

Every rate is at least 1/n, so that the first periods weigh the same. Rates and windows come from the study behind
this forecaster (docs/concepts/forecasting.md) and are not fitted to an item.
"""

from math import floor, isfinite, sqrt

import numpy as np

from agents.forecasting.rhythm import MOST_MEMORY, MOST_PHASES
from agents.forecasting.slips import believed
from agents.kernel.arithmetic import log
from agents.kernel.compiled import Record, Singles, compiled

FAST, FASTER, SLOW, MIDDLE = 0.1, 0.3, 0.05, 0.12
"""Rates of the moving averages of demand."""
_FADE = 0.95
"""What is left of the decayed maximum after a period."""
_PLAN_RATE = 0.02
_PRICE_RATE = 1 / 28
_LIFTED_RATE = 0.05
_PHASE_PRIOR = 4.0
_MOST_DEMAND = 1e9
_LEAST_LOG_PRICE, _MOST_LOG_PRICE, _MOST_PRICE = -9.0, 14.0, 1e7

PAST = [
    ("periods", np.int64),
    ("total", np.float64),
    ("sales", np.int64),  # periods with demand
    ("since_sale", np.int64),
    ("peak", np.float64),
    ("greatest", np.float64),  # greatest demand of a period, as it was asked for, …
    ("most", np.float64),  # … and as far as it is believed
    ("strongest", np.float64),  # strongest promotion
    ("fast", np.float64),  # moving averages of demand
    ("faster", np.float64),
    ("slow", np.float64),
    ("middle", np.float64),
    ("promoted", np.float64),  # periods' worth of promotion seen and not, and moving averages of demand with it and not
    ("plain", np.float64),
    ("lifted", np.float64),
    ("base", np.float64),
    ("plan", np.float64),  # moving average of the promotion level
    ("promotion", np.float64),  # of the last period
    ("log_price", np.float64),
    ("log_price_base", np.float64),
    ("prices", np.int64),
    ("broken", np.int64),  # periods whose demand was no whole number
    ("phase_sums", np.float64, MOST_PHASES),
    ("phase_counts", np.int32, MOST_PHASES),
    ("recent", np.float32, MOST_MEMORY),  # demand, newest first
]


@compiled
def counted(item: Record, demand: float, censored: bool, first: float) -> float:  # noqa: FBT001 - as a record has it
    """What the demand of a period that is to be taken in counts as; `first` is the most that a first sale counts as."""
    asked = min(max(demand, 0.0), _MOST_DEMAND) if isfinite(demand) else item["fast"]
    if censored:
        asked = max(asked, item["fast"])
    demand = believed(asked, item["greatest"], first)
    item["greatest"] = max(item["greatest"], asked)
    return demand


@compiled
def remember(item: Record, demand: float, phase: int, plan: float, price: float, memory: int) -> None:
    """Take in an open period: what demand is taken to have been, and the level of promotion by the usual one."""
    item["periods"] += 1
    least = 1.0 / item["periods"]
    item["total"] += demand
    if demand != floor(demand):
        item["broken"] += 1
    if demand > 0.0:
        item["sales"] += 1
        item["since_sale"] = 0
    else:
        item["since_sale"] += 1
    item["peak"] = max(item["peak"] * _FADE, demand)
    item["most"] = max(item["most"], demand)
    item["fast"] += max(FAST, least) * (demand - item["fast"])
    item["faster"] += max(FASTER, least) * (demand - item["faster"])
    item["slow"] += max(SLOW, least) * (demand - item["slow"])
    item["middle"] += max(MIDDLE, least) * (demand - item["middle"])
    part = min(plan, 1.0)
    if part > 0.0:
        item["promoted"] += part
        rate = max(_LIFTED_RATE, 1.0 / max(item["promoted"], 1.0))
        item["lifted"] += rate * part * (demand - item["lifted"])
    if part < 1.0:
        item["plain"] += 1.0 - part
        rate = max(_LIFTED_RATE, 1.0 / max(item["plain"], 1.0))
        item["base"] += rate * (1.0 - part) * (demand - item["base"])
    item["plan"] += max(_PLAN_RATE, least) * (part - item["plan"])
    item["promotion"] = part
    item["strongest"] = max(item["strongest"], part)
    if price > 0.0:
        item["prices"] += 1
        item["log_price"] = log_price(price)
        item["log_price_base"] += max(_PRICE_RATE, 1.0 / item["prices"]) * (item["log_price"] - item["log_price_base"])
    recent = item["recent"]
    for place in range(min(item["periods"], memory) - 1, 0, -1):
        recent[place] = recent[place - 1]
    recent[0] = demand
    item["phase_sums"][phase] += demand
    item["phase_counts"][phase] += 1


@compiled
def log_price(price: float) -> float:
    """Logarithm of a price above 0, kept where prices are."""
    return min(max(log(min(price, _MOST_PRICE)), _LEAST_LOG_PRICE), _MOST_LOG_PRICE)


@compiled
def of_any_phase(item: Record) -> float:
    """Usual demand in any phase of the cycle."""
    whole, count = 0.0, 0
    for phase in range(MOST_PHASES):
        whole += item["phase_sums"][phase]
        count += int(item["phase_counts"][phase])
    return whole / max(count, 1)


@compiled
def of_phase(item: Record, phase: int, usual: float) -> float:
    """Usual demand in a phase; the less is known of it, the more it is like any."""
    return float((item["phase_sums"][phase] + _PHASE_PRIOR * usual) / (int(item["phase_counts"][phase]) + _PHASE_PRIOR))


@compiled
def deviation_of(recent: Singles, span: int, mean: float) -> float:
    """Deviation of the demand of the last periods from their mean."""
    squares = 0.0
    for place in range(span):
        squares += np.float64(recent[place]) * np.float64(recent[place])
    return sqrt(max(squares / span - mean * mean, 0.0))
