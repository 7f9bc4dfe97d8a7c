"""Shadow inventories: what stock would be, had each of several ways to order been followed on the same real demand.

Demand is observed, so the outcome of every arm can be computed, not only of the one that acts. The shadows of an item
meet the same demand and the same lead times; a lead time is drawn once a period, for all of them.
"""

import numpy as np

from agents.policies.arrays import Floats
from agents.policies.base import Economics, Situation
from agents.policies.projection.route import route

MOST_UNITS = 2.0**31 - 1.0
NOTHING = np.array(0.0)
"""NumPy is quicker with it than with a number."""
LOST = -1
"""The drawn lead time of an order that never comes."""


class Shadows:
    """Stock and open orders of several inventories, in whole units (held as floats, which NumPy is quickest with).

    >>> shadows = Shadows(np.array([3.0, 9.0]), np.zeros((1, 2)), [0])
    >>> shadows.live(5.0, Economics(1.0, 9.0)).tolist()
    [18.0, 4.0]
    >>> shadows.place(np.array([5.0, 1.0]), 0, 0.0)
    >>> shadows.live(5.0, Economics(1.0, 9.0)).tolist()
    [0.0, 0.0]
    """

    __slots__ = ("drawn", "fees", "pipeline", "stock")

    def __init__(self, stock: Floats, pipeline: Floats, drawn: list[int], fees: Floats | None = None) -> None:
        self.stock = stock
        self.pipeline = pipeline
        """[age, arm]: what was ordered so many reviews ago and is still on its way; row 0 is the last review's."""
        self.drawn = drawn
        """The lead time of each row."""
        self.fees = fees
        """Order costs of the last review, to be paid with the next period."""

    @classmethod
    def alike(cls, situation: Situation, count: int) -> "Shadows":
        """All begin where the item stands."""
        pipeline, drawn = _underway(situation)
        stock = min(max(float(situation.available), -MOST_UNITS), MOST_UNITS)
        return cls(np.full(count, stock), np.repeat(pipeline[:, None], count, axis=1), drawn)

    def beside(self, situation: Situation) -> "Shadows":
        """The shadows, and last the item itself as it stands; to look at, not to live on."""
        pipeline, _ = _underway(situation)
        stock = np.append(self.stock, min(max(float(situation.available), -MOST_UNITS), MOST_UNITS))
        return Shadows(stock, np.concatenate((self.pipeline, pipeline[:, None]), axis=1), self.drawn)

    def live(self, demand: float, terms: Economics) -> Floats:
        """Let a period pass; what it cost each arm."""
        stock, lost = self.stock, terms.stock_out == "lost"
        for age, lead_time in enumerate(self.drawn):
            if lead_time == age:
                stock = stock + self.pipeline[age]
                self.pipeline[age] = 0.0
        left = stock - float(int(demand + 0.5))
        kept = np.maximum(left, NOTHING)
        self.stock = kept if lost else left
        cost: Floats = (terms.holding + terms.shortage) * kept
        cost -= terms.shortage * left
        return cost if self.fees is None else cost + self.fees

    def place(self, orders: Floats, lead_time: int, fee: float) -> None:
        """Order for every arm, and let the open orders grow a review older."""
        self.pipeline[1:] = self.pipeline[:-1]
        self.pipeline[0] = orders
        self.drawn = [lead_time, *self.drawn[:-1]]
        self.fees = np.where(orders > 0.0, fee, 0.0) if fee else None

    def fit(self, longest: int) -> None:
        """Make room for lead times up to `longest`; what is older was lost."""
        rows = longest + 1
        if (have := len(self.drawn)) < rows:
            more = np.zeros((rows - have, self.pipeline.shape[1]))
            self.pipeline = np.concatenate((self.pipeline, more))
            self.drawn = self.drawn + [LOST] * (rows - have)
        elif have > rows:
            for age in range(rows, have):
                if self.drawn[age] >= age:
                    self.stock = self.stock + self.pipeline[age]
            self.pipeline, self.drawn = self.pipeline[:rows].copy(), self.drawn[:rows]

    def position(self) -> Floats:
        """Stock and what is on its way, by arm."""
        return np.asarray(self.stock + self.pipeline.sum(axis=0))


def _underway(situation: Situation) -> tuple[Floats, list[int]]:
    """The item's open orders as a shadow has them, and the lead time of each age.

    Where the lead time is certain, an order that is due at another time than its age says is as old as that makes it.
    """
    way = route(situation.lead_time)
    longest = way.longest
    pipeline, drawn = np.zeros(longest + 1), [LOST] * (longest + 1)
    for order in situation.pipeline:
        age = longest - int(order.due + 0.5) if way.certain else order.age
        row = min(max(age - 1, 0), longest)
        pipeline[row] += min(float(order.quantity), MOST_UNITS)
        drawn[row] = min(row + 1 + int(order.due), longest)
    return pipeline, drawn


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


def admitted(wanted: Floats, shadows: Shadows, terms: Economics) -> Floats:
    """What would be ordered of what is wanted: whole units, the supplier's minimum and multiple, the item's capacity.

    >>> terms = Economics(1.0, 9.0, minimum_order=5, order_multiple=4)
    >>> admitted(np.array([0.2, 3.0, 17.0]), Shadows(np.zeros(3), np.zeros((2, 3)), [1, 1]), terms).tolist()
    [0.0, 8.0, 20.0]
    """
    orders = np.floor(wanted + 0.5)
    if terms.minimum_order > 1:
        orders = np.where(orders > 0.0, np.maximum(orders, terms.minimum_order), 0.0)
    if terms.order_multiple > 1:
        orders = np.ceil(orders / terms.order_multiple) * terms.order_multiple
    if terms.capacity is not None:
        room = np.floor(np.maximum(terms.capacity - shadows.position(), 0.0) / terms.order_multiple)
        room *= terms.order_multiple
        orders = np.minimum(orders, np.where(room >= terms.minimum_order, room, 0.0))
    return orders
