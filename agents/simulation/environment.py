"""One item's shelf as a Gymnasium environment, for people who bring their own reinforcement learning.

It needs the extra `restock[gymnasium]`. An observation is (on hand, units due in 0, 1, … periods, the last demand), an
action the quantity to order, the reward what a period cost, below zero. In each period: receipts, demand, cost, order;
what is ordered can be sold `lead_time` periods after the next.

>>> from agents.simulation.demand import DemandModel
>>> shelf = ShelfEnvironment(DemandModel(mean=5.0), lead_time=2, periods=30)
>>> first, _ = shelf.reset(seed=7)
>>> first.tolist()
[10.0, 0.0, 0.0, 0.0, 0.0]
>>> shelf.step(6)[0].tolist()
[4.0, 0.0, 0.0, 6.0, 6.0]
"""

from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from agents.simulation.demand import DemandModel

Observation = npt.NDArray[np.float32]
MOST = 1e7


class ShelfEnvironment(gymnasium.Env[Observation, np.int64]):
    """A single item with lost sales or backorders; after `periods` the episode is truncated."""

    def __init__(
        self,
        model: DemandModel | None = None,
        *,
        lead_time: int = 4,
        holding: float = 1.0,
        shortage: float = 19.0,
        order_cost: float = 0.0,
        backorders: bool = False,
        most_ordered: int = 100,
        periods: int = 365,
    ) -> None:
        """Costs are per unit and period, and per order."""
        self.model = model or DemandModel(mean=5.0)
        self.lead_time, self.periods, self.backorders = lead_time, periods, backorders
        self.holding, self.shortage, self.order_cost = holding, shortage, order_cost
        self.observation_space = gymnasium.spaces.Box(
            np.float32(-MOST if backorders else 0.0), np.float32(MOST), (lead_time + 3,), np.float32
        )
        self.action_space = gymnasium.spaces.Discrete(most_ordered + 1)
        self._demand: list[int] = []
        self._period = self._stock = self._last = 0
        self._due: list[int] = []

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin anew with two periods of mean demand on the shelf."""
        super().reset(seed=seed, options=options)
        self._demand = self.model.draw(self.periods, self.np_random).tolist()
        self._period, self._stock, self._last = 0, round(2 * self.model.mean), 0
        self._due = [0] * (self.lead_time + 1)
        return self._seen(), {}

    def step(self, action: np.int64) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Order, then live a period: what was ordered longest ago comes first, then demand."""
        self._due.append(int(action))
        self._stock += self._due.pop(0)
        demand = self._demand[self._period]
        left = self._stock - demand
        cost = self.holding * max(left, 0) + self.shortage * max(-left, 0) + self.order_cost * (int(action) > 0)
        lost = 0 if self.backorders else max(-left, 0)
        self._stock, self._last, self._period = left + lost, demand, self._period + 1
        info = {"demand": demand, "lost": lost, "cost": cost}
        return self._seen(), -float(cost), False, self._period >= self.periods, info

    def _seen(self) -> Observation:
        values = np.array([self._stock, *self._due, self._last], dtype=np.float32)
        return np.clip(values, self.observation_space.low, self.observation_space.high)  # type: ignore[attr-defined]
