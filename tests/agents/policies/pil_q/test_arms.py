"""Arms order what their rules do: the same numbers, for the item itself and in shadow."""

import math
from typing import Any

import numpy as np
import pytest

from agents.forecasting.base import DemandForecast
from agents.forecasting.interval import over_interval
from agents.policies.base import Economics, Outcome, PipelineOrder, Situation
from agents.policies.pil_q.arms import ANALYTIC, ARMS, BASE_STOCK, LOTS, PLAIN, RULES, LevelArm
from agents.policies.pil_q.averages import learn
from agents.policies.pil_q.pil_q import PilQ, menu_of
from agents.policies.pil_q.state import PilQState
from agents.policies.registry import POLICIES
from agents.policies.shadow.shadows import LOST

CERTAIN, RANDOM = (0.0, 0.0, 0.0, 1.0), (0.0, 0.3, 0.4, 0.2)
TERMS: list[dict[str, Any]] = [
    {},
    {"stock_out": "backorder"},
    {"order_cost": 20.0},
    {"order_cost": 20.0, "stock_out": "backorder"},
    {"review_periods": 2},
    {"order_up_to": 21},
    {"reorder_point": 9},
    {"reorder_point": 9, "order_up_to": 21},
    {"reorder_point": 9, "order_cost": 20.0},
]


def knowing() -> PilQState:
    """An item whose demand has been seen for two months."""
    state = PilQ().fresh()
    for demand in np.random.default_rng(3).poisson(5.0, 60).tolist():
        learn(state.item["averages"], float(demand), 5.0)
    return state


def listening_to(state: PilQState, here: Situation, *places: int) -> PilQState:
    """The item when only these arms have a say, each a part more than the one before."""
    state.item["lots"] = menu_of(here.economics) is LOTS
    state.item["parts"][0] = 0
    for part, place in enumerate(places, start=1):
        state.item["parts"][0, place] = part
    return state


def situation(available: int, lead_time: tuple[float, ...] = CERTAIN, ratio: float = 0.95, **terms: Any) -> Situation:
    mean, spread = 22.0, 40.0
    quantiles = tuple(mean + factor * math.sqrt(spread) for factor in (-0.1, 0.8, 1.4, 1.9, 2.9))
    forecast = DemandForecast(4, mean, spread, quantiles, (5.0, 6.0, 5.0, 6.0))
    economics = Economics(1.0, ratio / (1.0 - ratio), critical_ratio=ratio, **terms)
    underway = (PipelineOrder(6, 1.0, 2), PipelineOrder(3, 2.0, 1))
    review = economics.review_periods
    likely = None if lead_time[-1] == 1.0 else over_interval(forecast, lead_time, review)
    return Situation("A@X", 60, available, underway, lead_time, forecast, economics, likely=likely)


@pytest.mark.parametrize("terms", TERMS)
@pytest.mark.parametrize("lead_time", [CERTAIN, RANDOM])
@pytest.mark.parametrize("available", [-4, 0, 7, 30])
def test_a_rules_arm_orders_what_the_rule_orders(
    available: int, lead_time: tuple[float, ...], terms: dict[str, Any]
) -> None:
    here, state = situation(available, lead_time, **terms), knowing()
    by_hand = "reorder_point" in terms or "order_up_to" in terms
    menu = menu_of(here.economics)
    for name, place in menu.rules.items():
        rule, arm = POLICIES[name](), menu.arms[place]
        if by_hand and name == "pil":
            continue  # which knows no levels but its own
        assert arm == RULES[name]
        advice, same = PilQ().decide(listening_to(state, here, place), here), rule.decide(None, here)
        assert advice.quantity == pytest.approx(same.quantity, rel=1e-6, abs=1e-9), name
        if isinstance(arm, LevelArm):
            assert (advice.reorder_point, advice.order_up_to) == (same.reorder_point, same.order_up_to)


@pytest.mark.parametrize("terms", TERMS)
@pytest.mark.parametrize("lead_time", [CERTAIN, RANDOM])
def test_an_arm_orders_in_shadow_what_it_would_order_for_the_item(
    lead_time: tuple[float, ...], terms: dict[str, Any]
) -> None:
    policy, here, state = PilQ(), situation(4, lead_time, **terms), knowing()
    policy.learn(state, here, Outcome(5.0, 5.0, 0))  # shadows begin where the item stands
    menu, ordered = menu_of(here.economics), state.units[1].copy()
    for place, arm in enumerate(menu.arms):
        alone = listening_to(state, here, place)
        wanted = policy.decide(alone, here).quantity
        assert ordered[place] == math.floor(wanted + 0.5), arm.words
        if menu is PLAIN:
            assert policy.ask(alone, here)[0].quantity == pytest.approx(wanted), arm.words


@pytest.mark.parametrize("lead_time", [CERTAIN, RANDOM])
def test_shadows_are_asked_about_their_own_stock(lead_time: tuple[float, ...]) -> None:
    policy, here, state = PilQ(), situation(4, lead_time), knowing()
    policy.learn(state, here, Outcome(5.0, 5.0, 0))
    stocks = 4 + np.arange(ARMS + 1) % 5
    state.units[:] = 0.0
    state.units[0], state.units[1], state.units[2] = stocks, 3.0, 6.0  # and what is underway to the item itself
    state.drawn[:] = LOST
    policy.learn(state, here, Outcome(0.0, 0.0, 0))
    own = situation(int(stocks[ARMS]), lead_time)
    assert state.units[1, ARMS] == math.floor(policy.quantity(state, own) + 0.5)
    for place in range(ARMS):
        own = situation(int(stocks[place]), lead_time)
        wanted = policy.quantity(listening_to(state, own, place), own)
        assert state.units[1, place] == math.floor(wanted + 0.5)


def test_arms_decide_together_by_their_parts() -> None:
    here, names = situation(4), ("base-stock", "one-point-two")
    state = listening_to(knowing(), here, *(PLAIN.rules[name] for name in names))
    wanted = [POLICIES[name]().quantity(None, here) for name in names]
    assert PilQ().quantity(state, here) == pytest.approx(wanted[0] / 3.0 + wanted[1] * 2.0 / 3.0)


def test_each_menu_has_as_many_arms_and_no_two_alike() -> None:
    for menu in (PLAIN, LOTS):
        assert len(set(menu.arms)) == len(menu.arms) == ARMS
        assert set(menu.rules) >= {"pil", "base-stock", "capped-base-stock", "one-point-two"}
        words = [f"{type(arm).__name__} {arm.words}" for arm in menu.arms]
        assert len(set(words)) == ARMS


def test_simple_rules_lead_their_families_in_each_menu() -> None:
    for menu in (PLAIN, LOTS):
        assert menu.rules["pil"] == ANALYTIC
        assert menu.rules["base-stock"] == BASE_STOCK
