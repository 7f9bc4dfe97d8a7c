"""Slow movers: how often something is sold, times how much then (Teunter, Syntetos and Babai).

Croston's method learns both at sales only, so that an item that died is never forgotten; here the chance of a sale
falls in every period without one.

Teunter, Syntetos, Babai: Intermittent demand: linking forecasting to inventory obsolescence. EJOR 214, 2011.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from agents.forecasting.base import Ahead
from agents.forecasting.simple.simple import SeenPeriod, Simple

CHANCE_RATE, SIZE_RATE = 0.05, 0.1


class Tsb(Simple):
    """Chance of a sale x size of a sale."""

    name: ClassVar[str] = "tsb"

    def begin(self) -> list[float]:
        """Periods and sales seen, chance and size."""
        return [0.0, 0.0, 0.0, 0.0]

    def teach(self, model: Any, before: Sequence[SeenPeriod], newest: SeenPeriod) -> None:
        """Move the chance always, the size at a sale."""
        del before
        model[0] += 1.0
        sold = newest.demand > 0.0
        model[2] += max(CHANCE_RATE, 1.0 / model[0]) * (sold - model[2])
        if sold:
            model[1] += 1.0
            model[3] += max(SIZE_RATE, 1.0 / model[1]) * (newest.demand - model[3])

    def foresee(self, seen: Sequence[SeenPeriod], ahead: Sequence[Ahead], model: Any) -> Sequence[float]:
        """The same mean for every period."""
        del seen
        return [model[2] * model[3]] * len(ahead)
