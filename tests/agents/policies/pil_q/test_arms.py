"""Arms order what their rules do: the same numbers, whoever works them out, for one stock or for many."""

import math
from typing import Any

import numpy as np
import pytest

from agents.forecasting.base import DemandForecast
from agents.forecasting.interval import over_interval
from agents.policies.base import Economics, Outcome, PipelineOrder, Situation
from agents.policies.pil_q.arms import ARMS, LOTS, PLAIN, RULES, LevelArm, PilArm
from agents.policies.pil_q.averages import Averages
from agents.policies.pil_q.beliefs import outlook_of
from agents.policies.pil_q.by_level import filled_up
from agents.policies.pil_q.counterfactual import decided, missing, wanted_of
from agents.policies.pil_q.pil_q import PilQ, menu_of
from agents.policies.projection.arrivals import expected_arrivals
from agents.policies.projection.route import route
from agents.policies.registry import POLICIES
from agents.policies.rules.pil import levels
from agents.policies.shadow.shadows import Shadows

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


def averages() -> Averages:
    found = Averages()
    for demand in np.random.default_rng(3).poisson(5.0, 60).tolist():
        found.learn(float(demand), 5.0)
    return found


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
    here = situation(available, lead_time, **terms)
    menu = menu_of(here.economics)
    wanted = wanted_of(missing(Shadows.alike(here, 1), averages(), here, menu, menu.alone)[0])
    by_hand = "reorder_point" in terms or "order_up_to" in terms
    for name, place in menu.rules.items():
        rule, arm = POLICIES[name](), menu.arms[place]
        if by_hand and name == "pil":
            continue  # which knows no levels but its own
        assert arm == RULES[name]
        assert wanted[place] == pytest.approx(rule.quantity(None, here), rel=1e-6, abs=1e-9), name
        if isinstance(arm, LevelArm):
            advice, same = filled_up(averages(), here, arm), rule.decide(None, here)
            assert (advice.quantity, advice.reorder_point, advice.order_up_to) == (
                same.quantity,
                same.reorder_point,
                same.order_up_to,
            )


@pytest.mark.parametrize("terms", TERMS)
@pytest.mark.parametrize("lead_time", [CERTAIN, RANDOM])
def test_many_arms_at_once_order_what_each_does_alone(lead_time: tuple[float, ...], terms: dict[str, Any]) -> None:
    known = averages()
    here = situation(4, lead_time, **terms)
    menu, way, arrivals = menu_of(here.economics), route(lead_time), expected_arrivals(here, route(lead_time))
    together = wanted_of(missing(Shadows.alike(here, 1), known, here, menu, menu.alone)[0])
    each = []
    for arm in menu.arms:
        if isinstance(arm, PilArm):
            seen = outlook_of(known, arm.source, here, way)
            each.append(levels(here, way, seen, arrivals, arm.shift, arm.stretch).quantity)
        else:
            each.append(filled_up(known, here, arm).quantity)
    for arm, found, expected in zip(menu.arms, together, each, strict=True):
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-9), arm.words


@pytest.mark.parametrize("lead_time", [CERTAIN, RANDOM])
def test_shadows_are_asked_about_their_own_stock(lead_time: tuple[float, ...]) -> None:
    known, here = averages(), situation(4, lead_time)
    shadows = Shadows.alike(here, ARMS + 1)
    shadows.stock = shadows.stock + np.arange(ARMS + 1) % 5
    found = missing(shadows.beside(here), known, here, PLAIN, PLAIN.all)
    for place in range(ARMS):
        alone = situation(4 + place % 5, lead_time)
        mine = missing(Shadows.alike(alone, 1), known, alone, PLAIN, PLAIN.alone)[0]
        assert found[0, place] == pytest.approx(mine[place], rel=1e-9)
    own = situation(4 + ARMS % 5, lead_time)
    assert found[1] == pytest.approx(missing(Shadows.alike(own, 1), known, own, PLAIN, PLAIN.alone)[0], rel=1e-9)
    assert found[2] == pytest.approx(missing(Shadows.alike(here, 1), known, here, PLAIN, PLAIN.alone)[0], rel=1e-9)


@pytest.mark.parametrize("order_cost", [0.0, 20.0])
def test_what_is_decided_while_learning_is_what_is_decided_when_asked(order_cost: float) -> None:
    policy, here = PilQ(), situation(4, RANDOM, order_cost=order_cost)
    state = policy.fresh()
    for demand in (4, 6, 5):
        policy.learn(state, here, Outcome(float(demand), float(demand), 0))
    known = policy.decide(state, here)
    state.decided = None
    assert policy.decide(state, here) == known
    assert policy.quantity(state, here) == known.quantity


def test_arms_decide_together_by_their_shares() -> None:
    here, known, shares = situation(4), averages(), np.zeros(ARMS)
    shares[[PLAIN.rules["base-stock"], PLAIN.rules["one-point-two"]]] = 0.25, 0.75
    wanted = [POLICIES[name]().quantity(None, here) for name in ("base-stock", "one-point-two")]
    assert decided(known, here, PLAIN, shares).quantity == pytest.approx(0.25 * wanted[0] + 0.75 * wanted[1])


def test_each_menu_has_as_many_arms_and_no_two_alike() -> None:
    for menu in (PLAIN, LOTS):
        assert len(set(menu.arms)) == len(menu.arms) == ARMS
        assert set(menu.rules) >= {"pil", "base-stock", "capped-base-stock", "one-point-two"}
        words = [f"{type(arm).__name__} {arm.words}" for arm in menu.arms]
        assert len(set(words)) == ARMS
