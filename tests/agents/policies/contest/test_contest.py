"""A contest is safe: whatever is planted as champion, guardrails hold and the baseline takes over."""

import math
from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from agents.forecasting.base import DemandForecast
from agents.policies.base import Advice, Economics, Outcome, PipelineOrder, Rehearsal, Situation
from agents.policies.contest import cost_ledger
from agents.policies.contest.contest import Contest
from agents.policies.guardrails import guard, respects
from agents.policies.pil_q.pil_q import PilQ
from agents.policies.rules.base_stock import BaseStock
from agents.policies.rules.one_point_two import OnePointTwo
from agents.policies.rules.pil import Pil
from agents.policies.rules.stateless import Stateless

FALLBACK_WITHIN = 49
"""Reviews after which an adversary has lost its place."""
LEAD = 2


class Planted(Stateless):
    name, version = "planted", 1

    def __init__(self, wanted: Callable[[Situation], float]) -> None:
        self.wanted = wanted

    def decide(self, state: None, situation: Situation) -> Advice:
        return Advice(self.wanted(situation), 0, 0, 0)


def live(contest: Contest, periods: int, *, seed: int) -> list[Advice]:
    """A life with lost sales; what was advised at each review."""
    chance, terms = np.random.default_rng(seed), Economics(1.0, 9.0, critical_ratio=0.9)
    mean = 5.0 * (LEAD + 1)
    quantiles = tuple(mean + k * math.sqrt(mean) for k in (0.0, 0.84, 1.28, 1.64, 2.33))
    forecast = DemandForecast(LEAD + 1, mean, mean, quantiles, (5.0,) * (LEAD + 1))
    state, stock, pipeline, ordered, advised = contest.fresh(), 15, [0] * LEAD, 0, []
    for period in range(periods):
        stock += pipeline[0]
        pipeline = [*pipeline[1:], ordered]
        demand = int(chance.poisson(5))
        sold = min(stock, demand)
        stock -= sold
        underway = tuple(PipelineOrder(q, float(age), LEAD - age) for age, q in enumerate(pipeline) if q)
        situation = Situation("A@X", period, stock, underway, (0.0,) * LEAD + (1.0,), forecast, terms)
        contest.learn(state, situation, Outcome(demand, sold, 0, ordered=ordered))
        advice = contest.decide(state, situation)
        guarded = guard(advice.quantity, situation)
        assert respects(guarded.quantity, guarded.cap, situation, terms)
        ordered = guarded.quantity
        advised.append(advice)
        state = contest.load(contest.dump(state))
    return advised


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["nothing", "the most", "no number", "minus infinity", "too much by half"])
def test_an_adversary_falls(name: str, seed: int) -> None:
    quantity = {
        "nothing": lambda _: 0.0,
        "the most": lambda _: 1e18,
        "no number": lambda _: math.nan,
        "minus infinity": lambda _: -math.inf,
        "too much by half": lambda situation: max(0.0, 1.5 * situation.forecast.quantiles[-1] - situation.position),
    }[name]
    advised = live(Contest(Planted(quantity), Pil()), 120, seed=seed)
    assert "baseline" in [advice.role for advice in advised[: FALLBACK_WITHIN + 1]]
    assert all(advice.role == "baseline" for advice in advised[FALLBACK_WITHIN:])
    assert all(math.isfinite(advice.quantity) for advice in advised[1:]) or name == "the most"


class Boasting(Planted):
    """Reports invented costs of its shadow inventories."""

    def __init__(self, own: float) -> None:
        super().__init__(lambda _: 1e18)
        self.own = own

    def rehearsal(self, state: None) -> Rehearsal:  # type: ignore[override]
        return Rehearsal(self.own, {"pil": 10.0})


@pytest.mark.parametrize("own", [math.nan, math.inf, 11.0])
def test_a_champion_with_a_cost_that_is_no_number_or_high_falls(own: float) -> None:
    contest = Contest(Boasting(own), Pil(), rehearses=True)
    assert all(advice.role == "baseline" for advice in live(contest, 60, seed=1)[FALLBACK_WITHIN:])


@pytest.mark.parametrize("seed", range(3))
def test_the_default_keeps_its_own_and_the_baselines_cost(seed: int) -> None:
    """The champion and the contest find the same costs, whoever keeps the shadow inventories."""
    rehearsing, keeping = (Contest(PilQ(), Pil(), rehearses=rehearses) for rehearses in (True, False))
    shares = []
    for contest in (rehearsing, keeping):
        states: list[list[float]] = []
        contest.learn = _noted(contest, states)  # type: ignore[method-assign]
        live(contest, 300, seed=seed)
        shares.append(states[-1][0] / states[-1][1])
    assert abs(shares[0] - shares[1]) < 0.03


def _noted(contest: Contest, costs: list[list[float]]) -> Callable[..., None]:
    learn = contest.learn

    def noted(state: object, situation: Situation, outcome: Outcome) -> None:
        learn(state, situation, outcome)  # type: ignore[arg-type]
        costs.append(list(state.ledger.costs))  # type: ignore[attr-defined]

    return noted


@pytest.mark.parametrize("seed", range(5))
def test_a_sound_champion_stays(seed: int) -> None:
    advised = live(Contest(PilQ(), Pil()), 300, seed=seed)
    assert sum(advice.role == "baseline" for advice in advised) <= 30


def test_one_that_mends_its_ways_comes_back() -> None:
    pil = Pil()

    def mends(situation: Situation) -> float:
        return 0.0 if situation.period < 60 else pil.decide(None, situation).quantity

    roles = [advice.role for advice in live(Contest(Planted(mends), Pil()), 600, seed=3)]
    assert "baseline" in roles[:60]
    assert roles[-1] == "champion"


def test_the_ledger_is_paired_with_real_demand() -> None:
    contest = Contest(Pil(), Pil(), (Planted(lambda _: 0.0),))
    state = contest.fresh()
    terms = Economics(1.0, 9.0, critical_ratio=0.9)
    forecast = DemandForecast(1, 5.0, 5.0, (5.0, 7.0, 8.0, 9.0, 10.0), (5.0,))
    for period in range(4):
        situation = Situation("A@X", period, 10, (), (1.0,), forecast, terms)
        contest.learn(state, situation, Outcome(4, 4, 0))
    costs = list(state.ledger.costs)
    assert costs[0] == costs[1]
    assert costs[2] == (6 + 2 + 9 * 2)  # 10 on the shelf, three periods of demand 4, nothing ordered


class Fooled(Boasting):
    """Reports invented costs of its own and of two rules, which differ from item to item."""

    def __init__(self) -> None:
        super().__init__(9.0)
        self.rules = {"pil": 8.0, "base-stock": 8.0}

    def rehearsal(self, state: None) -> Rehearsal:  # type: ignore[override]
        return Rehearsal(self.own, self.rules)


def of_item(item: str, period: int, shortage: float = 9.0) -> Situation:
    forecast = DemandForecast(1, 5.0, 5.0, (5.0, 7.0, 8.0, 9.0, 10.0), (5.0,))
    return Situation(item, period, 5, (), (1.0,), forecast, Economics(1.0, shortage, critical_ratio=0.9))


def test_a_champion_falls_back_to_the_best_rule_of_its_class() -> None:
    champion = Fooled()
    contest = Contest(champion, Pil(), (BaseStock(),), rehearses=True)
    champion.rules = {"pil": 12.0, "base-stock": 6.0}  # what the class has found
    for item in range(20):
        state = contest.fresh()
        for period in range(10):
            contest.learn(state, of_item(f"I{item}", period), Outcome(5, 5, 0))
    champion.rules = {"pil": 6.0, "base-stock": 6.5}  # and this item, which was lucky with the other one
    state, elsewhere = contest.fresh(), contest.fresh()
    for period in range(40):
        contest.learn(state, of_item("A", period), Outcome(5, 5, 0))
        contest.learn(elsewhere, of_item("B", period, shortage=200.0), Outcome(5, 5, 0))
        state = contest.load(contest.dump(state))
    advice = contest.decide(state, of_item("A", 40))
    assert (advice.policy, advice.role) == ("base-stock", "baseline")
    assert advice.quantity == BaseStock().quantity(None, of_item("A", 40))
    assert contest.decide(elsewhere, of_item("B", 40, shortage=200.0)).policy == "pil"


def test_what_rules_cost_a_class_survives_its_round_trip() -> None:
    champion, other = Fooled(), Contest(Fooled(), Pil(), (BaseStock(),), rehearses=True)
    contest = Contest(champion, Pil(), (BaseStock(),), rehearses=True)
    champion.rules = {"pil": 12.0, "base-stock": 6.0}
    state = contest.fresh()
    for period in range(80):
        contest.learn(state, of_item("A", period), Outcome(5, 5, 0))
    other.load_shared(contest.dump_shared())
    assert contest.dump_shared() == {}
    champion.rules = {"pil": 6.0, "base-stock": 6.0}
    state = other.fresh()
    for period in range(40):
        other.learn(state, of_item("A", period), Outcome(5, 5, 0))
    assert other.decide(state, of_item("A", 40)).policy == "base-stock"
    with pytest.raises(ValueError, match="class"):
        other.load_shared({"rules of pl30": b"broken"})


def test_a_state_of_other_contestants_is_read_as_far_as_they_are_the_same() -> None:
    """As a shard of the version before has it: fewer rules, and a cost ledger of another shape."""
    before = Contest(Planted(lambda _: 1.0), Pil(), (OnePointTwo(),))
    state = before.fresh()
    for period in range(9):
        before.learn(state, of_item("A", period), Outcome(5, 5, 0))
    stored = msgspec.msgpack.decode(before.dump(state))
    stored[2] = [[3.0, 4.0, 5.0], 9, 1, 0.5, 0.1, 0.2, False]
    now = Contest(PilQ(), Pil(), (BaseStock(), OnePointTwo()), rehearses=True)
    rescued = now.load(msgspec.msgpack.encode(stored))
    assert now.dump(rescued) == now.dump(now.fresh())
    with pytest.raises(ValueError, match="state of a contest"):
        before.load(msgspec.msgpack.encode(stored))


def test_a_champion_that_is_hardly_dearer_stays() -> None:
    contest = Contest(Boasting(10.1), Pil(), rehearses=True)
    assert all(advice.role == "champion" for advice in live(contest, 120, seed=1))


def test_the_bounds_of_blocks_are_students() -> None:
    from scipy.special import stdtrit

    known = [stdtrit(max(blocks - 1, 1), cost_ledger.CONFIDENCE) for blocks in range(len(cost_ledger.BOUNDS))]
    assert known == pytest.approx(cost_ledger.BOUNDS, abs=1e-4)
    assert len(known) == 1 + round(1 / cost_ledger.FADE)
