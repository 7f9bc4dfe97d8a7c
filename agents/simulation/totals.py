"""Adds up what a policy cost and served over many items and periods, and puts items into classes by their value."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from agents.simulation.closed_loop import DemandHistory, LoopRow

SHARES = {"A": 0.8, "B": 0.95, "C": 1.0}
"""Class A are the items that make the first 80 % of the value, B those up to 95 %."""


class RunTotals(msgspec.Struct):
    """The totals of one policy."""

    cost: float = 0.0
    demand: int = 0
    sold: int = 0
    on_hand: int = 0
    ordered: int = 0
    orders: int = 0
    periods: int = 0

    def add(self, row: LoopRow) -> None:
        """Count one period."""
        self.cost += row.cost
        self.demand += row.demand
        self.sold += min(row.sold, max(row.on_hand, 0))
        self.on_hand += max(row.on_hand, 0)
        self.ordered += row.ordered
        self.orders += row.ordered > 0
        self.periods += 1

    def figures(self) -> dict[str, float]:
        """Cost, share of demand served from stock, mean stock, number of orders."""
        return {
            "cost": round(self.cost, 4),
            "fill_rate": round(self.sold / self.demand, 5) if self.demand else 1.0,
            "mean_stock": round(self.on_hand / max(1, self.periods), 4),
            "ordered": self.ordered,
            "orders": self.orders,
        }


def values_of(history: DemandHistory) -> npt.NDArray[np.float64]:
    """Demand of each item times its last price; where no price is known it is 1.

    >>> demand, price = np.array([[1.0, 2.0], [4.0, 4.0]]), np.array([[9.0, np.nan], [np.nan, np.nan]])
    >>> values_of(DemandHistory(["TEA-01", "MUG-02"], [0, 1, 2], demand, price=price)).tolist()
    [27.0, 8.0]
    """
    prices = np.ones(len(history.items))
    if history.price is not None:
        for number, known in enumerate(history.price):
            seen = known[~np.isnan(known)]
            prices[number] = seen[-1] if len(seen) else 1.0
    values: npt.NDArray[np.float64] = history.demand.sum(axis=1) * prices
    return values


def classes(values: npt.NDArray[np.float64] | Sequence[float]) -> list[str]:
    """The class of each item, by its value.

    >>> classes([70.0, 1.0, 15.0, 14.0])
    ['A', 'C', 'A', 'B']
    """
    value = np.asarray(values, dtype=float)
    order = np.argsort(-value, kind="stable")
    before = np.cumsum(value[order]) - value[order]
    shares = before / max(float(value.sum()), 1e-12)
    found = [""] * len(value)
    for number, share in zip(order.tolist(), shares.tolist(), strict=True):
        found[number] = next((kind for kind, end in SHARES.items() if share < end), "C")
    return found
