"""Shadow inventories: what stock would be, had each of several ways to order been followed on the same real demand.

Demand is observed, so the outcome of every arm can be computed, not only of the one that acts. The shadows of an item
meet the same demand and the same lead times; a lead time is drawn once a period, for all of them.
"""

import numpy as np
import numpy.typing as npt

from agents.policies.base import Economics
from agents.policies.projection import Floats, Route

Units = npt.NDArray[np.int32]
LOST = -1
"""The drawn lead time of an order that never comes."""


class Shadows:
    """Stock and open orders of several inventories.

    >>> shadows = Shadows.steady(np.array([3.0, 9.0]), 0.0, 0)
    >>> shadows.live(5.0, Economics(1.0, 9.0)).tolist()
    [18.0, 4.0]
    >>> shadows.place(np.array([5, 1]), 0, 0.0)
    >>> shadows.live(5.0, Economics(1.0, 9.0)).tolist()
    [0.0, 0.0]
    """

    __slots__ = ("drawn", "fees", "pipeline", "stock")

    def __init__(self, stock: Units, pipeline: Units, drawn: list[int], fees: Floats) -> None:
        self.stock = stock
        self.pipeline = pipeline
        """[age, arm]: what was ordered so many reviews ago and is still on its way; row 0 is the last review's."""
        self.drawn = drawn
        """The lead time of each row."""
        self.fees = fees
        """Order costs of the last review, to be paid with the next period."""

    @classmethod
    def steady(cls, stock: Floats, flow: float, longest: int) -> "Shadows":
        """Begin as if each arm had been followed for long: `flow` is due in every period to come."""
        arms = len(stock)
        level = np.asarray(np.floor(stock + 0.5), dtype=np.int32)
        pipeline = np.full((longest + 1, arms), int(flow + 0.5), dtype=np.int32)
        pipeline[longest] = 0
        return cls(level, pipeline, [longest] * (longest + 1), np.zeros(arms))

    def live(self, demand: float, terms: Economics) -> Floats:
        """Let a period pass; what it cost each arm."""
        stock = self.stock
        for age, lead_time in enumerate(self.drawn):
            if lead_time == age:
                stock = stock + self.pipeline[age]
                self.pipeline[age] = 0
        left = stock - int(demand + 0.5)
        kept = np.maximum(left, 0)
        self.stock = kept if terms.stock_out == "lost" else left
        cost: Floats = terms.holding * kept + terms.shortage * (kept - left) + self.fees
        return cost

    def place(self, orders: npt.NDArray[np.integer], lead_time: int, fee: float) -> None:
        """Order for every arm, and let the open orders grow a review older."""
        self.pipeline[1:] = self.pipeline[:-1]
        self.pipeline[0] = orders
        self.drawn = [lead_time, *self.drawn[:-1]]
        self.fees = np.where(orders > 0, fee, 0.0) if fee else np.zeros(len(self.stock))

    def fit(self, longest: int) -> None:
        """Make room for lead times up to `longest`; what is older was lost."""
        rows = longest + 1
        if (have := len(self.drawn)) < rows:
            more = np.zeros((rows - have, self.pipeline.shape[1]), dtype=np.int32)
            self.pipeline = np.concatenate((self.pipeline, more))
            self.drawn = self.drawn + [LOST] * (rows - have)
        elif have > rows:
            for age in range(rows, have):
                if self.drawn[age] >= age:
                    self.stock = self.stock + self.pipeline[age]
            self.pipeline, self.drawn = self.pipeline[:rows].copy(), self.drawn[:rows]

    def arrivals(self, way: Route) -> tuple[Floats, Floats | None]:
        """Mean and variance of what arrives at the start of each coming period: [period, arm]."""
        chances = way.arrivals[:, 1:]
        mean = chances @ self.pipeline
        if way.certain:
            return mean, None
        return mean, (chances * (1.0 - chances)) @ np.square(self.pipeline, dtype=np.float64)

    def position(self) -> Units:
        """Stock and what is on its way, by arm."""
        return np.asarray(self.stock + self.pipeline.sum(axis=0), dtype=np.int32)


def drawn_lead_time(lead_time: tuple[float, ...], chance: float) -> int:
    """The lead time that a uniform number stands for, or LOST.

    >>> [drawn_lead_time((0.0, 0.5, 0.25), chance) for chance in (0.2, 0.6, 0.9)]
    [1, 2, -1]
    """
    for periods, share in enumerate(lead_time):
        chance -= share
        if chance < 0.0:
            return periods
    return LOST if chance > 1e-9 else len(lead_time) - 1


def admitted(wanted: Floats, shadows: Shadows, terms: Economics) -> npt.NDArray[np.int64]:
    """What would be ordered of what is wanted: whole units, the supplier's minimum and multiple, the shelf's capacity.

    >>> terms = Economics(1.0, 9.0, minimum_order=5, order_multiple=4)
    >>> admitted(np.array([0.2, 3.0, 17.0]), Shadows.steady(np.zeros(3), 0.0, 1), terms).tolist()
    [0, 8, 20]
    """
    orders = (wanted + 0.5).astype(np.int64)
    if terms.minimum_order > 1:
        orders = np.where(orders > 0, np.maximum(orders, terms.minimum_order), 0)
    if terms.order_multiple > 1:
        orders = -(-orders // terms.order_multiple) * terms.order_multiple
    if terms.capacity is not None:
        room = np.maximum(terms.capacity - shadows.position(), 0) // terms.order_multiple * terms.order_multiple
        orders = np.minimum(orders, np.where(room >= terms.minimum_order, room, 0))
    return orders
