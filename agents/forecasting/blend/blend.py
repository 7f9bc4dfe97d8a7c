"""The default forecaster: experts on an item's own past and regressions shared by its shard, blended by their regret.

At every review it takes in the period that closed, judges the filed forecasts whose horizon has passed, and files a new
one. The shared models learn in the order in which items are reviewed, in batches by count. So a run in one piece and a
run that was stopped and restored at any point give the same forecasts, bit for bit.

docs/concepts/forecasting.md explains it to a planner; docs/decisions/0020 to 0023 say why it is so.

>>> from agents.forecasting.base import Ahead, ClosedPeriod, Rhythm
>>> blend, day = Blend(Rhythm()), 86_400_000
>>> state = blend.fresh()
>>> for number in range(60):
...     plan = [Ahead((number + k) * day, (number + k + 1) * day) for k in (1, 2, 3)]
...     blend.learn(state, "TEA-01@BER1", ClosedPeriod(number * day, (number + 1) * day, 4.0 + number % 3), plan)
>>> forecast = blend.forecast(state, "TEA-01@BER1", plan)
>>> 12 < forecast.mean < 18, forecast.quantiles == tuple(sorted(forecast.quantiles)), len(forecast.path)
(True, True, 3)
"""

from collections.abc import Mapping, Sequence
from math import log
from operator import mul
from typing import ClassVar

import msgspec

from agents.forecasting.base import LEVELS, Ahead, ClosedPeriod, DemandForecast, Rhythm
from agents.forecasting.blend import aggregation, drift
from agents.forecasting.blend import state as stored_state
from agents.forecasting.blend.bins import Bins
from agents.forecasting.blend.distribution import MOST_SEEN, coherent_mean, explained, variance_of
from agents.forecasting.blend.experts import around_means, empirical, local_means, recent_sums, roughness
from agents.forecasting.blend.inputs import inputs_of
from agents.forecasting.blend.population import Population
from agents.forecasting.blend.relearning import relearn
from agents.forecasting.blend.shared_model import SharedModel
from agents.forecasting.blend.sheet import Sheet, width_of
from agents.forecasting.blend.state import MOST_WAITING, BlendState, FiledForecast, stride_of, waiting_at
from agents.forecasting.correction import CorrectedPast
from agents.forecasting.rhythm import Pace

MOST_SHARED_MODELS = 2
"""Horizons with a shared model of their own; any other horizon uses the nearest of them."""
VERSION = 7
"""Of what is stored of an item and of a shard."""
_PARTS = ("weights", "waiting", "kept")
_MOST_HALF = 6e4
_MOST_ERROR = 1e3
_MEAN_POWER = 3
_MEAN_PRIOR = 20
_MEAN_KNOWN = 100


class Blend:
    """The blend of experts of one shard."""

    name: ClassVar[str] = "blend"
    version: ClassVar[int] = VERSION

    def __init__(self, rhythm: Rhythm) -> None:
        self._pace = Pace.of(rhythm)
        self._bins = Bins(self._pace)
        inputs = 1 + self._bins.inputs
        self._width = width_of(inputs)
        self._making, self._judging = Sheet(inputs), Sheet(inputs)
        self._population = Population()
        self._models: dict[int, SharedModel] = {}
        self._changed: set[str] = set()
        self._mark = f"v{VERSION} {rhythm.season} {rhythm.period_days:g} "

    def fresh(self) -> BlendState:
        """Know nothing of an item."""
        return BlendState(self._pace)

    def learn(self, state: BlendState, item: str, period: ClosedPeriod, ahead: Sequence[Ahead] = ()) -> None:
        """Take in a period, judge the forecasts that are due, file a new one."""
        del item
        if period.is_open:
            self._take(state, period)
        if ahead:
            coming = _open(ahead)
            state.answer, filed = self._forecast(state, ahead, coming, self._model_for(state, len(coming)))
            state.asked, state.plan = None, tuple(ahead)
            due = state.past.figures.periods % stride_of(len(coming)) == 0
            if filed is not None and period.is_open and due:
                state.filed = [*state.filed[1 - MOST_WAITING :], filed]

    def forecast(self, state: BlendState, item: str, ahead: Sequence[Ahead]) -> DemandForecast:
        """The forecast made while learning, if it was for the same plan; else one made for this plan."""
        del item
        if state.answer is not None and _asked(state, ahead):
            return state.answer
        coming = _open(ahead)
        return self._forecast(state, ahead, coming, self._nearest(len(coming)))[0]

    def correct(self, state: BlendState, item: str, past: CorrectedPast) -> None:
        """Learn the item's past again; its shard has learned what it has learned."""
        del item
        relearn(state, past, self._population, self._pace)

    def shifted(self, state: BlendState) -> bool:
        """Whether the last period raised the alarm."""
        return state.shifted

    # Learning -----------------------------------------------------------------------------------------------------

    def _take(self, state: BlendState, period: ClosedPeriod) -> None:
        past, population, pace = state.past, self._population, self._pace
        f = past.figures
        sold_before = f.greatest > 0.0
        demand = past.believed(period, population.first_sales)
        if demand > 0.0 and not sold_before:
            population.first_sales.add(demand)
        population.see_plan(min(period.promotion, 1.0))
        plan = population.relative(period.promotion)
        past.take(demand, period, pace.phase(period.starts, period.ends), plan)
        population.see(period.starts, demand, pace.season, pace.trend)
        population.vote_level(state.votes, f.total, f.periods, pace.settled)
        population.vote_uplift(state.votes, f.lifted, f.base, f.promoted)
        self._changed.add("population")
        for filed in state.filed:
            filed.total += demand
            filed.left -= 1
            if filed.left == 0:
                self._judge(state, filed)
        state.filed = [filed for filed in state.filed if filed.left > 0]
        state.unbroken = min(state.unbroken + 1, len(past.recent))
        newest = drift.cut(past.recent[: state.unbroken]) if f.periods % drift.EVERY == 0 else None
        state.shifted = newest is not None
        state.unbroken = newest or state.unbroken

    def _judge(self, state: BlendState, filed: FiledForecast) -> None:
        """Learn from a forecast and what came."""
        came, sheet = filed.total / filed.unit, self._judging
        sheet.take(filed.record)
        regret = aggregation.regret_of(sheet.experts, sheet.mixture, came)
        state.regrets.add(regret, self._pace.keep)
        state.calibration.judge(sheet.corrected.tolist(), came)
        means = sheet.means.tolist()
        state.spread.judge([mean * filed.unit for mean in means[1:]], filed.total, self._pace.variance_rate)
        state.judged += 1
        errors = [min((mean - came) ** 2, _MOST_ERROR) for mean in means]
        rate = max(1 / _MEAN_KNOWN, 1 / state.judged)
        state.mean_squares = [old + rate * (error - old) for old, error in zip(state.mean_squares, errors, strict=True)]
        horizon = self._nearest_horizon(state.horizon)
        model = self._models[horizon]
        model.judge_means(errors)
        model.trust(self._population.period, regret)
        self._changed.add(f"waiting {horizon}")
        if model.learn(filed.record[: self._width], came):
            self._changed |= {f"weights {horizon}", f"kept {horizon}"}

    # Forecasting --------------------------------------------------------------------------------------------------

    def _forecast(
        self, state: BlendState, ahead: Sequence[Ahead], coming: Sequence[Ahead], model: SharedModel
    ) -> tuple[DemandForecast, FiledForecast | None]:
        horizon, f, population = len(coming), state.past.figures, self._population
        if not coming:
            nothing = (0.0,) * len(ahead)
            return DemandForecast(float(len(ahead)), 0.0, 0.0, (0.0,) * len(LEVELS), nothing), None
        scale = population.scale(f.total, f.periods)
        unit = scale * horizon
        if not f.periods:
            pool = [quantile * unit for quantile in model.pool]
            return _answer(pool, population.level * horizon, [1.0] * horizon, ahead), None
        inputs, sheet = inputs_of(state.past, population, self._pace, coming, scale), self._making
        sheet.see(inputs, scale)
        local = local_means(f, inputs.shape)
        found = recent_sums(inputs.sums, horizon, f.periods, self._pace.sums)
        sheet.sums[:] = empirical(found, model.pool, unit)
        rough = roughness(inputs.mean, inputs.deviation, f.periods, horizon)
        around_means(state.spread, local, rough, unit, sheet.around_means)
        means = [model.advise(sheet) * unit, *local]
        mixture = aggregation.mixed(sheet.experts, state.regrets, model.regrets).tolist()
        corrected = state.calibration.corrected(mixture)
        sheet.derived[:] = [*mixture, *corrected, *[min(mean / unit, _MOST_HALF) for mean in means]]
        limit = explained(found, f, horizon, min(population.relative(max(period.promotion for period in coming)), 1.0))
        quantiles = [min(quantile * unit, MOST_SEEN * limit) for quantile in corrected]
        published = [float(round(quantile)) for quantile in quantiles] if f.whole else quantiles
        filed = FiledForecast(horizon, 0.0, unit, sheet.copy())
        return _answer(published, min(self._mean(state, model, means), limit), inputs.shape, ahead), filed

    @staticmethod
    def _mean(state: BlendState, model: SharedModel, means: list[float]) -> float:
        """The means' average, weighed by the inverse of their errors, the item's own blended with the shard's."""
        known = min(state.judged, _MEAN_KNOWN)
        errors = [
            known * own + _MEAN_PRIOR * shard + 1e-8
            for own, shard in zip(state.mean_squares, model.mean_errors, strict=True)
        ]
        least = min(errors)
        weights: list[float] = [(least / error) ** _MEAN_POWER for error in errors]
        mean: float = sum(map(mul, weights, means)) / sum(weights)
        return mean

    # Shared state -------------------------------------------------------------------------------------------------

    def _model_for(self, state: BlendState, horizon: int) -> SharedModel:
        """The model of an item's horizon, made when there is room; an item that turns to another drops what waits."""
        if horizon and horizon not in self._models and len(self._models) < MOST_SHARED_MODELS:
            self._models[horizon] = SharedModel(self._bins)
            self._changed |= {f"{part} {horizon}" for part in _PARTS}
        if horizon != state.horizon:
            ratio = horizon / state.horizon if state.horizon and horizon else 1.0
            state.spread.scaled(ratio)
            state.regrets.slow_down(waiting_at(horizon))
            state.horizon, state.filed = horizon, []
        return self._nearest(horizon)

    def _nearest(self, horizon: int) -> SharedModel:
        return self._models[self._nearest_horizon(horizon)] if self._models else SharedModel(self._bins)

    def _nearest_horizon(self, horizon: int) -> int:
        """The horizon with a model whose ratio to this one is nearest to 1."""
        if horizon in self._models:
            return horizon
        return min(self._models, key=lambda known: (abs(log(known / max(horizon, 1))), known))

    def dump(self, state: BlendState) -> bytes:
        """Write what is known of an item."""
        return stored_state.write(state)

    def load(self, data: bytes) -> BlendState:
        """Read it back."""
        return stored_state.read(data, self._pace, len(self._making.row))

    def dump_shared(self) -> Mapping[str, bytes]:
        """Write the parts that changed since the last call."""
        changed, self._changed = sorted(self._changed), set()
        return {f"{self._mark}{part}": self._dump_part(part) for part in changed}

    def load_shared(self, parts: Mapping[str, bytes]) -> None:
        """Read all parts; those of another version or rhythm are left alone, and learning begins anew."""
        marked = {part: data for part, data in parts.items() if part.startswith(self._mark)}
        parts = {part.removeprefix(self._mark): data for part, data in marked.items()}
        horizons = [part.removeprefix("weights ") for part in parts if part.startswith("weights ")]
        if "population" in parts:
            try:
                self._population = msgspec.msgpack.decode(parts["population"], type=Population)
            except msgspec.MsgspecError as error:
                raise ValueError(f"not what a shard's items have in common: {error}") from error
        for horizon in horizons[:MOST_SHARED_MODELS]:
            if not horizon.isdecimal() or any(f"{part} {horizon}" not in parts for part in _PARTS):
                raise ValueError(f"the shared model of horizon {horizon!r} is not complete")
            model = SharedModel(self._bins)
            model.load(*(parts[f"{part} {horizon}"] for part in _PARTS))
            self._models[int(horizon)] = model

    def _dump_part(self, part: str) -> bytes:
        if part == "population":
            return msgspec.msgpack.encode(self._population)
        kind, _, horizon = part.partition(" ")
        model = self._models[int(horizon)]
        if kind == "weights":
            return model.dump_weights()
        return model.dump_waiting() if kind == "waiting" else model.samples.dump_kept()


def _open(ahead: Sequence[Ahead]) -> Sequence[Ahead]:
    return [period for period in ahead if period.is_open]


def _asked(state: BlendState, ahead: Sequence[Ahead]) -> bool:
    """Whether the item's answer speaks of this plan; of a stored one only a hash is left."""
    return state.plan == tuple(ahead) if state.asked is None else state.asked == stored_state.plan_hash(ahead)


def _answer(quantiles: list[float], mean: float, shape: list[float], ahead: Sequence[Ahead]) -> DemandForecast:
    """A forecast whose path shares the mean out by `shape` over the open periods."""
    mean, whole = coherent_mean(quantiles, mean), sum(shape)
    path = [mean * part / whole for part in shape] if whole > 0.0 else [mean / len(shape)] * len(shape)
    if len(path) < len(ahead):
        shares = iter(path)
        path = [next(shares) if period.is_open else 0.0 for period in ahead]
    levels = tuple(quantiles)
    return DemandForecast(float(len(ahead)), mean, variance_of(levels, mean), levels, tuple(path))
