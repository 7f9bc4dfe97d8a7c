"""The figures a planner watches, over about the last year, from sums that fade.

Every sum loses the share period ÷ year of itself when a period is added, so that a figure speaks of the last year or
so and needs no memory of single periods. The holding cost alone is the last period's.

- *turnover*: units sold a year over mean units on hand (Silver, Pyke, Thomas: Inventory and Production Management in
  Supply Chains, 4th ed., section 1.4).
- *days of supply*: available over the expected demand of a day.
- *holding cost*: what the stock on hand at the end of the period cost to hold for one.
- *stock-out rate*: share of periods that ended without available stock.
- *fill rate*: share of demand served from stock.

>>> figures = KpiSums()
>>> figures.add(demand=10, unserved=2, on_hand=20, available=20, holding=0.1, period_days=1.0)
>>> figures.fill_rate, figures.turnover(1.0), figures.stock_out_rate, figures.holding_cost
(0.8, 146.0, 0.0, 2.0)
"""

import msgspec

YEAR_DAYS = 365.0


class KpiSums(msgspec.Struct, array_like=True, gc=False):
    """Fading sums over an item's periods."""

    periods: float = 0.0
    dry: float = 0.0
    """Periods that ended without available stock."""
    demand: float = 0.0
    served: float = 0.0
    on_hand: float = 0.0
    holding_cost: float = 0.0
    """Of the last period."""

    def add(
        self, *, demand: int, unserved: int, on_hand: int, available: int, holding: float, period_days: float
    ) -> None:
        """Take in a closed period."""
        keep = max(0.0, 1.0 - period_days / YEAR_DAYS)
        stock = max(0, on_hand)
        self.periods = keep * self.periods + 1.0
        self.dry = keep * self.dry + (available <= 0)
        self.demand = keep * self.demand + demand
        self.served = keep * self.served + max(0, demand - unserved)
        self.on_hand = keep * self.on_hand + stock
        self.holding_cost = stock * holding

    def correct(self, units: float, periods_ago: int, period_days: float) -> None:
        """Change the demand of a period that was taken in; what comes late was served, and nothing else."""
        if periods_ago < self.periods:
            faded = max(0.0, 1.0 - period_days / YEAR_DAYS) ** periods_ago * units
            self.demand = max(0.0, self.demand + faded)
            self.served = min(self.served + max(0.0, faded), self.demand)

    def turnover(self, period_days: float) -> float | None:
        """Units sold a year over mean units on hand; None while nothing was ever on hand."""
        return self.served / self.on_hand * YEAR_DAYS / period_days if self.on_hand > 0.0 else None

    @property
    def stock_out_rate(self) -> float | None:
        """Share of periods that ended without available stock."""
        return self.dry / self.periods if self.periods > 0.0 else None

    @property
    def fill_rate(self) -> float | None:
        """Share of demand served from stock; None while there was no demand."""
        return self.served / self.demand if self.demand > 0.0 else None
