"""Projected stock agrees with simulation and with exact theory."""

import numpy as np
import pytest
from scipy.stats import poisson

from agents.forecasting.base import DemandForecast
from agents.policies.base import Economics, PipelineOrder, Situation
from agents.policies.projection.arrivals import arrivals, by_age, shadow_arrivals
from agents.policies.projection.positive_part import positive_part
from agents.policies.projection.route import chance_of, odds_of, route
from agents.policies.projection.stock_left import stocks_left
from agents.policies.rules.lots import lot
from agents.policies.rules.pil import Pil
from agents.policies.rules.target import safety_factor, target

LEAD_TIMES = [
    (1.0,), (0.0, 1.0), (0.0,) * 4 + (1.0,), (0.1, 0.2, 0.3, 0.2), (0.0,) * 14 + (1.0,), (0.0,) * 3 + (1 / 12,) * 12,
]  # fmt: skip


@pytest.mark.parametrize("lead_time", LEAD_TIMES)
def test_an_items_open_orders_arrive_as_those_of_a_shadow(lead_time: tuple[float, ...]) -> None:
    odds, chance = odds_of(np.array(lead_time)), np.random.default_rng(3)
    units = chance.integers(0, 9, (odds.longest + 2, 1)).astype(float)
    units[-1] = 0.0
    orders = np.array([(float(q), odds.longest - age, age, 0.0) for age, (q,) in enumerate(units[1:], start=1)])
    flows, same = np.zeros((2, len(odds.edges), 3, 1))
    shadow_arrivals(flows, 0, units, 0, by_age(odds))
    arrivals(same, orders, odds)
    assert same == pytest.approx(flows)
    assert (odds.longest, odds.certain) == route(lead_time)


@pytest.mark.parametrize("lead_time", LEAD_TIMES[:4])
def test_the_stock_left_is_that_of_a_simulation(lead_time: tuple[float, ...]) -> None:
    """With backorders, and stretches of a period."""
    odds, chance, runs = odds_of(np.array(lead_time)), np.random.default_rng(5), 20_000
    ages = np.arange(1, odds.longest + 1)
    units = np.array([40, *chance.integers(1, 9, len(ages)), 0]).astype(float)[:, None]
    flows = np.zeros((len(odds.edges), 3, 1))
    shadow_arrivals(flows, 0, units, 0, by_age(odds))
    widths = np.diff(odds.edges) * 1.0
    demand, itself = np.array([[4.0 * widths, 9.0 * widths]]), np.zeros(1, np.int64)
    ((mean,), (variance,)) = stocks_left(units[0], flows, demand, itself, odds.landing, False)
    found = np.full(runs, 40.0)
    wait = chance.choice(odds.longest + 1, p=odds.own, size=runs)
    found -= chance.normal(4.0 * wait, 3.0 * np.sqrt(wait))
    for age in ages:
        each = [chance_of(odds, int(age), periods) for periods in range(odds.longest + 1)]
        comes = chance.choice(odds.longest + 2, p=[*each, max(1.0 - sum(each), 0.0)], size=runs)
        found += units[age, 0] * (comes <= wait)
    assert mean == pytest.approx(found.mean(), abs=0.05 * found.std() + 0.2)
    if odds.certain:
        assert variance == pytest.approx(found.var(), rel=0.05, abs=1e-9)


def test_chances_are_those_of_orders_that_are_still_open() -> None:
    odds = odds_of(np.array((0.0, 0.5, 0.5)))
    assert [chance_of(odds, 1, periods) for periods in range(3)] == [0.5, 0.5, 0.0]
    assert odds.wait == 1.5


def test_the_positive_part_of_stock() -> None:
    drawn = np.maximum(np.random.default_rng(1).normal(1.5, 2.0, 400_000), 0.0)
    found = positive_part(1.5, 4.0)
    assert found.mean == pytest.approx(drawn.mean(), rel=0.03)
    assert found.variance == pytest.approx(drawn.var(), rel=0.05)
    assert positive_part(-1e6, 1.0)[0] == 0.0
    assert positive_part(1e6, 1.0) == (1e6, 1.0)


@pytest.mark.parametrize("mean", [5.0, 20.0, 100.0])
@pytest.mark.parametrize("ratio", [0.5, 0.8, 0.9, 0.95, 0.975])
def test_without_lead_time_the_target_is_the_newsvendors(mean: float, ratio: float) -> None:
    found = target(mean, mean, 0.0, safety_factor(ratio), 0.0, 0.0)
    assert abs(found - poisson(mean).ppf(ratio)) <= 1.0


@pytest.mark.parametrize("lead", [0, 2, 4])
@pytest.mark.parametrize("mean, ratio, holding", [(5.0, 0.9, 1.0), (20.0, 0.95, 0.5)])
def test_with_backorders_it_is_base_stock(lead: int, mean: float, ratio: float, holding: float) -> None:
    horizon = lead + 1
    forecast = DemandForecast(horizon, mean * horizon, mean * horizon, (mean * horizon,) * 5, (mean,) * horizon)
    terms = Economics(holding, holding * ratio / (1 - ratio), 0.0, ratio, "backorder")
    situation = Situation(
        "A@X", 1, 3, tuple(PipelineOrder(2, j, 1) for j in range(lead)), (0.0,) * lead + (1.0,), forecast, terms
    )
    wanted = poisson(mean * horizon).ppf(ratio) - situation.position
    assert abs(Pil().decide(None, situation).quantity - wanted) <= 1.0


@pytest.mark.parametrize("mean, s, level", [(10, 6, 40), (20, 14, 62), (40, 33, 87), (65, 56, 75)])
def test_lots_are_near_zheng_and_federgruens(mean: int, s: int, level: int) -> None:
    found = lot(float(mean), float(mean), 0.0, Economics(1.0, 9.0, 64.0, 0.9))
    assert abs(found.low - s) <= 1.5
    assert abs(found.high - level) <= 0.06 * level
