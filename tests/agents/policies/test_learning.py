"""What learned policies learn, against what is known to be right."""

import numpy as np
import pytest

from agents.forecasting.base import DemandForecast
from agents.policies.base import Economics, Outcome, PipelineOrder, Situation
from agents.policies.pil_q.arms import PLAIN
from agents.policies.pil_q.pil_q import PilQ
from agents.policies.pil_q.state import PilQState
from agents.policies.tabular.fql import Fql
from agents.policies.tabular.hql import Hql

LEAD_TIME = (0.0, 0.0, 1.0)


def forecast_of(mean: float, horizon: int) -> DemandForecast:
    total = mean * horizon
    return DemandForecast(horizon, total, total, (total,) * 5, (mean,) * horizon)


def learned(demand: list[int], *, said: float = 5.0, terms: Economics | None = None) -> tuple[PilQ, PilQState]:
    policy = PilQ()
    state = policy.fresh()
    for period, units in enumerate(demand):
        costs = terms or Economics(1.0, 9.0, critical_ratio=0.9)
        situation = Situation("A@X", period, 8, (), LEAD_TIME, forecast_of(said, 3), costs)
        policy.learn(state, situation, Outcome(units, units, 0))
    return policy, state


def share_of(state: PilQState, *sources: int) -> float:
    """How much arms have to say that believe these sources."""
    parts = state.item["parts"][0]
    heard = sum(int(part) for arm, part in zip(PLAIN.arms, parts, strict=True) if arm.source in sources)
    return heard / int(parts.sum())


def test_a_forecast_that_is_wrong_is_left_for_the_items_own_mean() -> None:
    _, state = learned(np.random.default_rng(1).poisson(12, 120).tolist(), said=3.0)
    assert share_of(state, 0) < 0.05


def test_demand_that_wanders_is_followed_closely() -> None:
    chance = np.random.default_rng(3)
    level = np.exp(np.cumsum(chance.normal(0.0, 0.25, 200)) * 0.5 + 3.0)
    _, state = learned(chance.poisson(level).tolist(), said=20.0)
    assert share_of(state, 2, 3) > 0.9


def test_hidden_demand_is_not_taken_for_little_demand() -> None:
    policy, state = learned(np.random.default_rng(4).poisson(8, 100).tolist(), said=8.0)
    before = state.item["averages"]["mean"][0, 1]
    for period in range(100, 130):
        situation = Situation(
            "A@X", period, 0, (), LEAD_TIME, forecast_of(8.0, 3), Economics(1.0, 9.0, critical_ratio=0.9)
        )
        policy.learn(state, situation, Outcome(6, 6, 0, censored=True))
    assert state.item["averages"]["mean"][0, 1] > 0.9 * before


@pytest.mark.parametrize("order_cost, mean, s, level", [(0.0, 5.0, 7, 8), (64.0, 10.0, 6, 40)])
def test_fql_finds_the_optimal_levels(order_cost: float, mean: float, s: int, level: int) -> None:
    policy, chance = Fql(), np.random.default_rng(5)
    state, terms = policy.fresh(), Economics(1.0, 9.0, order_cost, 0.9, "backorder")
    for period, units in enumerate(chance.poisson(mean, 3000).tolist()):
        situation = Situation("A@X", period, 0, (), (1.0,), forecast_of(mean, 1), terms)
        policy.learn(state, situation, Outcome(units, units, 0))

    def ordered(position: int) -> float:
        situation = Situation("A@X", 3000, position, (), (1.0,), forecast_of(mean, 1), terms)
        return policy.decide(state, situation).quantity

    trigger = max(position for position in range(60) if ordered(position) > 0)
    assert abs(trigger - s) <= 1
    assert abs(trigger + ordered(trigger) - level) <= 3


@pytest.mark.parametrize("mean", [0.0, 1e-320, 1e-12, 1e-3])
@pytest.mark.parametrize("lead_time", [(1.0,), (0.0, 0.0, 1.0), (0.2, 0.3, 0.3), (0.1,) * 10])
def test_next_to_no_demand_breaks_nothing(mean: float, lead_time: tuple[float, ...]) -> None:
    policy = PilQ()
    state, horizon = policy.fresh(), len(lead_time)
    terms = Economics(1.0, 19.0, critical_ratio=0.95)
    forecast = DemandForecast(horizon, mean * horizon, 0.0, (mean * horizon,) * 5, (mean,) * horizon)
    for period in range(150):
        situation = Situation("A@X", period, period % 3, (PipelineOrder(2, 1.0, 1),), lead_time, forecast, terms)
        policy.learn(state, situation, Outcome(mean, mean, 0, censored=period % 7 == 0))
        assert 0.0 <= policy.decide(state, situation).quantity < 10.0
    assert np.isfinite(state.item["costs"]).all()


@pytest.mark.parametrize("seed", range(3))
def test_hql_finds_the_level_although_stock_outs_hide_demand(seed: int) -> None:
    def level_of(policy: Fql) -> float:
        chance, state, stock = np.random.default_rng(seed), policy.fresh(), 4
        terms = Economics(1.0, 9.0, critical_ratio=0.9)
        level = 0.0
        for period, units in enumerate(chance.poisson(5.0, 3000).tolist()):
            sold, hidden = min(units, stock), units > stock
            situation = Situation("A@X", period, stock - sold, (), (1.0,), forecast_of(2.0, 1), terms)
            policy.learn(state, situation, Outcome(sold, sold, 0, censored=hidden))
            stock = stock - sold + int(policy.decide(state, situation).quantity + 0.5)
            level = stock
        return level

    assert abs(level_of(Hql()) - 8) <= 1  # the newsvendor's level for Poisson demand of 5 at 0.9
    assert level_of(Fql()) < 7  # which leaves hidden demand out
