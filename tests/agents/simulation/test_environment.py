"""The Gymnasium environment keeps Gymnasium's own rules, and adds up."""

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from agents.simulation.demand import DemandModel
from agents.simulation.environment import ShelfEnvironment


@pytest.mark.parametrize("lead_time", [0, 4])
@pytest.mark.parametrize("backorders", [True, False])
def test_gymnasium_finds_no_fault(lead_time: int, backorders: bool) -> None:  # noqa: FBT001
    check_env(ShelfEnvironment(lead_time=lead_time, backorders=backorders), skip_render_check=True)


def test_an_order_comes_after_its_lead_time_and_costs_add_up() -> None:
    shelf = ShelfEnvironment(DemandModel(mean=3.0), lead_time=2, periods=40, order_cost=5.0)
    seen, _ = shelf.reset(seed=3)
    stock, orders = float(seen[0]), []
    for period in range(40):
        orders.append(period % 7)
        seen, reward, terminated, truncated, info = shelf.step(np.int64(orders[-1]))
        stock += orders[period - 3] if period >= 3 else 0
        left = stock - info["demand"]
        stock = max(left, 0.0)
        assert seen[0] == stock
        assert info["lost"] == max(-left, 0.0)
        assert reward == -(stock + 19.0 * max(-left, 0.0) + 5.0 * (orders[-1] > 0))
        assert (terminated, truncated) == (False, period == 39)
