"""A forecast: the inputs of the next periods, what every expert says of them, and one distribution made of that."""

from math import floor

import numpy as np

from agents.forecasting.base import LEVELS
from agents.forecasting.blend import aggregation, calibration, experts, population, samples
from agents.forecasting.blend.aggregation import EXPERTS
from agents.forecasting.blend.closing import MEAN_KNOWN
from agents.forecasting.blend.distribution import MOST_SEEN, coherent_mean, explained, variance_of
from agents.forecasting.blend.experts import SUMS
from agents.forecasting.blend.inputs import PROMOTION, WIDTH, inputs_of
from agents.forecasting.blend.item import FILED, ITEM, MOST_WAITING, stride_of, waiting_at
from agents.forecasting.blend.past import deviation_of
from agents.forecasting.blend.population import POPULATION
from agents.forecasting.blend.shared_model import MEANS, MODEL, advise
from agents.forecasting.rhythm import MONTH, PACE
from agents.kernel.compiled import Numbers, Record, Records, Singles, compiled
from agents.kernel.records import copy

MEAN, VARIANCE, QUANTILES = 0, 1, 2
PATH = QUANTILES + len(LEVELS)
"""Where the parts of an answer begin."""
_MEAN_PRIOR = 20


@compiled(ITEM, FILED, PACE, POPULATION, MODEL, (np.float32, 3), (np.float64, 3), (np.float64, 2), bool, np.float64)
def foretell(  # noqa: PLR0913, PLR0917 - one call carries all
    items: Records, filed: Records, paces: Records, shards: Records, models: Records, weights: Singles,
    table: Numbers, coming: Numbers, files: bool, answer: Numbers,  # noqa: FBT001 - Numba has no keywords only
) -> None:  # fmt: skip
    """Forecast the demand of the open periods `coming` together; where it `files`, the forecast waits to be judged."""
    item, pace, shard, model = items[0], paces[0], shards[0], models[0]
    horizon, periods = len(coming), item["periods"]
    scale, shape = population.scale(shard, item["total"], periods), np.ones(horizon)
    unit, quantiles = scale * horizon, answer[QUANTILES:PATH]
    if periods == 0:
        for level in range(len(LEVELS)):
            quantiles[level] = model["pool"][level] * unit
        _finish(answer, population.level(shard) * horizon, shape)
        return
    values, sums = np.empty(WIDTH), np.empty(pace["memory"] + 1)
    inputs_of(item, shard, pace, coming, scale, values, sums, shape)
    said, means = np.empty((EXPERTS, len(LEVELS))), np.empty(MEANS)
    local, found = means[1:], experts.recent_sums(sums, horizon, periods, pace["sums"])
    experts.local_means(item, shape, local)
    experts.empirical(found, model["pool"], unit, said[SUMS])
    span = min(periods, pace["windows"][MONTH])
    usual = sums[span] / span
    rough = experts.roughness(usual, deviation_of(item["recent"], span, usual), periods, horizon)
    experts.around_means(item, table, local, rough, unit, said)
    means[0] = advise(model, weights, pace["phases"], values, said) * unit
    mixture, corrected = np.empty(len(LEVELS)), np.empty(len(LEVELS))
    aggregation.mix(said, item, model, waiting_at(item["horizon"]), mixture)
    calibration.correct(item["stretches"], mixture, corrected)
    promotion = 0.0
    for ahead in range(horizon):
        promotion = max(promotion, population.relative(shard, coming[ahead, PROMOTION]))
    limit = explained(item, found, horizon, min(promotion, 1.0))
    for level in range(len(LEVELS)):
        quantile = min(corrected[level] * unit, MOST_SEEN * limit)
        quantiles[level] = floor(quantile + 0.5) if item["broken"] == 0 else quantile
    _finish(answer, min(_mean(item, model, means), limit), shape)
    if files and periods % stride_of(horizon) == 0:
        forecast = filed[_place_for(item, filed)]
        forecast["left"], forecast["total"], forecast["unit"] = horizon, 0.0, unit
        copy(mixture, forecast["mixture"])
        copy(corrected, forecast["corrected"])
        for expert in range(EXPERTS):
            copy(said[expert], forecast["experts"][expert])
        for number in range(MEANS):
            forecast["means"][number] = means[number] / unit
        samples.store(forecast["inputs"], values)


@compiled
def _mean(item: Record, model: Record, means: Numbers) -> float:
    """The means' average, weighed by the inverse of their errors' third power, the item's own with the shard's."""
    errors, known = np.empty(MEANS), min(item["judged"], MEAN_KNOWN)
    least = np.inf
    for number in range(MEANS):
        errors[number] = known * item["mean_squares"][number] + _MEAN_PRIOR * model["mean_squares"][number] + 1e-8
        least = min(least, errors[number])
    whole = mean = 0.0
    for number in range(MEANS):
        part = least / errors[number]
        whole += part * part * part
        mean += part * part * part * means[number]
    return mean / whole


@compiled
def _finish(answer: Numbers, mean: float, shape: Numbers) -> None:
    """Bring mean and quantiles together, and share the mean out by `shape`."""
    quantiles, whole, horizon = answer[QUANTILES:PATH], 0.0, len(shape)
    answer[MEAN] = coherent_mean(quantiles, mean)
    answer[VARIANCE] = variance_of(quantiles, answer[MEAN])
    for part in shape:
        whole += part
    for ahead in range(horizon):
        answer[PATH + ahead] = answer[MEAN] * shape[ahead] / whole if whole > 0.0 else answer[MEAN] / horizon


@compiled
def _place_for(item: Record, filed: Records) -> int:
    """The place of one more filed forecast; where there is none, the oldest goes."""
    if item["filed"] == MOST_WAITING:
        item["filed"] -= 1
        for number in range(MOST_WAITING - 1):
            filed[number] = filed[number + 1]
    item["filed"] += 1
    return int(item["filed"] - 1)
