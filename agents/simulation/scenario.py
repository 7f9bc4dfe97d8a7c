"""A scenario for a simulation: a shop, its suppliers and costs, and the policies to compare.

Some have names and are defined here. Any other is a TOML file with the same fields, which `read` reads:

    items = 20
    days = 365
    lead_times = [5, 6, 7, 14]
    loss_chance = 0.02
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from agents.forecasting.base import Forecaster
from agents.policies.base import Economics, Policy
from agents.simulation.closed_loop import DemandHistory, LoopRow, live
from agents.simulation.shop import Shop
from agents.simulation.supplier import Supplier
from schemas.quantities import DAY_MS

MONDAY_MS = 1_704_067_200_000
"""The first of January 2024: a Monday, as the shop's week begins."""
Chance = Annotated[float, Meta(ge=0.0, le=1.0)]


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is simulated; each policy begins with a stock of `opening_days` of mean demand."""

    items: Annotated[int, Meta(ge=1, le=5000)] = 20
    days: Annotated[int, Meta(ge=2, le=3650)] = 365
    seed: Annotated[int, Meta(ge=0)] = 1
    policies: tuple[str, ...] = ("pil-q", "pil", "base-stock", "one-point-two")
    forecaster: str = "ewma"
    lead_times: tuple[Annotated[int, Meta(ge=0, le=365)], ...] = (4,)
    """In periods; one that is listed twice is twice as likely."""
    loss_chance: Chance = 0.0
    partial_chance: Chance = 0.0
    short_chance: Chance = 0.0
    stock_out: Literal["lost", "backorder"] = "lost"
    holding_rate: Annotated[float, Meta(gt=0.0, le=10.0)] = 0.25
    """Cost of holding a unit for a year, as a share of its cost; a lost sale costs the margin."""
    order_cost: Annotated[float, Meta(ge=0.0)] = 0.0
    review_days: Annotated[int, Meta(ge=1, le=90)] = 1
    minimum_order: Annotated[int, Meta(ge=1)] = 1
    order_multiple: Annotated[int, Meta(ge=1)] = 1
    visible_losses: bool = True
    """Whether lost orders are known; otherwise demand is censored by stock-outs."""
    opening_days: Annotated[float, Meta(ge=0.0)] = 7.0


NAMED: Mapping[str, Scenario] = {
    "steady": Scenario(),
    "unreliable-supplier": Scenario(
        lead_times=(3, 5, 7, 10, 14), loss_chance=0.03, partial_chance=0.2, short_chance=0.2
    ),
    "order-costs": Scenario(order_cost=15.0, minimum_order=6, order_multiple=6),
    "backorders": Scenario(stock_out="backorder", lead_times=(7,)),
    "overseas": Scenario(lead_times=(35, 40, 45), review_days=7),
    "unseen-losses": Scenario(visible_losses=False),
}


def read(path: Path) -> Scenario:
    """Read a scenario file; raises ValueError for any other file."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Scenario)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path}: {error}") from error


def play(scenario: Scenario, forecaster: Forecaster, policies: Mapping[str, Policy]) -> Iterator[LoopRow]:
    """Simulate a scenario, and yield every period of every item.

    >>> from agents.forecasting.base import Rhythm
    >>> from agents.forecasting.simple.ewma import Ewma
    >>> from agents.policies.registry import POLICIES
    >>> small = Scenario(items=2, days=30, policies=("pil",))
    >>> rows = list(play(small, Ewma(Rhythm()), {"pil": POLICIES["pil"]()}))
    >>> len(rows), rows == list(play(small, Ewma(Rhythm()), {"pil": POLICIES["pil"]()}))
    (60, True)
    """
    shop = Shop(scenario.seed, scenario.items, scenario.days)
    starts = [MONDAY_MS + day * DAY_MS for day in range(scenario.days + 1)]
    history = DemandHistory([a.sku for a in shop.articles], starts, shop.demand.astype(float), shop.promotion)
    supplier = Supplier(
        seed=scenario.seed,
        lead_times=scenario.lead_times,
        loss_chance=scenario.loss_chance,
        partial_chance=scenario.partial_chance,
        short_chance=scenario.short_chance,
    )
    terms = [_terms(scenario, article.unit_cost, article.price) for article in shop.articles]
    opening = [round(article.model.mean * scenario.opening_days) for article in shop.articles]
    yield from live(
        history, forecaster, policies, supplier, terms, opening=opening, visible_losses=scenario.visible_losses
    )


def _terms(scenario: Scenario, unit_cost: float, price: float) -> Economics:
    """Costs of an article."""
    holding = max(unit_cost * scenario.holding_rate / 365.0, 1e-9)
    shortage = max(price - unit_cost, 0.0)
    return Economics(
        holding,
        shortage,
        scenario.order_cost,
        shortage / (shortage + holding),
        scenario.stock_out,
        scenario.review_days,
        scenario.minimum_order,
        scenario.order_multiple,
    )
