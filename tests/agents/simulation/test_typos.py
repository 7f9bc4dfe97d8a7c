"""A slip of the pen in a shop's demand never makes an absurd order, however early it comes."""

import numpy as np
import pytest

from agents.forecasting.base import Rhythm
from agents.forecasting.registry import DEFAULT, FORECASTERS
from agents.policies.base import Economics
from agents.policies.registry import DEFAULT as CHAMPION
from agents.policies.registry import POLICIES
from agents.simulation.closed_loop import DemandHistory, live
from agents.simulation.supplier import Supplier
from schemas.quantities import DAY_MS

ITEMS, PERIODS, LEAD_TIME = 24, 60, 3
ABSURD = 10.0
"""Times the greatest demand that the item ever has in a protection interval."""


@pytest.mark.parametrize("forecaster", [DEFAULT, "ewma", "moving-average"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_slip_of_the_pen_makes_an_absurd_order(seed: int, forecaster: str) -> None:
    chance = np.random.default_rng(seed)
    means = np.exp(chance.normal(0.5, 1.0, (ITEMS, 1)))
    true = chance.poisson(means, (ITEMS, PERIODS)).astype(float)
    typed = true.copy()
    for item in range(0, ITEMS, 2):
        typed[item, chance.integers(6, PERIODS - 10)] = max(1.0, true[item].max()) * 10.0 ** chance.integers(2, 5)
    history = DemandHistory([f"I{item}" for item in range(ITEMS)], [n * DAY_MS for n in range(PERIODS + 1)], typed)
    policies = {name: POLICIES[name]() for name in (CHAMPION, "pil", "one-point-two")}
    terms = [Economics(1.0, 99.0, critical_ratio=0.99)] * ITEMS
    supplier = Supplier(seed=seed, lead_times=(LEAD_TIME,))
    sums = np.array([np.convolve(demand, np.ones(LEAD_TIME + 1)).max() for demand in true])
    for row in live(history, FORECASTERS[forecaster](Rhythm()), policies, supplier, terms):
        assert row.ordered <= ABSURD * max(sums[int(row.item[1:])], 1.0), row
