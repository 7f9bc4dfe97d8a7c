"""What planners said of an item, and what holds for it once supplier and defaults have filled the gaps.

>>> said = Said()
>>> said.change(Terms(unit_cost=2.1, lead_time_days=4.0, supplier="acme"))
>>> said.change(Terms(lead_time_days=None))
>>> held = effective(said, SupplierChange("acme", minimum_order=20))
>>> held.unit_cost, held.lead_time_days, held.minimum_order, held.service_level
(2.1, 7.0, 20, 0.95)
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET

from schemas.ledger import Milliseconds, Priced, PromotionPlanned, SupplierChange, Terms
from schemas.stored import decoder_of

LEAD_TIME_DAYS = 7.0
"""Where neither item nor supplier has one: a week."""
SERVICE_LEVEL = 0.95
HOLDING_RATE = 0.25
"""A year's cost of holding, as a share of the unit cost: capital, room, decay. A usual textbook figure."""
_FIELDS = tuple(Terms.__struct_fields__)


class Said(msgspec.Struct, array_like=True, gc=False):
    """What planners said of one item, as far as it still matters."""

    terms: Terms = Terms()
    prices: list[Priced] = []
    """Oldest first; those that no open period needs any more are gone."""
    promotions: list[PromotionPlanned] = []

    def change(self, terms: Terms) -> None:
        """Take in a change: what is unset stays, None goes back to the default."""
        old = self.terms
        merged = {name: getattr(old if getattr(terms, name) is UNSET else terms, name) for name in _FIELDS}
        self.terms = Terms(**{name: UNSET if value is None else value for name, value in merged.items()})

    def reprice(self, change: Priced) -> None:
        """Take in a price; of two that begin at once the later one stands."""
        kept = [price for price in self.prices if price.effective_at != change.effective_at]
        self.prices = sorted([*kept, change], key=lambda price: price.effective_at)

    def plan_promotion(self, change: PromotionPlanned) -> None:
        """Take in a promotion of the item; a plan under the same name is replaced."""
        self.promotions = [*(p for p in self.promotions if p.promotion != change.promotion), change]

    def drop_promotion(self, promotion: str) -> None:
        """Take a planned promotion back."""
        self.promotions = [p for p in self.promotions if p.promotion != promotion]

    def forget(self, before: Milliseconds) -> bool:
        """Drop what ended before a moment; answers whether there was anything."""
        held = len(self.prices) + len(self.promotions)
        passed = sum(1 for price in self.prices if price.effective_at <= before)
        self.prices = self.prices[max(0, passed - 1) :]
        self.promotions = [promotion for promotion in self.promotions if promotion.ends > before]
        return len(self.prices) + len(self.promotions) < held


class Effective(msgspec.Struct, frozen=True, kw_only=True):
    """The terms that hold."""

    unit_cost: float
    price: float | None
    holding_rate: float
    order_cost: float
    shortage_cost: float | None
    service_level: float
    service_level_stated: bool = False
    """Whether a planner stated it; else it is the default."""
    lead_time_days: float
    review_period_days: float | None
    supplier: str | None
    minimum_order: int
    order_multiple: int
    capacity: int | None
    stock_out: Literal["lost", "backorder"]
    fulfilment: Literal["immediate", "reserve"]
    lifecycle: Literal["active", "phase_out"]
    abc: str
    mode: Literal["act", "approve"]
    policy: str | None
    forecaster: str | None
    reorder_point: int | None
    order_up_to: int | None
    low_stock: int | None
    order_days: tuple[str, ...]


def effective(said: Said, supplier: SupplierChange | None) -> Effective:
    """What holds: the item's own terms, else its supplier's, else the defaults."""
    terms = said.terms

    def own(value: Any, default: Any) -> Any:
        return default if value is UNSET or value is None else value

    suppliers = supplier or SupplierChange("")
    price = own(terms.price, None)
    return Effective(
        unit_cost=own(terms.unit_cost, price if price is not None else 1.0),
        price=price,
        holding_rate=own(terms.holding_rate, HOLDING_RATE),
        order_cost=own(terms.order_cost, 0.0),
        shortage_cost=own(terms.shortage_cost, None),
        service_level=own(terms.service_level, SERVICE_LEVEL),
        service_level_stated=own(terms.service_level, None) is not None,
        lead_time_days=own(terms.lead_time_days, own(suppliers.lead_time_days, LEAD_TIME_DAYS)),
        review_period_days=own(terms.review_period_days, None),
        supplier=own(terms.supplier, None),
        minimum_order=max(1, own(terms.minimum_order, own(suppliers.minimum_order, 1))),
        order_multiple=max(1, own(terms.order_multiple, own(suppliers.order_multiple, 1))),
        capacity=own(terms.capacity, None),
        stock_out=own(terms.stock_out, "lost"),
        fulfilment=own(terms.fulfilment, "immediate"),
        lifecycle=own(terms.lifecycle, "active"),
        abc=own(terms.abc_class, "C"),
        mode=own(terms.mode, "act"),
        policy=own(terms.policy, None),
        forecaster=own(terms.forecaster, None),
        reorder_point=own(terms.reorder_point, None),
        order_up_to=own(terms.order_up_to, None),
        low_stock=own(terms.low_stock, None),
        order_days=suppliers.order_days,
    )


encode_said = msgspec.msgpack.Encoder().encode
decode_said = decoder_of(Said, "what was said of an item")
