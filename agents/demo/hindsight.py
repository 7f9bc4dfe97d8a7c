"""What the best constant levels would have cost: a bar that nobody can know in advance, since it is chosen afterwards.

Each item is ordered up to one level at the end of every day, with the same demand, suppliers and packs; of a dozen
levels the cheapest counts.
"""

from math import ceil

from agents.demo.goods import Assortment, Good
from agents.demo.reference import cost_of
from agents.simulation.supplier import Supplier
from agents.simulation.warehouse import SimulatedShelf

FACTORS = (0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.7, 2.0, 2.4, 3.0, 4.0)
"""Of the demand expected until the next order arrives."""


def best_constant_levels(assortment: Assortment, days: int) -> float:
    """The cost of the whole shop, each item at its own best level."""
    demand = assortment.shop.demand[:, :days].tolist()
    return sum(
        min(
            _cost(good, assortment.suppliers[good.source.name], demand[good.number], level)
            for level in _levels(good, demand[good.number])
        )
        for good in assortment.goods
    )


def _levels(good: Good, demand: list[int]) -> list[int]:
    expected = sum(demand) / max(1, len(demand)) * (max(good.source.lead_times) + 1)
    return sorted({ceil(factor * expected) for factor in FACTORS})


def _cost(good: Good, supplier: Supplier, demand: list[int], level: int) -> float:
    shelf, cost = SimulatedShelf(on_hand=good.opening), 0.0
    for day, asked in enumerate(demand):
        cost += cost_of(good, shelf.live(asked))
        missing = level - shelf.on_hand - shelf.on_order
        if missing > 0:
            quantity = ceil(missing / good.pack) * good.pack
            shelf.order(supplier.deliver(f"{good.name} {day} 1", quantity))
    return cost
