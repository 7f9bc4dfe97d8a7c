"""Shadow inventories in plain numbers: for a handful of them this is quicker than the arrays of `Shadows`."""

from collections.abc import Sequence

from agents.policies.base import Economics, PipelineOrder, Situation
from agents.policies.projection.route import route
from agents.policies.shadow.shadows import LOST, MOST_UNITS

MOST = int(MOST_UNITS)


class FewShadows:
    """Stock and open orders of each contestant, in whole units.

    >>> shadows = FewShadows([3, 9], [[0], [0]], [0])
    >>> shadows.live(5.0, Economics(1.0, 9.0))
    [18.0, 4.0]
    >>> shadows.place([5, 1], 0, 0.0)
    >>> shadows.live(5.0, Economics(1.0, 9.0)), shadows.stock
    ([0.0, 0.0], [0, 0])
    """

    __slots__ = ("drawn", "fees", "pipelines", "stock")

    def __init__(
        self, stock: list[int], pipelines: list[list[int]], drawn: list[int], fees: list[float] | None = None
    ) -> None:
        self.stock = stock
        self.pipelines = pipelines
        """By contestant: what was ordered so many reviews ago and is still on its way, the last review's first."""
        self.drawn = drawn
        """The lead time that each review's orders have."""
        self.fees = fees or [0.0] * len(stock)
        """Order costs of the last review, to be paid with the next period."""

    @classmethod
    def alike(cls, situation: Situation, contestants: int) -> "FewShadows":
        """All begin where the item stands."""
        longest = route(situation.lead_time).longest
        pipeline, drawn = [0] * (longest + 1), [LOST] * (longest + 1)
        for order in situation.pipeline:
            row = min(max(order.age - 1, 0), longest)
            pipeline[row] += min(order.quantity, MOST)
            drawn[row] = min(row + 1 + int(order.due), longest)
        stock = max(min(situation.available, MOST), -MOST)
        return cls([stock] * contestants, [pipeline[:] for _ in range(contestants)], drawn)

    def live(self, demand: float, terms: Economics) -> list[float]:
        """Let a period pass; what it cost each."""
        arrived = [age for age, lead_time in enumerate(self.drawn) if lead_time == age]
        units, lost, stock, costs = int(demand + 0.5), terms.stock_out == "lost", self.stock, []
        for number, pipeline in enumerate(self.pipelines):
            left = stock[number] - units
            for age in arrived:
                left += pipeline[age]
                pipeline[age] = 0
            costs.append((terms.holding * left if left > 0 else -terms.shortage * left) + self.fees[number])
            stock[number] = 0 if lost and left < 0 else left
        return costs

    def place(self, orders: Sequence[int], lead_time: int, fee: float) -> None:
        """Order for each, and let the open orders grow a review older."""
        for pipeline, units in zip(self.pipelines, orders, strict=True):
            pipeline.pop()
            pipeline.insert(0, units)
        self.drawn.pop()
        self.drawn.insert(0, lead_time)
        self.fees = [fee if units > 0 else 0.0 for units in orders]

    def fit(self, longest: int) -> None:
        """Make room for lead times up to `longest`; what is older was lost."""
        rows = longest + 1
        more = [0] * (rows - len(self.drawn))
        for number, pipeline in enumerate(self.pipelines):
            for age in range(rows, len(pipeline)):
                if self.drawn[age] >= age:
                    self.stock[number] += pipeline[age]
            pipeline[:] = pipeline[:rows] + more
        self.drawn = self.drawn[:rows] + [LOST] * len(more)

    def own(self, situation: Situation, number: int) -> Situation:
        """The situation as it would be, had this contestant acted all along."""
        pipeline = self.pipelines[number]
        last = len(pipeline) - 1
        underway = tuple(
            [
                PipelineOrder(units, float(last - age if age < last else 0), age)
                for age, units in enumerate(pipeline, start=1)
                if units
            ][::-1]
        )
        return Situation(
            situation.item,
            situation.period,
            self.stock[number],
            underway,
            situation.lead_time,
            situation.forecast,
            situation.economics,
            situation.may_order,
            situation.likely,
        )
