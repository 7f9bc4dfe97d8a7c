"""What the blend makes of a shard's items: what they share, what is their own, and what it says when things change."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from agents.forecasting.base import Ahead, ClosedPeriod, DemandForecast, Rhythm
from agents.forecasting.blend import aggregation, calibration, drift
from agents.forecasting.blend.blend import MOST_SHARED_MODELS, Blend
from agents.forecasting.blend.item import BlendState

DAY = 86_400_000
H = 3


def ahead_of(number: int, plan: Callable[[int], float] = lambda _: 0.0, horizon: int = H) -> list[Ahead]:
    days = range(number + 1, number + 1 + horizon)
    return [Ahead(day * DAY, (day + 1) * DAY, promotion=plan(day)) for day in days]


def live(
    blend: Blend, demands: Sequence[Sequence[float]], plan: Callable[[int], float] = lambda _: 0.0
) -> tuple[list[BlendState], list[DemandForecast]]:
    """Let all items live through their demand, periods outer; their states and last forecasts."""
    states = [blend.fresh() for _ in demands]
    last: list[DemandForecast] = []
    for number in range(len(demands[0])):
        coming = ahead_of(number, plan)
        last = []
        for item, state in enumerate(states):
            closed = ClosedPeriod(number * DAY, (number + 1) * DAY, demands[item][number], promotion=plan(number))
            blend.learn(state, str(item), closed, coming)
            last.append(blend.forecast(state, str(item), coming))
    return states, last


def drawn(mean: float, items: int, days: int, seed: int = 1) -> list[list[float]]:
    found: list[list[float]] = np.random.default_rng(seed).poisson(mean, (items, days)).astype(float).tolist()
    return found


def test_what_is_steady_is_covered_as_often_as_was_said() -> None:
    days, items = 160, 12
    demands = drawn(4.0, items, days)
    blend, hits, count = Blend(Rhythm()), np.zeros(5), 0
    states = [blend.fresh() for _ in range(items)]
    for number in range(days - H):
        for item, state in enumerate(states):
            coming = ahead_of(number)
            blend.learn(state, str(item), ClosedPeriod(number * DAY, (number + 1) * DAY, demands[item][number]), coming)
            if number >= 40:
                came = sum(demands[item][number + 1 : number + 1 + H])
                hits += came <= np.array(blend.forecast(state, str(item), coming).quantiles)
                count += 1
    covered = hits / count
    assert covered[1] == pytest.approx(0.8, abs=0.07)
    assert covered[3] == pytest.approx(0.95, abs=0.03)


def test_a_new_item_is_forecast_by_what_its_shard_has_learned() -> None:
    blend = Blend(Rhythm())
    live(blend, drawn(40.0, 10, 60))
    newcomer = blend.fresh()
    first = blend.forecast(newcomer, "new", ahead_of(60))
    assert first.mean == pytest.approx(40.0 * H, rel=0.3)
    assert first.quantile(0.95) > first.mean


def test_the_effect_of_promotions_is_learned_and_forecast() -> None:
    def plan(day: int) -> float:
        return 0.3 * (day % 15 in (3, 4, 5))

    chance = np.random.default_rng(2)
    demands = [[float(chance.poisson(8.0 * (3.0 if plan(day) else 1.0))) for day in range(153)] for _ in range(6)]
    blend = Blend(Rhythm())
    states, quiet = live(blend, demands, plan)  # ends before a promotion of all of the next three days
    promoted = [blend.forecast(state, str(item), ahead_of(152, lambda _: 0.3)) for item, state in enumerate(states)]
    plain = [blend.forecast(state, str(item), ahead_of(152)) for item, state in enumerate(states)]
    assert quiet[0].mean == pytest.approx(promoted[0].mean, rel=0.01)
    for high, low in zip(promoted, plain, strict=True):
        assert high.mean > 1.6 * low.mean
        assert high.quantile(0.95) > 1.3 * low.quantile(0.95)
        assert high.path[0] > low.path[0]


def test_demand_that_shifts_raises_the_alarm_once() -> None:
    blend, alarms = Blend(Rhythm()), []
    chance, state = np.random.default_rng(3), blend.fresh()
    for number in range(160):
        demand = float(chance.poisson(4.0 if number < 90 else 16.0))
        blend.learn(state, "TEA-01", ClosedPeriod(number * DAY, (number + 1) * DAY, demand), ahead_of(number))
        if blend.shifted(state):
            alarms.append(number)
    assert 1 <= len(alarms) <= 2
    assert 90 < alarms[0] < 130


def test_calm_demand_raises_none() -> None:
    demands = np.random.default_rng(4).poisson(5.0, (50, 112)).astype(np.float32)
    assert sum(drift.cut(row, len(row)) > 0 for row in demands) <= 1


def regrets() -> np.ndarray:
    known = np.zeros(1, np.dtype(aggregation.REGRETS))
    aggregation.begin(known)
    return known


def mixture_of(experts: np.ndarray, own: np.ndarray, shard: np.ndarray) -> np.ndarray:
    mixture = np.zeros(5)
    aggregation.mix(experts, own[0], shard[0], 1, mixture)
    return mixture


def test_the_expert_that_is_right_is_trusted_and_the_wild_one_is_not() -> None:
    own, shard, saved = regrets(), regrets(), np.zeros((aggregation.EXPERTS, 5))
    experts = np.repeat([[2.0], [60.0], [0.01]] * 3, 5, axis=1)
    for _ in range(60):
        aggregation.save(experts, mixture_of(experts, own, shard), 2.0, saved)
        aggregation.add(own[0], saved, 1.0, 0.99)
    each = np.repeat(np.eye(aggregation.EXPERTS)[:, :, None], 5, axis=2)
    trusted = np.array([mixture_of(alone, own, shard) for alone in each])
    assert trusted.sum(axis=0) == pytest.approx(np.ones(5))
    assert (trusted[::3].sum(axis=0)[1:4] > 0.7).all()


def test_an_expert_that_was_right_for_ever_leaves_weights_that_are_numbers() -> None:
    own, shard, saved = regrets(), regrets(), np.zeros((aggregation.EXPERTS, 5))
    experts = np.full((aggregation.EXPERTS, 5), 9.0)
    experts[0] = 1.0
    for _ in range(3_000):
        aggregation.save(experts, mixture_of(experts, own, shard), 1.0, saved)
        aggregation.add(own[0], saved, 1.0, 0.99)
        aggregation.add(shard[0], saved, 1.0, 0.995)
    assert mixture_of(experts, own, shard) == pytest.approx(np.ones(5), rel=0.3)


def test_calibration_brings_coverage_to_the_quantiles_levels() -> None:
    chance, hits = np.random.default_rng(6), []
    stretches, forecast, quantiles = np.ones(5), np.ones(5), np.array([1.0, 1.1, 1.2, 1.3, 1.4])
    for _ in range(6_000):
        calibration.correct(stretches, quantiles, forecast)
        came = float(chance.normal(1.2, 0.2))
        hits.append(came <= forecast)
        calibration.judge(stretches, forecast, came)
    covered = np.mean(hits[3_000:], axis=0)
    assert covered[[0, 1, 3]] == pytest.approx([0.5, 0.8, 0.95], abs=0.03)


def test_only_so_many_horizons_have_a_model_of_their_own() -> None:
    blend = Blend(Rhythm())
    for horizon in range(1, 6):
        state = blend.fresh()
        for number in range(30):
            coming = ahead_of(number, horizon=horizon)
            blend.learn(state, str(horizon), ClosedPeriod(number * DAY, (number + 1) * DAY, 5.0), coming)
        forecast = blend.forecast(state, str(horizon), ahead_of(29, horizon=horizon))
        assert forecast.mean == pytest.approx(5.0 * horizon, rel=0.35)
    assert len(blend._models) == MOST_SHARED_MODELS


def test_a_plan_that_changed_is_answered_anew() -> None:
    blend = Blend(Rhythm())
    states, last = live(blend, drawn(6.0, 2, 50))
    before = blend.dump(states[0])
    longer = blend.forecast(states[0], "0", ahead_of(49, horizon=2 * H))
    assert longer.mean > 1.5 * last[0].mean
    assert blend.dump(states[0]) == before
