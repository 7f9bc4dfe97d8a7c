"""What a closed period teaches: it is taken in, and the forecast whose horizon has passed is judged by what came."""

import numpy as np

from agents.forecasting.base import LEVELS
from agents.forecasting.blend import aggregation, calibration, drift, experts, past, population, shared_model
from agents.forecasting.blend.aggregation import EXPERTS
from agents.forecasting.blend.inputs import CENSORED, DEMAND, ENDS, PRICE, PROMOTION, STARTS
from agents.forecasting.blend.item import FILED, ITEM
from agents.forecasting.blend.population import POPULATION
from agents.forecasting.blend.samples import SAMPLE
from agents.forecasting.blend.shared_model import MEANS, MODEL
from agents.forecasting.rhythm import PACE, phase_of
from agents.forecasting.slips import most_at_first, see_first_sale
from agents.kernel.compiled import Numbers, Record, Records, Singles, compiled

PASSED, JUDGED, LEARNED = 0, 1, 2
"""What came of a period: it passed; a forecast was judged; and the shared weights changed with it."""
_MOST_ERROR = 1e3
MEAN_KNOWN = 100
"""Errors of its own by which an item's means are weighed, at most."""


@compiled(ITEM, FILED, PACE, POPULATION, MODEL, (np.float32, 3), SAMPLE, np.float64)
def close(
    items: Records, filed: Records, paces: Records, shards: Records, models: Records, weights: Singles,
    samples: Records, closed: Numbers,
) -> int:  # fmt: skip
    """Take in a period, and judge the forecast that is due."""
    item, pace, shard = items[0], paces[0], shards[0]
    sold_before = item["greatest"] > 0.0
    population.see_plan(shard, closed[PROMOTION])
    demand = _take(item, pace, shard, closed)
    if demand > 0.0 and not sold_before:
        see_first_sale(shard, demand)
    population.see(shard, int(closed[STARTS]), demand, pace["season"], pace["trend"])
    population.vote(shard, item, pace["settled"])
    _look_for_shift(item)
    for number in range(item["filed"]):
        filed[number]["total"] += demand
        filed[number]["left"] -= 1
    if item["filed"] == 0 or filed[0]["left"] > 0:
        return PASSED
    learned = _judge(item, filed[0], pace, shard["period"], models[0], weights, samples)
    item["filed"] -= 1
    for number in range(item["filed"]):
        filed[number] = filed[number + 1]
    return LEARNED if learned else JUDGED


@compiled(ITEM, PACE, POPULATION, np.float64)
def recall(items: Records, paces: Records, shards: Records, closed: Numbers) -> None:
    """Take in a period again, which the shard has counted already."""
    _take(items[0], paces[0], shards[0], closed)


@compiled
def _take(item: Record, pace: Record, shard: Record, closed: Numbers) -> float:
    """Remember a period; what its demand counts as."""
    demand = past.counted(item, closed[DEMAND], closed[CENSORED] > 0.0, most_at_first(shard))
    phase = phase_of(pace, int(closed[STARTS]), int(closed[ENDS]))
    plan = population.relative(shard, closed[PROMOTION])
    past.remember(item, demand, phase, plan, closed[PRICE], pace["memory"])
    return demand


@compiled
def _look_for_shift(item: Record) -> None:
    """Raise the alarm when demand is not what it was, and look no further back from then on."""
    item["unbroken"], item["shifted"] = min(item["unbroken"] + 1, item["memory"]), 0
    if item["periods"] % drift.EVERY == 0:
        newest = drift.cut(item["recent"], item["unbroken"])
        if newest > 0:
            item["unbroken"], item["shifted"] = newest, 1


@compiled
def _judge(
    item: Record, filed: Record, pace: Record, period: int, model: Record, weights: Singles, samples: Records
) -> bool:
    """Learn from a forecast and what came; whether the shared weights changed."""
    unit, total = filed["unit"], filed["total"]
    came = total / unit
    saved = np.empty((EXPERTS, len(LEVELS)))
    aggregation.save(filed["experts"], filed["mixture"], came, saved)
    aggregation.add(item, saved, 1.0, pace["keep"])
    calibration.judge(item["stretches"], filed["corrected"], came)
    means, errors = np.empty(MEANS), np.empty(MEANS)
    item["judged"] += 1
    rate = max(1.0 / MEAN_KNOWN, 1.0 / item["judged"])
    for number in range(MEANS):
        means[number] = np.float64(filed["means"][number])
        errors[number] = min((means[number] - came) * (means[number] - came), _MOST_ERROR)
        item["mean_squares"][number] += rate * (errors[number] - item["mean_squares"][number])
        means[number] *= unit
    experts.judge_spread(item, means[1:], total, pace["variance_rate"])
    shared_model.judge_means(model, errors)
    shared_model.trust(model, period, saved)
    return shared_model.learn(model, weights, samples, pace["phases"], filed["inputs"], came)
