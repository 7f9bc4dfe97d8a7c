"""One item of the policy suite, lived through by a policy: learning runs, and the frozen policy's long-run cost."""

from collections.abc import Callable, Mapping, Sequence
from math import floor
from typing import Any, NamedTuple

import numpy as np

from agents.forecasting.base import DemandForecast
from agents.forecasting.simple.ewma import gamma_quantiles
from agents.kernel.compiled import Bytes, Records, compiled
from agents.policies.base import Economics, Outcome, PipelineOrder, Policy, Situation
from agents.policies.pil_q.arms import ARM
from agents.policies.pil_q.asking import together
from agents.policies.pil_q.beliefs import SOURCES, beliefs
from agents.policies.pil_q.pil_q import PilQ, inputs_of, menu_of
from agents.policies.pil_q.state import ITEM, PilQState
from agents.policies.projection.arrivals import by_age, shadow_arrivals
from agents.policies.projection.outlook import FORECAST
from agents.policies.projection.route import odds_of
from agents.policies.projection.stock_left import stocks_left
from agents.policies.shadow.shadows import position
from agents.policies.terms import TERMS
from bench.exact import Floats, Ints, Problem, Renewal, average_cost, pmf


class Phases:
    """A forecaster of means by phase of the cycle: what the suite gives to policies, learned from the same demand."""

    def __init__(self, phases: int) -> None:
        self.mean = [0.0] * phases
        self.variance = [0.0] * phases
        self.seen = [0] * phases

    def learn(self, period: int, demand: float) -> None:
        """Take in a period."""
        phase = period % len(self.mean)
        self.seen[phase] += 1
        rate = 1.0 / self.seen[phase]
        if self.seen[phase] == 1:
            self.mean[phase] = self.variance[phase] = demand
            return
        error = demand - self.mean[phase]
        self.mean[phase] += rate * error
        self.variance[phase] += rate * (error * error * (1.0 - rate) - self.variance[phase])

    def forecast(self, period: int, horizon: int) -> DemandForecast:
        """Speak of the periods from `period` on."""
        phases = len(self.mean)
        known = [mean for mean, seen in zip(self.mean, self.seen, strict=True) if seen]
        usual = sum(known) / len(known) if known else 0.0
        path = tuple(self.mean[p % phases] if self.seen[p % phases] else usual for p in range(period, period + horizon))
        total, spread = sum(path), sum(self.variance) / max(1, len(known))
        ratio = spread / usual if usual > 0 else 1.0
        # Little was seen of each phase: lean to a variance like the mean. The mean itself is uncertain, too.
        weight = sum(self.seen) / (sum(self.seen) + 3.0 * phases)
        doubt = horizon / max(1, sum(self.seen))
        variance = total * (weight * ratio + (1.0 - weight)) * (1.0 + doubt)
        variance = max(variance, 1e-6)
        return DemandForecast(horizon, total, variance, gamma_quantiles(total, variance), path)


class Life(NamedTuple):
    """A learning run: the policy's state at each checkpoint, and what was paid on the way."""

    frozen: Mapping[int, tuple[Any, Phases]]
    paid: Mapping[int, float]
    unavoidable: Mapping[int, float]
    """What the optimal policy would have paid on the same demand, from the same empty shelf; NaN where not asked."""


def terms_of(instance: Mapping[str, Any]) -> Economics:
    """Costs of an instance."""
    stock_out = "backorder" if instance["family"].startswith("backlog") else "lost"
    ratio = instance["p"] / (instance["p"] + instance["h"])
    return Economics(instance["h"], instance["p"], instance["K"], ratio, stock_out)  # type: ignore[arg-type]


def demand_of(instance: Mapping[str, Any], periods: int, seed: int) -> Ints:
    """Demand of a learning run."""
    demand = instance["demand"]
    chance = np.random.default_rng([seed, *instance["id"].encode()])
    means = np.resize(np.asarray(demand.get("cycle_means") or [demand["mean"]], dtype=float), periods)
    if demand["dist"] == "poisson":
        return chance.poisson(means).astype(np.int64)
    return chance.geometric(1.0 / (1.0 + means)).astype(np.int64) - 1


def live(
    policy: Policy,
    instance: Mapping[str, Any],
    seed: int,
    checkpoints: Sequence[int],
    optimum: Sequence[Ints] | None = None,
) -> Life:
    """Let a policy learn, order and pay from an empty shelf on."""
    lead, terms = int(instance["L"]), terms_of(instance)
    phases = len(instance["demand"].get("cycle_means") or [0])
    demand, forecaster = demand_of(instance, max(checkpoints), seed), Phases(phases)
    state, lead_time = policy.fresh(), (0.0,) * lead + (1.0,)
    stock, ordered, pipeline, paid = 0, 0, [0] * lead, 0.0
    frozen: dict[int, tuple[Any, Phases]] = {}
    payments: dict[int, float] = {}
    for period, wanted in enumerate(demand.tolist()):
        received = ordered if lead == 0 else pipeline[0]
        if lead:
            pipeline = [*pipeline[1:], ordered]
        # An order of the last review is due `lead` periods after it: what falls due now can be sold now.
        stock += received
        left = stock - wanted
        paid += terms.holding * max(left, 0) + terms.shortage * max(-left, 0)
        sold = min(wanted, max(stock, 0)) if terms.stock_out == "lost" else wanted
        stock = max(left, 0) if terms.stock_out == "lost" else left
        forecaster.learn(period, wanted)
        underway = tuple(PipelineOrder(q, age, lead - age) for age, q in enumerate(pipeline) if q)
        forecast = forecaster.forecast(period + 1, lead + 1)
        situation = Situation(instance["id"], period, stock, underway, lead_time, forecast, terms)
        policy.learn(state, situation, Outcome(wanted, sold, received, ordered=ordered))
        ordered = int(policy.decide(state, situation).quantity + 0.5)
        paid += terms.order_cost * (ordered > 0)
        if period + 1 in checkpoints:
            frozen[period + 1] = policy.load(policy.dump(state)), _copy(forecaster)
            payments[period + 1] = paid
    return Life(frozen, payments, _unavoidable(instance, demand, checkpoints, optimum))


def _unavoidable(
    instance: Mapping[str, Any], demand: Ints, checkpoints: Sequence[int], optimum: Sequence[Ints] | None
) -> Mapping[int, float]:
    """What an optimal order table, one a phase, pays on this demand; the first order is placed after a period."""
    if optimum is None:
        return dict.fromkeys(checkpoints, float("nan"))
    lead, terms, paid = int(instance["L"]), terms_of(instance), 0.0
    stock, due, order = 0, [0] * (lead - 1), 0
    tops = [size - 1 for size in optimum[0].shape]
    payments: dict[int, float] = {}
    for period, wanted in enumerate(demand.tolist()):
        left = stock - wanted
        paid += terms.holding * max(left, 0) + terms.shortage * max(-left, 0) + terms.order_cost * (order > 0)
        due.append(order)
        stock = max(left, 0) + due.pop(0)
        place = tuple(min(value, top) for value, top in zip((stock, *due), tops, strict=True))
        order = int(optimum[(period + 1) % len(optimum)][place])
        if period + 1 in checkpoints:
            payments[period + 1] = paid
    return payments


def _copy(forecaster: Phases) -> Phases:
    twin = Phases(len(forecaster.mean))
    twin.mean, twin.variance, twin.seen = forecaster.mean[:], forecaster.variance[:], forecaster.seen[:]
    return twin


def frozen_cost(policy: Policy, state: Any, forecaster: Phases, instance: Mapping[str, Any]) -> float:
    """Long-run average cost of what a policy would do for ever: exact, by asking it in every state of the problem."""
    problem, lead, terms = Problem.of(instance), int(instance["L"]), terms_of(instance)
    lead_time, phases = (0.0,) * lead + (1.0,), len(forecaster.mean)
    shape = (problem.top_stock + 1, *[problem.top_order + 1] * (lead - 1))
    tables = []
    for phase in range(phases):
        forecast = forecaster.forecast(phase, lead + 1)
        situation = Situation(instance["id"], 10**6, 0, (), lead_time, forecast, terms)
        if isinstance(policy, PilQ) and terms.order_cost <= 0.0:
            table = _table(state, situation, shape)
        else:
            table = np.array([_ask(policy, state, situation, place) for place in np.ndindex(*shape)]).reshape(shape)
        tables.append(np.minimum(table, problem.top_order))
    return average_cost(problem, tables, 1e-4)


def _ask(policy: Policy, state: Any, situation: Situation, place: tuple[int, ...]) -> int:
    """What the policy orders with `place` = (on hand after receipt, due in 1, in 2…)."""
    lead = len(situation.lead_time) - 1
    underway = tuple(PipelineOrder(q, due, lead - due) for due, q in enumerate(place[1:], start=1) if q)
    asked = Situation(
        situation.item,
        situation.period,
        place[0],
        underway,
        situation.lead_time,
        situation.forecast,
        situation.economics,
    )
    return int(policy.decide(state, asked).quantity + 0.5)


def _table(state: PilQState, situation: Situation, shape: tuple[int, ...]) -> Ints:
    """The same for all states at once, by the rule that the shadows follow."""
    places = np.indices(shape).reshape(len(shape), -1)
    return rule_of(state, situation)(places[0], places[1:]).reshape(shape)


def rule_of(state: PilQState, situation: Situation) -> Callable[[Ints, Ints], Ints]:
    """A frozen pil-q as a function of (on hand, [due in 1, in 2…]) of many places."""
    fixed = (state.item, PilQ().ask(state, situation)[2], menu_of(situation.economics).table, *inputs_of(situation))

    def order(on_hand: Ints, due: Ints) -> Ints:
        """Order in many places at once."""
        # Row a + 1 of the units is a + 1 periods old, so it is due in longest - a - 1.
        units, orders = np.zeros((len(situation.lead_time) + 1, len(on_hand))), np.empty(len(on_hand))
        units[0], units[1 : 1 + len(due)] = on_hand, due[::-1]
        _decide(*fixed, units, orders)
        return orders.astype(np.int64)

    return order


@compiled(ITEM, np.uint8, ARM, TERMS, FORECAST, np.float64, np.float64, (np.float64, 2), np.float64)
def _decide(  # noqa: PLR0913, PLR0917 - what the kernel is given, piece by piece
    item: Records,
    parts: Bytes,
    menu: Records,
    terms: Records,
    forecasts: Records,
    path: Floats,
    lead_time: Floats,
    units: Floats,
    orders: Floats,
) -> None:
    odds, sources, lost = odds_of(lead_time), np.arange(SOURCES), terms[0]["lost"] > 0.0
    seen, ages = beliefs(item[0]["averages"], forecasts, path, odds, np.empty((0, 3)), terms[0]), by_age(odds)
    for number in range(len(orders)):
        flows = np.zeros((len(odds.edges), 3, SOURCES))
        for source in range(SOURCES):
            shadow_arrivals(flows, source, units, number, ages)
        left = stocks_left(np.full(SOURCES, units[0, number]), flows, seen.stretches, sources, odds.landing, lost)
        wanted = together(parts, menu, left, 0, position(units, number), seen, terms[0])
        orders[number] = floor(wanted.quantity + 0.5)


def simulated_cost(
    rules: Sequence[Callable[[Ints, Ints], Ints]], instance: Mapping[str, Any], chains: int = 200, periods: int = 300
) -> Floats:
    """Long-run cost of several frozen rules, where the states are too many: simulated on the same demand.

    The best capped base-stock policy, whose exact cost the suite knows, runs along; its error is taken off.
    """
    lead, holding, shortage = int(instance["L"]), instance["h"], instance["p"]
    capped = instance["heuristics"]["best_capped_base_stock"]
    law = pmf(instance["demand"])
    chance = np.random.default_rng(list(instance["id"].encode()))
    warm_up = 20 * (lead + 1)
    demands = chance.choice(len(law), p=law, size=(periods + warm_up, chains))

    def base(on_hand: Ints, due: Ints) -> Ints:
        ordered: Ints = np.clip(capped["S"] - on_hand - due.sum(axis=0), 0, capped["r"])
        return ordered

    costs = []
    for rule in [*rules, base]:
        stock = np.full(chains, int(law @ np.arange(len(law)) * 2))
        due = np.full((lead - 1, chains), int(law @ np.arange(len(law))))
        paid = 0.0
        for period, demand in enumerate(demands):
            order = rule(stock, due)
            left = stock - demand
            if period >= warm_up:
                paid += float((holding * np.maximum(left, 0) + shortage * np.maximum(-left, 0)).mean())
            stock = np.maximum(left, 0) + due[0]
            due = np.concatenate((due[1:], order[None]))
        costs.append(paid / periods)
    corrected: Floats = np.asarray(costs[:-1]) - costs[-1] + capped["cost"]
    return corrected


def frozen_lots(policy: Policy, state: Any, forecaster: Phases, instance: Mapping[str, Any]) -> float:
    """Exact long-run cost of a frozen (s, S) rule with backorders and no lead time; asked at each position."""
    law = pmf(instance["demand"])
    forecast = forecaster.forecast(0, 1)
    situation = Situation(instance["id"], 10**6, 0, (), (1.0,), forecast, terms_of(instance))
    top = int(forecast.mean * 2 + 20)
    s = next((x for x in range(top, -top, -1) if _ask(policy, state, situation, (x,)) > 0), -top)
    level = s + _ask(policy, state, situation, (s,))
    renewal = Renewal(law, instance["h"], instance["p"], instance["K"])
    return renewal.cost(s, level)
