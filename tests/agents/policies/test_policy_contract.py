"""What every registered policy keeps: a new line in the registry is tested here without another line."""

import copy
import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.forecasting.base import DemandForecast
from agents.forecasting.interval import over_interval
from agents.policies.base import Economics, Outcome, PipelineOrder, Policy, Situation
from agents.policies.guardrails import guard, respects
from agents.policies.registry import BASELINE, DEFAULT, POLICIES

NAMES = sorted(POLICIES)


def situation(period: int, available: int, *, mean: float = 5.0, lead: int = 2, **terms: Any) -> Situation:
    horizon = lead + 1
    level = mean * horizon
    spread = max(level, 1.0)
    quantiles = tuple(level + k * math.sqrt(spread) for k in (0.0, 0.84, 1.28, 1.64, 2.33))
    forecast = DemandForecast(horizon, level, spread, quantiles, (mean,) * horizon)
    economics = Economics(1.0, 9.0, critical_ratio=0.9, **terms)
    pipeline = tuple(PipelineOrder(4, float(due), lead - due) for due in range(lead))
    return Situation("TEA-01@BER1", period, available, pipeline, (0.0,) * lead + (1.0,), forecast, economics)


def lived(policy: Policy, periods: int, seed: int = 1, **terms: Any) -> object:
    state, chance = policy.fresh(), np.random.default_rng(seed)
    for period in range(periods):
        demand = int(chance.poisson(5))
        now = situation(period, int(chance.integers(-3, 15)), **terms)
        policy.learn(state, now, Outcome(demand, demand, 4, censored=period % 7 == 3, ordered=4))
    return state


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_is_found_by_its_name(name: str) -> None:
    assert POLICIES[name]().name == name
    assert DEFAULT in POLICIES
    assert BASELINE in POLICIES


@pytest.mark.parametrize("terms", [{}, {"order_cost": 20.0}, {"stock_out": "backorder"}, {"review_periods": 3}])
@pytest.mark.parametrize("name", NAMES)
def test_a_policy_orders_a_finite_quantity_that_is_not_negative(name: str, terms: dict[str, Any]) -> None:
    policy = POLICIES[name]()
    for periods in (0, 1, 50):
        advice = policy.decide(lived(policy, periods, **terms), situation(periods, 3, **terms))
        assert math.isfinite(advice.quantity)
        assert advice.quantity >= 0


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_orders_when_the_shelf_is_empty(name: str) -> None:
    policy = POLICIES[name]()
    now = situation(60, 0)
    bare = Situation(now.item, now.period, 0, (), now.lead_time, now.forecast, now.economics)
    if name != "q-learning":  # which may well want to try what ordering nothing brings
        assert policy.decide(lived(policy, 60), bare).quantity > 0


@pytest.mark.parametrize("name", NAMES)
def test_no_level_to_fill_up_to_is_below_that_at_which_to_order(name: str) -> None:
    policy = POLICIES[name]()
    for periods in (0, 3, 40):
        state = lived(policy, periods)
        for available in (-50, 0, 3, 40, 100, 500, 10_000):
            for ratio in (0.05, 0.3, 0.9, 0.999):  # cheap shortages: less than what is usual may be wanted
                now = situation(periods, available)
                costs = Economics(1.0, ratio / (1.0 - ratio), critical_ratio=ratio)
                advice = policy.decide(state, msgspec.structs.replace(now, economics=costs))
                assert advice.reorder_point <= advice.order_up_to, (periods, available, ratio)


@pytest.mark.parametrize("lead_time", [(0.0, 0.0, 1.0), (0.0, 0.7, 0.25)])
@pytest.mark.parametrize("name", NAMES)
def test_a_policys_quantity_is_what_it_would_decide_also_where_lead_times_are_random(
    name: str, lead_time: tuple[float, ...]
) -> None:
    policy = POLICIES[name]()
    state, now = lived(policy, 40), situation(40, 3)
    likely = None if lead_time[-1] == 1.0 else over_interval(now.forecast, lead_time, 1)
    now = msgspec.structs.replace(now, lead_time=lead_time, likely=likely)
    assert policy.quantity(state, now) == policy.decide(state, now).quantity


@pytest.mark.parametrize("name", NAMES)
def test_deciding_changes_nothing_and_is_the_same_twice(name: str) -> None:
    policy = POLICIES[name]()
    state = lived(policy, 40)
    before = policy.dump(state)
    now = situation(40, 3)
    assert policy.decide(state, now) == policy.decide(state, now)
    assert policy.dump(state) == before


@pytest.mark.parametrize("name", NAMES)
def test_two_policies_that_live_the_same_life_have_the_same_state(name: str) -> None:
    assert POLICIES[name]().dump(lived(POLICIES[name](), 60)) == POLICIES[name]().dump(lived(POLICIES[name](), 60))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("periods", [0, 1, 45])
def test_a_state_survives_its_round_trip_and_goes_on_alike(name: str, periods: int) -> None:
    policy, other = POLICIES[name](), POLICIES[name]()
    state = lived(policy, periods)
    other.load_shared(copy.deepcopy(policy.dump_shared()))
    twin = other.load(policy.dump(state))
    for period in range(periods, periods + 20):
        now, outcome = situation(period, period % 9), Outcome(float(period % 11), 3.0, 4, ordered=5)
        policy.learn(state, now, outcome)
        other.learn(twin, now, outcome)
        assert policy.decide(state, now) == other.decide(twin, now)
    assert policy.dump(state) == other.dump(twin)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("blob", [b"\x00", b"\x93\x01\x02\x03", b"not a state", b"\xff" * 40, b"\x80", b"\xdc\xff\xff"])
def test_a_crafted_blob_is_refused(name: str, blob: bytes) -> None:
    with pytest.raises(ValueError, match="state"):
        POLICIES[name]().load(blob)


@pytest.mark.parametrize("name", NAMES)
def test_a_cut_or_stretched_state_is_refused(name: str) -> None:
    policy = POLICIES[name]()
    whole = policy.dump(lived(policy, 30))
    for broken in (whole + b"\x01", whole[: len(whole) // 2] + b"\xc1" if whole else b"\xc1"):
        with pytest.raises(ValueError, match="state"):
            policy.load(broken)


@pytest.mark.parametrize("name", NAMES)
def test_the_default_state_stays_below_two_kilobytes(name: str) -> None:
    policy = POLICIES[name]()
    if name not in {"fql", "hql"}:  # a table of the whole state, for study
        assert len(policy.dump(lived(policy, 200))) <= 2048


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mean=st.sampled_from([0.0, 0.003, 0.4, 5.0, 1e4, 1e7]),
    available=st.integers(-(10**6), 10**7),
    lead=st.integers(0, 20),
    lead_time=st.sampled_from([None, (0.2, 0.3, 0.4), (1.0,), (0.0, 0.0, 0.05)]),
    order_cost=st.sampled_from([0.0, 3.0, 1e5]),
    costs=st.sampled_from([(1.0, 9.0), (0.0, 1.0), (1.0, 0.0), (1e-9, 1e9)]),
    stock_out=st.sampled_from(["lost", "backorder"]),
    supplier=st.sampled_from([(1, 1, None), (10, 6, 200), (50, 50, 10)]),
    demand=st.sampled_from([0.0, 1.0, 7.0, 1e6]),
    censored=st.booleans(),
)
def test_odd_situations_stay_within_the_rails(
    name: str,
    mean: float,
    available: int,
    lead: int,
    lead_time: tuple[float, ...] | None,
    order_cost: float,
    costs: tuple[float, float],
    stock_out: str,
    supplier: tuple[int, int, int | None],
    demand: float,
    censored: bool,  # noqa: FBT001
) -> None:
    policy = POLICIES[name]()
    state = policy.fresh()
    least, multiple, capacity = supplier
    plain = situation(0, available, mean=mean, lead=lead)
    ratio = costs[1] / (costs[0] + costs[1])
    terms = Economics(*costs, order_cost, ratio, stock_out, 1, least, multiple, capacity)  # type: ignore[arg-type]
    for period in range(12):
        now = Situation("A@X", period, available, plain.pipeline, lead_time or plain.lead_time, plain.forecast, terms)
        policy.learn(state, now, Outcome(demand, demand, 0, censored, 3))
        advice = policy.decide(state, now)
        guarded = guard(advice.quantity, now)
        assert math.isfinite(advice.quantity)
        assert advice.quantity >= 0
        assert respects(guarded.quantity, guarded.cap, now, terms)
        available = min(max(available - int(demand), -(10**6)), 10**7)
    assert policy.dump(policy.load(policy.dump(state))) == policy.dump(state)
