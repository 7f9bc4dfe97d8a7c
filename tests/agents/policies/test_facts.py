"""Orders stay within what facts explain, whatever the forecaster says."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.forecasting.base import DemandForecast
from agents.policies.base import Economics, Situation
from agents.policies.facts import GROWN, PastDemand
from agents.policies.guardrails import BEYOND_FACTS, guard
from agents.policies.newcomers import Newcomers
from agents.policies.registry import POLICIES

ABSURD = 10.0
RULES = ("pil-q", "pil", "base-stock", "capped-base-stock", "one-point-two", "s-S", "R-s-Q", "newsvendor")
WILD = [0.0, 1.0, 1e9, 1e300, math.inf, math.nan]


def forecast(periods: int, mean: float, quantile: float) -> DemandForecast:
    levels = tuple(quantile * share for share in (0.5, 0.7, 0.8, 0.9, 1.0))
    return DemandForecast(float(periods), mean, abs(mean), levels, (mean / periods,) * periods)


@given(
    demands=st.lists(st.one_of(st.just(0), st.integers(0, 12), st.integers(0, 10**6)), min_size=1, max_size=80),
    periods=st.integers(1, 60),
    mean=st.sampled_from(WILD),
    quantile=st.sampled_from(WILD),
    available=st.integers(-20, 10**6),
    policy=st.sampled_from(RULES),
)
@settings(max_examples=300, deadline=None)
def test_no_order_is_absurd_whatever_the_forecaster_says(
    demands: list[int], periods: int, mean: float, quantile: float, available: int, policy: str
) -> None:
    past = PastDemand()
    for demand in demands:
        past.learn(demand)
    lead_time = (0.0,) * (periods - 1) + (1.0,)
    now = Situation(
        "A@X", len(demands), available, (), lead_time, forecast(periods, mean, quantile), Economics(1.0, 99.0),
        facts=past.facts(periods),
    )  # fmt: skip
    try:
        wanted = POLICIES[policy]().decide(POLICIES[policy]().fresh(), now).quantity
    except (ArithmeticError, ValueError):
        wanted = mean
    sums, greatest = np.convolve(demands, np.ones(periods)), past.facts(periods).greatest
    quantity = guard(wanted, now).quantity
    assert quantity <= ABSURD * max(sums.max(), 1.0) + max(-available, 0)
    assert quantity <= max(3.0 * greatest + 2.0 * math.sqrt(greatest), 1.0) + 1.0 - available or quantity == 0


@given(
    demands=st.lists(st.integers(0, 30), min_size=30, max_size=80), at=st.integers(1, 79), periods=st.integers(1, 40)
)
def test_a_typo_explains_little_while_it_stands_alone(demands: list[int], at: int, periods: int) -> None:
    past, clean = PastDemand(), np.convolve(demands, np.ones(periods)).max()
    for period, demand in enumerate(demands):
        past.learn(100_000 if period == at else demand, strong=20.0)
    assert past.facts(periods, strong=20.0).greatest <= (clean + 3.0 * max(*demands, 20.0)) * max(1.0, periods / 32)


@pytest.mark.parametrize("periods", [1, 3, 8, 15])
@pytest.mark.parametrize("mean", [0.05, 0.7, 5.0, 300.0])
def test_what_a_sound_rule_wants_is_explained(mean: float, periods: int) -> None:
    """A level that demand exceeds once in a thousand intervals is within the facts after a hundred periods."""
    chance = np.random.default_rng(3)
    for _ in range(20):
        past = PastDemand()
        for demand in chance.poisson(mean, 100):
            past.learn(float(demand))
        level = np.quantile(chance.poisson(mean * periods, 10_000), 0.999)
        greatest = past.facts(periods).greatest
        assert greatest == 0.0 or level <= 3.0 * greatest + 2.0 * math.sqrt(greatest)


def test_planner_supplier_and_customers_explain_orders() -> None:
    past = PastDemand()
    for _ in range(50):
        past.learn(1.0)
    seen, wild = past.facts(2), forecast(2, 1e9, 1e9)

    def ordered(terms: Economics, available: int = 0) -> int:
        return guard(1e6, Situation("A@X", 50, available, (), (0.0, 1.0), wild, terms, facts=seen)).quantity

    assert ordered(Economics(1.0, 9.0)) == 9
    assert ordered(Economics(1.0, 9.0, order_up_to=500)) == 500
    assert ordered(Economics(1.0, 9.0, minimum_order=100)) == 100
    assert ordered(Economics(1.0, 9.0, stock_out="backorder"), -40) == 49
    assert ordered(Economics(1.0, 9.0), 10) == 0


def test_what_only_the_forecast_explains_is_named() -> None:
    past = PastDemand()
    past.learn(4.0)
    now = Situation("A@X", 1, 0, (), (1.0,), forecast(1, 1e3, 1e3), Economics(1.0, 9.0), facts=past.facts(1))
    guarded = guard(1000.0, now)
    assert (guarded.quantity, guarded.clamped_by, guarded.unexplained) == (16, (BEYOND_FACTS,), 984)


def test_a_promotion_stronger_than_any_before_explains_more() -> None:
    past = PastDemand()
    past.learn(4.0, promotion=0.2)
    assert past.facts(1, planned=0.2).uplift == 1.0
    assert past.facts(1, planned=0.9).uplift == 4.0


def test_a_newcomer_is_ordered_like_others_of_its_class() -> None:
    newcomers, grown = Newcomers(), PastDemand()
    for _ in range(GROWN):
        grown.learn(5.0)
        newcomers.learn("A", grown)
    fresh = PastDemand()
    fresh.learn(0.0, censored=True)
    facts = fresh.facts(3, usual=newcomers.usual("A"))
    assert facts.periods == 0
    assert facts.newcomer == pytest.approx(15.0)
    now = Situation("B@X", 1, 0, (), (0.0, 0.0, 1.0), forecast(3, 1e3, 1e3), Economics(1.0, 9.0), facts=facts)
    assert guard(1000.0, now).quantity == 30
    other = Newcomers()
    other.load(newcomers.dump())
    assert other.usual("A") == newcomers.usual("A")
    with pytest.raises(ValueError, match="newcomers"):
        other.load({"A": b"\x93\x01\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00\x00"})
