"""Demand of one article, day by day: a level that moves, and counts drawn around it."""

from typing import Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

Pattern: TypeAlias = Literal["poisson", "lumpy", "intermittent"]
Floats: TypeAlias = npt.NDArray[np.float64]
Counts: TypeAlias = npt.NDArray[np.int64]


class Promotion(msgspec.Struct, frozen=True):
    """Demand times `uplift` from day `first` to day `last`, and less for a while after: people have stocked up."""

    first: int
    last: int
    discount: float
    uplift: float
    dip: float = 0.85


class DemandModel(msgspec.Struct, frozen=True, kw_only=True):
    """How one article sells.

    >>> model = DemandModel(mean=4.0, week=(1, 1, 1, 1, 1, 2, 0), trend=0.5)
    >>> [float(level) for level in model.levels(7).round(2)]
    [4.0, 4.01, 4.01, 4.02, 4.02, 8.05, 0.0]
    """

    mean: float
    pattern: Pattern = "poisson"
    dispersion: float = 0.5
    """Of a lumpy article: variance = mean + dispersion x mean²."""
    sale_chance: float = 0.2
    """Of an intermittent article: the share of days on which it sells at all."""
    week: tuple[float, ...] = (1.0,) * 7
    """Factor of each weekday; day 0 of the simulation is the first of them."""
    year_amplitude: float = 0.0
    year_peak_day: int = 340
    trend: float = 0.0
    """Growth a year: 0.5 is half as much again."""
    launched: int = 0
    """First day on sale; nothing sells before."""
    promotions: tuple[Promotion, ...] = ()

    def levels(self, days: int) -> Floats:
        """Mean demand of each day."""
        day = np.arange(days)
        level = self.mean * np.asarray(self.week, dtype=float)[day % len(self.week)]
        level = level * (1.0 + self.year_amplitude * np.cos(2.0 * np.pi * (day - self.year_peak_day) / 365.0))
        level = level * (1.0 + self.trend * day / 365.0)
        for promotion in self.promotions:
            length = promotion.last - promotion.first + 1
            level[promotion.first : promotion.last + 1] *= promotion.uplift
            level[promotion.last + 1 : promotion.last + 1 + length] *= promotion.dip
        level[: self.launched] = 0.0
        return np.asarray(np.maximum(level, 0.0), dtype=float)

    def draw(self, days: int, chance: np.random.Generator) -> Counts:
        """Demand of each day."""
        levels = self.levels(days)
        if self.pattern == "lumpy":
            shape = 1.0 / self.dispersion
            return chance.poisson(levels * chance.gamma(shape, self.dispersion, days)).astype(np.int64)
        if self.pattern == "intermittent":
            sells = chance.random(days) < self.sale_chance
            return np.asarray(
                sells * (levels > 0) * (1 + chance.poisson(np.maximum(levels / self.sale_chance - 1.0, 0.0)))
            )
        return chance.poisson(levels).astype(np.int64)

    def planned(self, days: int) -> Floats:
        """The promotion level of each day, 0 to 1, known in advance."""
        plan = np.zeros(days)
        for promotion in self.promotions:
            plan[promotion.first : promotion.last + 1] = promotion.discount
        return plan
