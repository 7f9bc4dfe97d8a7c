"""What a closed period teaches: it is taken in, and the forecast whose horizon has passed is judged by what came."""

import numpy as np
import numpy.typing as npt

from agents.forecasting.base import LEVELS
from agents.forecasting.blend import aggregation, calibration, drift, experts, past, population, shared_model
from agents.forecasting.blend.aggregation import EXPERTS
from agents.forecasting.blend.item import FILED, ITEM
from agents.forecasting.blend.population import POPULATION
from agents.forecasting.blend.samples import SAMPLE
from agents.forecasting.blend.shared_model import MEANS, MODEL
from agents.forecasting.rhythm import PACE, phase_of
from agents.forecasting.slips import most_at_first, see_first_sale
from agents.kernel.compiled import compiled

Records = npt.NDArray[np.void]
Weights = npt.NDArray[np.float32]

PASSED, JUDGED, LEARNED = 0, 1, 2
"""What came of a period: it passed; a forecast was judged; and the shared weights changed with it."""
_MOST_ERROR = 1e3
MEAN_KNOWN = 100
"""Errors of its own by which an item's means are weighed, at most."""


@compiled(ITEM, FILED, PACE, POPULATION, MODEL, (np.float32, 3), SAMPLE, int, int, float, bool, float, float)
def close(  # noqa: PLR0913, PLR0917 - one call carries all
    items: Records,
    filed: Records,
    paces: Records,
    populations: Records,
    models: Records,
    weights: Weights,
    samples: Records,
    starts: int,
    ends: int,
    demand: float,
    censored: bool,  # noqa: FBT001
    promotion: float,
    price: float,
) -> int:
    """Take in a period, and judge the forecast that is due; a price of −1 is not known."""
    item, pace, shard = items[0], paces[0], populations[0]
    sold_before = item["greatest"] > 0.0
    demand = past.counted(item, demand, censored, most_at_first(shard))
    if demand > 0.0 and not sold_before:
        see_first_sale(shard, demand)
    population.see_plan(shard, promotion)
    plan = population.relative(shard, promotion)
    past.remember(item, demand, phase_of(pace, starts, ends), plan, price, pace["memory"])
    population.see(shard, starts, demand, pace["season"], pace["trend"])
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


@compiled(ITEM, PACE, POPULATION, int, int, float, bool, float, float)
def recall(  # noqa: PLR0913, PLR0917
    items: Records,
    paces: Records,
    populations: Records,
    starts: int,
    ends: int,
    demand: float,
    censored: bool,  # noqa: FBT001
    promotion: float,
    price: float,
) -> None:
    """Take in a period again, which the shard has counted already."""
    item, pace, shard = items[0], paces[0], populations[0]
    demand = past.counted(item, demand, censored, most_at_first(shard))
    plan = population.relative(shard, promotion)
    past.remember(item, demand, phase_of(pace, starts, ends), plan, price, pace["memory"])


@compiled
def _look_for_shift(item: np.void) -> None:
    """Raise the alarm when demand is not what it was, and look no further back from then on."""
    item["unbroken"], item["shifted"] = min(item["unbroken"] + 1, item["memory"]), 0
    if item["periods"] % drift.EVERY == 0:
        newest = drift.cut(item["recent"], item["unbroken"])
        if newest > 0:
            item["unbroken"], item["shifted"] = newest, 1


@compiled
def _judge(
    item: np.void, filed: np.void, pace: np.void, period: int, model: np.void, weights: Weights, samples: Records
) -> bool:
    """Learn from a forecast and what came; whether the shared weights changed."""
    unit, total = filed["unit"], filed["total"]
    came = total / unit
    saved = np.empty((EXPERTS, len(LEVELS)))
    aggregation.save(filed["experts"], filed["mixture"], came, saved)
    aggregation.add(item, saved, pace["keep"])
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
