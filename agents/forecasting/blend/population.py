"""What the items of a shard have in common: their usual level, what a promotion does, and how demand moves lately.

Levels and uplifts are geometric means over items, one vote each, changed in place: an item keeps what it voted, so
that its next vote replaces the last. The movement of demand is computed from the shard's totals of past periods. The
period under way does not count, or an item's forecast would depend on its place in the queue.

>>> population, nobody = np.zeros(2, POPULATION)
>>> scale(population, 0.0, 0), round(scale(population, 100.0, 25), 2)
(2.0, 5.6)
>>> population["usual_plan"], population["plans"] = 0.5, 9
>>> relative(population, 0.0), relative(population, 0.5), relative(population, 0.25), relative(nobody, 0.3)
(0.0, 1.0, 0.5, 1.0)
"""

from math import sqrt

import numpy as np

from agents.forecasting.slips import FIRST_SALES
from agents.kernel.arithmetic import exp, log
from agents.kernel.compiled import Numbers, Record, compiled

MOST_TREND = 56
_PRIOR, _PRIOR_UNITS = 3.0, 3.0
"""Pseudo-observations of the shard's level in an item's, and the demand that they are worth at most.

So an item that sells nothing beside others that sell much is soon taken for what it is."""
_UPLIFT_AFTER = 3.0
_UPLIFT_PRIOR = 4.0
_PLAN_RATE = 0.001
_MOST_PLAN = 2.0

POPULATION = np.dtype(
    [
        ("log_levels", np.float64),  # sums of votes
        ("levels", np.int64),
        ("log_uplifts", np.float64),
        ("uplifts", np.int64),
        ("period", np.int64),  # when the period underway began
        ("demand", np.float64),
        ("items", np.int64),
        ("means", np.float64, MOST_TREND),  # mean demand of an item in past periods, oldest first
        ("known", np.int64),
        ("movement", np.float64),  # log of the last season's mean over the longer trend's
        ("usual_plan", np.float64),  # mean level of promotion where there is one
        ("plans", np.int64),
        *FIRST_SALES,
    ],
    align=True,
)
VOTES = [("level_vote", np.float64), ("level_votes", np.int64), ("uplift_vote", np.float64), ("uplift_votes", np.int64)]
"""The last votes of an item, and whether it voted."""


@compiled
def level(population: Record) -> float:
    """Usual demand of an item a period; 1 while nobody knows."""
    return exp(population["log_levels"] / population["levels"]) if population["levels"] > 0 else 1.0


@compiled
def scale(population: Record, total: float, periods: int) -> float:
    """An item's scale: m + √m, m its mean shrunk to the shard's."""
    usual = level(population)
    prior = min(_PRIOR, _PRIOR_UNITS / usual)
    mean = (total + prior * usual) / (periods + prior)
    return float(mean + sqrt(mean))


@compiled
def relative(population: Record, plan: float) -> float:
    """A level of promotion by the usual one, so that 30 % off is as good a sign as 1 for "promoted"."""
    if not plan > 0.0:
        return 0.0
    return float(min(min(plan, 1.0) / population["usual_plan"], _MOST_PLAN)) if population["plans"] > 0 else 1.0


@compiled
def lifted(population: Record, seen: float, base: float, promoted: float) -> float:
    """An item's demand under promotion, shrunk to its base times the shard's uplift while it knows little."""
    uplift = exp(population["log_uplifts"] / population["uplifts"]) if population["uplifts"] > 0 else 1.0
    return (promoted * seen + _UPLIFT_PRIOR * base * uplift) / (promoted + _UPLIFT_PRIOR)


@compiled
def see_plan(population: Record, plan: float) -> None:
    """Count a level of promotion."""
    if plan > 0.0:
        population["plans"] += 1
        rate = max(_PLAN_RATE, 1.0 / population["plans"])
        population["usual_plan"] += rate * (min(plan, 1.0) - population["usual_plan"])


@compiled
def vote(population: Record, item: Record, after: int) -> None:
    """Count an item's mean demand, after so many periods, and what promotions did to it."""
    if item["periods"] >= after and item["total"] > 0.0:
        now = log(item["total"] / item["periods"])
        population["log_levels"] += now - item["level_vote"]
        population["levels"] += 1 - item["level_votes"]
        item["level_vote"], item["level_votes"] = now, 1
    if item["promoted"] > _UPLIFT_AFTER:
        now = log((item["lifted"] + 0.1) / (item["base"] + 0.1))
        population["log_uplifts"] += now - item["uplift_vote"]
        population["uplifts"] += 1 - item["uplift_votes"]
        item["uplift_vote"], item["uplift_votes"] = now, 1


@compiled
def see(population: Record, starts: int, demand: float, season: int, trend: int) -> None:
    """Count an item's period; a later one than all so far closes those before it."""
    if starts > population["period"]:
        if population["items"] > 0:
            _close(population, season, trend)
        population["period"], population["demand"], population["items"] = starts, 0.0, 0
    if starts == population["period"]:
        population["demand"] += demand
        population["items"] += 1


@compiled
def _close(population: Record, season: int, trend: int) -> None:
    """Take in the mean of the period underway, and compare the last season's with the trend's."""
    means = population["means"]
    if population["known"] == trend:
        for place in range(1, trend):
            means[place - 1] = means[place]
        population["known"] -= 1
    means[population["known"]] = population["demand"] / population["items"]
    population["known"] += 1
    known = population["known"]
    lately = _mean(means, max(known - season, 0), known)
    population["movement"] = log((lately + 1e-3) / (_mean(means, 0, known) + 1e-3))


@compiled
def _mean(numbers: Numbers, first: int, last: int) -> float:
    whole = 0.0
    for place in range(first, last):
        whole += numbers[place]
    return whole / (last - first)
