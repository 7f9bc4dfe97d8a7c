"""The figures of a demo: what the picture shows while it runs, and the table at its end."""

import time
from collections import Counter, deque

import msgspec

CHARTED_DAYS = 72
"""As many as fit on a terminal of 80 columns."""


class SeenReview(msgspec.Struct):
    """One day of the item in the chart."""

    demand: int
    forecast: float


class DemoFigures(msgspec.Struct):
    """Everything counted so far."""

    days: int
    items: int
    charted: str
    metrics: str
    begun: float = msgspec.field(default_factory=time.monotonic)
    ended: float | None = None
    day: int = 0
    events: int = 0
    orders: int = 0
    refused: int = 0
    lines: int = 0
    sent_twice: int = 0
    """Order lines that were published a second time."""
    demand: int = 0
    lost: int = 0
    stock_outs: int = 0
    """Days on which an item could not serve all its demand."""
    replenishments: int = 0
    units_ordered: int = 0
    proposals: int = 0
    """Orders beyond what facts explain, which the planner declined."""
    last_replenishment: str = ""
    repeated_orders: int = 0
    """Replenishments that came a second time: a broken promise."""
    reviews: int = 0
    late: int = 0
    compared: int = 0
    """Times the worker's stock of an item was compared with the shelf."""
    cost: float = 0.0
    """Of holding what lay on the shelves, and of the margin of what could not be sold."""
    ledger: dict[str, float] = {}
    """The worker's own cost ledger: champion, baseline and challengers, each in a shadow of the shop."""
    reference: float = 0.0
    """The same under forecast × 1.2."""
    reference_fill_rate: float = 1.0
    hindsight: float = 0.0
    """The same with the best constant level of each item, chosen afterwards."""
    on_hand: int = 0
    """Units on the shelves at the ends of all days."""
    alerts_for_people: int = 0
    """Raised with severity critical or warning."""
    alerts_open: Counter[str] = msgspec.field(default_factory=Counter)
    alerts_raised: Counter[str] = msgspec.field(default_factory=Counter)
    chart: deque[SeenReview] = msgspec.field(default_factory=lambda: deque(maxlen=CHARTED_DAYS))
    policies: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def seconds(self) -> float:
        """From the first event to the last decision, or to now."""
        return (self.ended or time.monotonic()) - self.begun

    @property
    def rate(self) -> float:
        """Events published a second."""
        return self.events / max(self.seconds, 1e-9)

    @property
    def policy(self) -> str:
        """Who acts; where several do, who acted most."""
        return next((name for name, _ in self.policies.most_common(1)), "nobody yet")

    @property
    def saving(self) -> str:
        """The cost below the reference's, as a share of it."""
        return f"{1.0 - self.cost / self.reference:.1%}" if self.reference else "–"

    @property
    def days_of_supply(self) -> float:
        """How long the mean stock would have lasted at the mean demand."""
        return self.on_hand / self.demand if self.demand else 0.0

    @property
    def alert_rate(self) -> float:
        """Alerts that a person should read, per 100 items and day."""
        return 100.0 * self.alerts_for_people / max(1, self.items * self.day)

    @property
    def cheapest_shadow(self) -> str:
        """The champion's shadow against the cheapest of the others."""
        others = {name: cost for name, cost in self.ledger.items() if name != "champion" and cost > 0.0}
        if not others:
            return "–"
        name = min(others, key=others.__getitem__)
        return f"{self.ledger['champion'] / others[name]:.2f} × {name}"

    @property
    def contest(self) -> str:
        """The cost ledger in a line."""
        return ", ".join(f"{name} {cost:,.0f}" for name, cost in self.ledger.items()) + " EUR"

    @property
    def fill_rate(self) -> float:
        """Share of demand served from the shelf."""
        return 1.0 - self.lost / self.demand if self.demand else 1.0
