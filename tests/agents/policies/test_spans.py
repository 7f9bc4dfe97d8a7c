"""Waits of very many periods: a second's period and a day's wait must cost no more than a day's period."""

import time

import msgspec
import numpy as np
import pytest

from agents.forecasting.base import DemandForecast
from agents.policies.base import Economics, Outcome, PipelineOrder, Situation
from agents.policies.registry import POLICIES
from agents.policies.spans import MOST_SPANS, condensed, span_of

SECONDS = 86_401
"""A day, and the period that has begun."""
TERMS = Economics(1e-5, 9.0, stock_out="backorder")


def situation(
    period: int, available: int, wait: int, rate: float, pipeline: tuple[PipelineOrder, ...] = ()
) -> Situation:
    horizon = wait + 1
    mean = rate * horizon
    quantiles = tuple(mean + k * mean**0.5 for k in (0.0, 0.84, 1.28, 1.64, 2.33))
    forecast = DemandForecast(horizon, mean, mean, quantiles, (rate,) * horizon)
    return Situation("A@X", period, available, pipeline, (0.0,) * wait + (1.0,), forecast, TERMS)


@pytest.mark.parametrize("name", ["pil-q", "pil", "fql", "base-stock"])
def test_a_wait_of_a_day_in_seconds_is_decided_like_one_in_days(name: str) -> None:
    policy = POLICIES[name]()
    state, chance = policy.fresh(), np.random.default_rng(1)
    rate, began = 50.0 / 86_400, time.process_time()
    now = situation(0, 20, SECONDS, rate)
    for period in range(200):
        now = situation(period, 20, SECONDS, rate, (PipelineOrder(5, 40_000.0, SECONDS - 40_000),))
        policy.learn(state, now, Outcome(float(chance.poisson(rate)), 0.0, 0))
    advice = policy.decide(state, now)
    assert 50 <= advice.order_up_to <= 100
    assert 20 <= advice.quantity <= 75
    assert time.process_time() - began < 20.0
    assert policy.dump(policy.load(policy.dump(state))) == policy.dump(state)


def test_learning_goes_on_span_by_span() -> None:
    policy = POLICIES["pil-q"]()
    state, chance, wait = policy.fresh(), np.random.default_rng(2), 4 * MOST_SPANS
    for period in range(900):
        now = situation(period, 300, wait, 3.0)
        policy.learn(state, now, Outcome(float(chance.poisson(3.0)), 3.0, 0, ordered=3))
    assert state.states[0].item["averages"]["periods"][0] == 900 // 4
    assert state.states[0].item["averages"]["mean"][0, 0] == pytest.approx(12.0, rel=0.05)
    assert state.ledger.periods > 100
    assert len(policy.dump(state)) <= 2048


def test_units_and_demand_stay_the_same() -> None:
    now = situation(100, 7, 2 * MOST_SPANS, 1.5, (PipelineOrder(4, 10.0, 30), PipelineOrder(9, 20.0, 20)))
    seen = condensed(now)
    assert span_of(now.lead_time) == 2
    assert (seen.available, seen.on_order, seen.position) == (now.available, now.on_order, now.position)
    assert seen.forecast.mean == now.forecast.mean
    assert seen.forecast.path[0] == 3.0
    assert condensed(seen) is seen
    unsure = msgspec.structs.replace(now, likely=now.forecast)
    assert condensed(unsure).protection == seen.forecast
