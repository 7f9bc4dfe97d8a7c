"""What is best on a panel is nearly reached on it, from the first weeks on; items learn from one another."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest

from agents.forecasting.base import LEVELS, Ahead, ClosedPeriod, DemandForecast
from agents.policies.base import Economics, Outcome, Situation
from agents.policies.pil_q.arms import ARMS, PLAIN
from agents.policies.pil_q.pil_q import PilQ
from agents.policies.pil_q.pool import POOLED, evidence, pool
from agents.policies.pil_q.state import PilQState
from agents.policies.registry import POLICIES
from agents.simulation.closed_loop import DemandHistory, live
from agents.simulation.supplier import Supplier

DAY_MS = 86_400_000
ITEMS, PERIODS = 30, 110
WEEKS = (12, 40)
"""Periods after which the first weeks begin, and end."""


class Truthful:
    """A forecaster of a planted shop: it says the same of every interval, by its length."""

    name, version = "truthful", 1

    def __init__(self, said: dict[int, DemandForecast]) -> None:
        self.said = said

    def fresh(self) -> None:
        """Nothing is learned."""

    def learn(self, state: None, item: str, period: ClosedPeriod, ahead: Sequence[Ahead] = ()) -> None:
        """Learn nothing."""

    def forecast(self, state: None, item: str, ahead: Sequence[Ahead]) -> DemandForecast:
        return self.said[len(ahead)]


def lumpy(chance: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Mostly nothing, now and then forty: normal deviates say little of it, quantiles say all."""
    return np.where(chance.random(shape) < 0.04, 40.0, chance.poisson(1.0, shape) * 1.0)


def told(chance: np.random.Generator, periods: int) -> DemandForecast:
    """The truth about demand of so many periods together."""
    sums = lumpy(chance, (20_000, periods)).sum(axis=1)
    mean = float(sums.mean())
    quantiles = tuple(float(np.quantile(sums, level)) for level in LEVELS)
    return DemandForecast(periods, mean, float(sums.var()), quantiles, (mean / periods,) * periods)


def paid(names: Sequence[str], demand: Any, said: dict[int, DemandForecast], terms: Economics) -> dict[str, Any]:
    """What each policy paid: [before the first weeks, in them, later]."""
    items = [f"I{number}" for number in range(len(demand))]
    history = DemandHistory(items, [period * DAY_MS for period in range(demand.shape[1] + 1)], demand)
    costs = {name: np.zeros(3) for name in names}
    policies = {name: POLICIES[name]() for name in names}
    supplier = Supplier(seed=1, lead_times=(2,))
    for row in live(history, Truthful(said), policies, supplier, [terms] * len(items)):  # type: ignore[arg-type]
        costs[row.policy][sum(row.period >= begin for begin in WEEKS)] += row.cost
    return costs


@pytest.mark.parametrize(
    "best, stock_out, shortage", [("base-stock", "backorder", 30.0), ("one-point-two", "lost", 8.0)]
)
def test_the_best_rule_of_a_panel_is_nearly_reached_from_the_first_weeks_on(
    best: str, stock_out: Any, shortage: float
) -> None:
    names = ("pil-q", "pil", "base-stock", "one-point-two")
    terms = Economics(1.0, shortage, critical_ratio=shortage / (shortage + 1.0), stock_out=stock_out)
    costs = {name: np.zeros(3) for name in names}
    for seed in range(1, 4):
        chance = np.random.default_rng(seed)
        said = {3: told(chance, 3)}
        for name, cost in paid(names, lumpy(chance, (ITEMS, PERIODS)), said, terms).items():
            costs[name] += cost
    rules = {name: cost for name, cost in costs.items() if name != "pil-q"}
    for when, most in ((1, 1.08), (2, 1.02)):
        assert min(rules, key=lambda name: rules[name][when]) == best
        assert costs["pil-q"][when] <= most * rules[best][when]
        assert max(rules.values(), key=lambda cost: cost[when])[when] >= 1.15 * rules[best][when]


def situation(item: str, period: int, available: int = 0) -> Situation:
    forecast = DemandForecast(2, 10.0, 10.0, (10.0, 12.7, 14.1, 15.2, 17.4), (5.0, 5.0))
    return Situation(item, period, available, (), (0.0, 1.0), forecast, Economics(1.0, 19.0, critical_ratio=0.95))


def lived(policy: PilQ, item: str, periods: int, seed: int) -> PilQState:
    state = policy.fresh()
    for period, units in enumerate(np.random.default_rng(seed).poisson(9.0, periods).tolist()):
        policy.learn(state, situation(item, period), Outcome(units, units, 0))
    return state


def said_by_forecast(state: PilQState) -> float:
    """How much arms have to say that believe the forecast."""
    parts = state.item["parts"][0]
    return sum(int(part) for arm, part in zip(PLAIN.arms, parts, strict=True) if arm.source == 0) / int(parts.sum())


def test_a_new_item_begins_with_what_its_kind_has_found() -> None:
    """Others sell 9 where the forecast says 5: a newcomer among them does not believe it from the start."""
    policy = PilQ()
    alone = lived(PilQ(), "new", 3, 99)
    for number in range(40):
        lived(policy, f"I{number}", 40, number)
    among = lived(policy, "new", 3, 99)
    believed = [said_by_forecast(state) for state in (alone, among)]
    assert believed[1] < 0.5 * believed[0]


def test_items_contribute_from_the_first_period_in_which_an_order_may_have_come() -> None:
    policy = PilQ()
    lived(policy, "I", 2, 1)
    assert policy.dump_shared() == {}
    lived(policy, "I", 4, 1)
    assert len(policy.dump_shared()) == 2


def test_what_items_share_survives_its_round_trip_and_another_versions_is_left_alone() -> None:
    policy, other = PilQ(), PilQ()
    lived(policy, "I", 40, 1)
    parts = policy.dump_shared()
    other.load_shared({**parts, "pl31 2c": b"of version 3", "3 pl31": b"of version 3"})
    (kind,) = {key.split()[1] for key in parts}
    assert (policy.pool.of(kind) == other.pool.of(kind)).all()
    assert evidence(policy.pool.of(kind)[0], 0) > 0.0
    with pytest.raises(ValueError, match="kind"):
        other.load_shared({"5 pl31": b"broken"})
    with pytest.raises(ValueError, match="can be"):
        other.load_shared({"5 pl31": np.full(POOLED.itemsize // 8, np.nan).tobytes()})


def test_the_pool_brings_small_and_large_items_together() -> None:
    """An item a hundred times as dear has ten times the weight of another, not a hundred times."""
    pooled = np.zeros(1, POOLED)[0]
    for scale, better in ((1.0, 0), (100.0, 1)):
        excess = np.zeros(ARMS)
        excess[better] = -0.1 * scale
        for period in range(1, 501):
            pool(pooled, excess / np.sqrt(scale), float(np.sqrt(scale)), period)
            pool(pooled, np.zeros(ARMS), 1.0, period)
    worth = pooled["excess"] / pooled["usual"]
    assert worth[1] < worth[0] < 0.0
    assert worth[1] / worth[0] < 40.0


def test_many_items_in_a_few_periods_say_less_than_a_few_items_in_many() -> None:
    """A promotion meets the whole shard: what forty items paid in one week is not forty weeks' experience."""
    few, many = np.zeros(2, POOLED)
    for pooled, items, periods in ((few, 40, 5), (many, 5, 40)):
        for period in range(periods):
            for _ in range(items):
                pool(pooled, np.zeros(ARMS), 1.0, period + 1)
    assert evidence(few, 0) < 0.5 * evidence(many, 0) < 0.5 * 200.0
    assert evidence(many, 40) < evidence(many, 0)


def test_a_shock_that_meets_all_items_at_once_does_not_decide_for_long() -> None:
    """One promotion that nobody knew of sells out every shelf: the shelf that is full enough for it is too dear."""
    chance = np.random.default_rng(5)
    demand = chance.poisson(5.0, (ITEMS, PERIODS)) * 1.0
    demand[:, 20] = 40.0
    said = {3: DemandForecast(3, 15.0, 15.0, (15.0, 18.3, 20.1, 21.6, 24.6), (5.0,) * 3)}
    costs = paid(("pil-q", "pil"), demand, said, Economics(1.0, 99.0, critical_ratio=0.99))
    assert costs["pil-q"][2] <= 1.1 * costs["pil"][2]


def test_a_forecast_with_a_tail_of_its_own_is_heard() -> None:
    """Where the quantile lies below what moments make of it, less is bought from the first day on."""
    bought = []
    for high in (15.2, 12.0):
        forecast = DemandForecast(2, 10.0, 10.0, (10.0, 11.0, 11.5, high, 17.4), (5.0, 5.0))
        here = msgspec.structs.replace(situation("A", 0), forecast=forecast)
        bought.append(PilQ().decide(PilQ().fresh(), here).quantity)
    assert bought[1] < bought[0]


@pytest.mark.parametrize("demand", [1e300, np.inf, np.nan, -5.0])
def test_a_demand_that_cannot_be_leads_nothing_astray(demand: float) -> None:
    policy = PilQ()
    state = policy.fresh()
    for period in range(6):
        policy.learn(state, situation("A", period), Outcome(demand if period == 2 else 5.0, 5.0, 0))
    state = policy.load(policy.dump(state))
    state.item["averages"]["mean"], state.item["averages"]["variance"] = 0.0, 1e300
    policy.learn(state, situation("A", 6), Outcome(5.0, 5.0, 0))
    assert np.isfinite(policy.decide(state, situation("A", 7)).quantity)
    PilQ().load_shared(policy.dump_shared())
