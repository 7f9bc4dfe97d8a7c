"""The terms that hold for an item, each with where it comes from: the item itself, its supplier, its class, a default.

>>> held = held_terms(Terms(unit_cost=2.1, supplier="acme"), SupplierChange("acme", minimum_order=20), None)
>>> [(held[name].value, held[name].origin) for name in ("unit_cost", "minimum_order", "service_level")]
[(2.1, 'item'), (20, 'supplier'), (0.95, 'default')]
"""

from typing import Any, Literal, TypeAlias

import msgspec

from agents.core.situation import economics_of, shortage_basis
from agents.inspection.never_ordered import daily_demand, never_ordered
from agents.inventory.ask_limits import ask_limits
from agents.inventory.card import Card
from agents.inventory.frame import Frame
from agents.inventory.terms import Effective, Said, effective
from schemas.ledger import ClassChange, SupplierChange, Terms
from schemas.quantities import DAY_MS, money

Origin: TypeAlias = Literal["item", "supplier", "class", "price", "default"]
_FIELDS = tuple(name for name in Effective.__struct_fields__ if name != "service_level_stated")


class HeldTerm(msgspec.Struct, frozen=True, array_like=True):
    """A term that holds."""

    value: Any
    origin: Origin


def terms_as_json(card: Card, frame: Frame) -> dict[str, Any]:
    """The terms that hold for an item, what a lost sale costs by them, and what is wrong with them."""
    item, own, settings = card.item, card.said.terms, frame.settings
    terms = card.terms(frame.suppliers)
    held = held_terms(own, frame.suppliers.get(terms.supplier or ""), frame.classes.get(terms.abc))
    demand = item.daily * (terms.lead_time_days + settings.period_ms / DAY_MS)
    economics = economics_of(terms, settings.period_ms, 1, demand)
    never = never_ordered(terms, settings, daily_demand(item))
    return {
        "terms": {name: {"value": term.value, "from": term.origin} for name, term in held.items()},
        "lost_sale": {"cost": money(economics.shortage, settings.currency), "from": shortage_basis(terms)},
        "warnings": [] if never is None else [never],
    }


def held_terms(own: Terms, supplier: SupplierChange | None, abc: ClassChange | None) -> dict[str, HeldTerm]:
    """Every term by its name in `item.configured`, those that only suppliers have included."""
    held, limits = effective(Said(own), supplier), ask_limits(own, supplier, abc)
    values = {"class" if name == "abc" else name: getattr(held, name) for name in _FIELDS}
    values |= {"ask_above_units": limits.units, "ask_above_value": limits.value}
    return {name: HeldTerm(value, _origin(name, own, supplier, abc)) for name, value in values.items()}


def _origin(name: str, own: Terms, supplier: SupplierChange | None, abc: ClassChange | None) -> Origin:
    field = "abc_class" if name == "class" else name
    if getattr(own, field, None) not in {None, msgspec.UNSET}:
        return "item"
    if getattr(supplier, field, None) not in {None, ()}:
        return "supplier"
    if getattr(abc, field, None) is not None:
        return "class"
    return "price" if name == "unit_cost" and isinstance(own.price, float) else "default"
