"""Tables over stock, pipeline and orders, swept whole with every observed demand: full-feedback Q-learning.

Gong, Simchi-Levi (2024), "Bandits atop Reinforcement Learning: Tackling Online Inventory Models with Cyclic Demands",
Management Science: with demand observed, every state-action pair learns from every period, at the rate
(H + 1) / (H + k) in the k-th.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
HORIZON = 2.0


def step(k: int, horizon: float = HORIZON) -> float:
    """The learning rate of the k-th visit.

    >>> step(1), step(4)
    (1.0, 0.5)
    """
    return (horizon + 1.0) / (horizon + k)


class LostSalesTable:
    """Q of (on hand, due in 1, …, order), where a missed sale is lost; values are relative to the emptiest state."""

    def __init__(self, q: Floats) -> None:
        self.q = q

    @classmethod
    def start(cls, top_stock: int, top_order: int, lead_time: int) -> "LostSalesTable":
        """Begin with all as good as can be: optimism tries everything."""
        return cls(np.zeros((top_stock + 1, *[top_order + 1] * max(lead_time, 1))))

    def grow(self, top_stock: int, top_order: int) -> None:
        """Make room; new places are worth what their nearest neighbours are."""
        wanted = (top_stock + 1, *[top_order + 1] * (self.q.ndim - 1))
        more = [(0, max(0, want - have)) for want, have in zip(wanted, self.q.shape, strict=True)]
        self.q = np.pad(self.q, more, mode="edge")

    def sweep(self, demand: int, holding: float, shortage: float, fee: float, rate: float) -> None:
        """Let every state-action pair meet this demand: Q ← Q + α (cost + min Q(next) − Q)."""
        q, top = self.q, self.q.shape[0] - 1
        value = q.min(axis=-1)
        stock = np.arange(top + 1)
        left = np.maximum(stock - demand, 0)
        cost = holding * left + shortage * np.maximum(demand - stock, 0)
        orders = np.arange(q.shape[-1])
        rows = np.minimum(left[:, None] + orders[None, :], top)
        target = value[rows] + cost.reshape(-1, *[1] * (q.ndim - 1))
        if fee:
            target = target + np.where(orders > 0, fee, 0.0)
        q += rate * (target - q)
        q -= q.flat[0]

    def best(self, on_hand: int, due: tuple[int, ...]) -> int:
        """The cheapest order in a state."""
        sizes = self.q.shape
        place = tuple(min(max(units, 0), size - 1) for units, size in zip((on_hand, *due), sizes, strict=False))
        return int(self.q[place].argmin())


class LevelTable:
    """Q of the position after ordering, where demand waits or goods come at once: what (s, S) policies are made of.

    With a lowest level of zero what is missing is lost, and with it the lead time has to be zero.
    """

    def __init__(self, q: Floats, lowest: int) -> None:
        self.q = q
        self.lowest = lowest

    @classmethod
    def start(cls, lowest: int, highest: int) -> "LevelTable":
        """Begin with all levels as good as can be."""
        return cls(np.zeros(highest - lowest + 1), lowest)

    def sweep(self, demand: int, served: int, holding: float, shortage: float, fee: float, rate: float) -> None:
        """Let every level meet this demand; `served` is the demand of the lead time and the period after it."""
        levels = self.lowest + np.arange(len(self.q))
        cost = holding * np.maximum(levels - served, 0) + shortage * np.maximum(served - levels, 0)
        before = np.maximum(levels - demand - self.lowest, 0)
        self.q += rate * (cost + self._value(fee)[before] - self.q)
        self.q -= self.q.min()

    def sweep_below(self, held: int, sold: int, holding: float, shortage: float, rate: float) -> None:
        """Let the levels up to the one that was `held` meet a demand of which only is known what was sold of it.

        A unit more would have been sold, or kept: that is known of each unit up to the level, also on a day that sold
        out. Higher ones learn nothing, not even from days that show all demand, which are the quiet ones.
        """
        known = min(held - self.lowest, len(self.q) - 1)
        if known <= 0:
            return
        more = np.diff(self.q)
        units = self.lowest + 1 + np.arange(known)
        more[:known] += rate * (np.where(units <= sold, -shortage, holding) - more[:known])
        self.q = np.concatenate(([0.0], np.cumsum(more)))

    def best(self, position: int, fee: float, doubt: float = 0.0) -> int:
        """The order to the cheapest level at a position; of those within `doubt` of it, to the highest."""
        at = position - self.lowest
        if at >= len(self.q):
            return 0
        start = max(at, 0)
        within = self.q[start:] <= self.q[start:].min() + doubt
        level = start + (int(np.flatnonzero(within)[-1]) if doubt else int(within.argmax()))
        return 0 if at >= 0 and self.q[level] + fee - doubt >= self.q[at] else self.lowest + level - position

    def _value(self, fee: float) -> Floats:
        """Cost of being at a level, free to order from there."""
        from_here = np.minimum.accumulate(self.q[::-1])[::-1]
        return from_here if not fee else np.minimum(self.q, from_here + fee)
