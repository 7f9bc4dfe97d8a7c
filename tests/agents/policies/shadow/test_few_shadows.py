"""FewShadows in plain numbers live as shadows in the kernel do."""

import numpy as np
import pytest

from agents.forecasting.base import DemandForecast
from agents.policies.base import Economics, Situation
from agents.policies.shadow.few_shadows import FewShadows
from agents.policies.shadow.shadows import LOST, fitted, place, serve
from agents.policies.terms import terms_of


@pytest.mark.parametrize("stock_out", ["lost", "backorder"])
@pytest.mark.parametrize("seed", range(5))
def test_plain_numbers_and_arrays_cost_the_same(stock_out: str, seed: int) -> None:
    chance, terms = np.random.default_rng(seed), Economics(1.0, 9.0, 16.0, stock_out=stock_out)  # type: ignore[arg-type]
    longest = 3
    units, drawn = np.zeros((longest + 2, 2)), np.full(longest + 1, LOST)
    units[0] = 7.0
    costs, fee = np.empty(2), 0.0
    few = FewShadows([7, 7], [[0] * (longest + 1) for _ in range(2)], [LOST] * (longest + 1))
    for period in range(60):
        demand = float(chance.poisson(5.0))
        serve(units, drawn, demand, terms_of(terms)[0], fee, costs)
        assert few.live(demand, terms) == pytest.approx(costs.tolist())
        if period % 20 == 19:
            longest = int(chance.integers(0, 6))
            units, drawn = fitted(units, drawn, longest)
            few.fit(longest)
        orders, lead_time = chance.integers(0, 12, 2).tolist(), int(chance.integers(LOST, longest + 1))
        place(units, drawn, np.array(orders, dtype=float), lead_time)
        fee = terms.order_cost
        few.place(orders, lead_time, terms.order_cost)
        assert few.stock == units[0].tolist()
        assert few.pipelines == units[1:].T.tolist()


def test_a_challenger_reckons_with_the_interval_that_is_likely_as_the_champion_does() -> None:
    longest = DemandForecast(10, 50.0, 50.0, (50.0,) * 5, (5.0,) * 10)
    likely = DemandForecast(6, 30.0, 30.0, (30.0,) * 5, (5.0,) * 6)
    now = Situation("TEA-01@BER1", 9, 20, (), (0.0, 0.5, 0.5), longest, Economics(1.0, 9.0), likely=likely)
    assert FewShadows.alike(now, 1).own(now, 0).protection == likely
