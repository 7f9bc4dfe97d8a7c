"""A shop: a few hundred articles that sell in different ways, a year of their demand, and what was planned."""

from functools import cached_property

import msgspec
import numpy as np

from agents.simulation.demand import Counts, DemandModel, Floats, Pattern, Promotion
from agents.simulation.seeds import generator

WEEK = (0.9, 0.85, 0.9, 1.0, 1.25, 1.4, 0.7)
"""A grocer's week, Monday first."""


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """One thing on the shelf: what it costs, and how it sells."""

    sku: str
    unit_cost: float
    price: float
    model: DemandModel


class Shop:
    """Articles and their demand: `demand[i, d]` units of `articles[i]` on day d; the same for the same seed.

    >>> shop = Shop(seed=3, items=4, days=30)
    >>> [article.sku for article in shop.articles]
    ['SKU-0001', 'SKU-0002', 'SKU-0003', 'SKU-0004']
    >>> shop.demand.shape, bool((shop.demand == Shop(3, 4, 30).demand).all())
    ((4, 30), True)
    """

    def __init__(self, seed: int, items: int, days: int) -> None:
        self.seed = seed
        self.days = days
        self.articles = tuple(_article(seed, number, days) for number in range(1, items + 1))

    @cached_property
    def demand(self) -> Counts:
        """Units asked for, by article and day."""
        drawn = [a.model.draw(self.days, generator(self.seed, "demand", a.sku)) for a in self.articles]
        return np.stack(drawn) if drawn else np.zeros((0, self.days), dtype=np.int64)

    @cached_property
    def promotion(self) -> Floats:
        """Promotion level, 0 to 1, by article and day."""
        planned = [a.model.planned(self.days) for a in self.articles]
        return np.stack(planned) if planned else np.zeros((0, self.days))


def _article(seed: int, number: int, days: int) -> Article:
    """Invent an article: half sell steadily, a quarter in lumps, a quarter now and then; a few are new."""
    sku = f"SKU-{number:04d}"
    chance = generator(seed, "article", sku)
    pattern: Pattern = ("poisson", "poisson", "lumpy", "intermittent")[int(chance.integers(4))]
    mean = float(np.exp(chance.normal(-0.7 if pattern == "intermittent" else 1.4, 0.8)))
    unit_cost = round(float(np.exp(chance.normal(1.5, 0.7))), 2)
    model = DemandModel(
        mean=round(mean, 3),
        pattern=pattern,
        dispersion=round(float(chance.uniform(0.2, 0.8)), 2),
        sale_chance=round(float(chance.uniform(0.1, 0.4)), 2),
        week=WEEK if pattern != "intermittent" else (1.0,) * 7,
        year_amplitude=round(float(chance.uniform(0.0, 0.4)), 2),
        year_peak_day=int(chance.integers(365)),
        trend=round(float(chance.normal(0.0, 0.2)), 2),
        launched=int(chance.integers(1, max(2, days // 2))) if chance.random() < 0.05 else 0,
        promotions=_promotions(chance, days) if pattern != "intermittent" else (),
    )
    return Article(
        sku=sku, unit_cost=unit_cost, price=round(unit_cost * float(chance.uniform(1.4, 2.5)), 2), model=model
    )


def _promotions(chance: np.random.Generator, days: int) -> tuple[Promotion, ...]:
    """A week on offer every quarter or so, for one article in two."""
    if chance.random() < 0.5:
        return ()
    firsts = range(int(chance.integers(20, 90)), days, int(chance.integers(70, 120)))
    return tuple(
        Promotion(first, first + 6, discount, uplift=round(1.0 + discount * float(chance.uniform(2.0, 6.0)), 2))
        for first, discount in ((first, round(float(chance.choice([0.1, 0.2, 0.3])), 2)) for first in firsts)
    )
