"""Above which a person is asked before something is ordered: limits that planners set for item, supplier or class.

>>> cheap, dear = Terms(ask_above_units=100), Terms(ask_above_units=None, ask_above_value=500.0)
>>> supplier = SupplierChange("acme", ask_above_units=60)
>>> asks(120, 2.0, ask_limits(cheap, supplier, None)), asks(90, 2.0, ask_limits(cheap, supplier, None))
(('ask_above_units',), ())
>>> asks(300, 2.0, ask_limits(dear, supplier, None)), asks(40, 20.0, ask_limits(dear, None, ClassChange("A", 10)))
(('ask_above_units', 'ask_above_value'), ('ask_above_units', 'ask_above_value'))
"""

import msgspec
from msgspec import UNSET

from schemas.ledger import ClassChange, SupplierChange, Terms

ASK_ABOVE_UNITS, ASK_ABOVE_VALUE = "ask_above_units", "ask_above_value"


class AskLimits(msgspec.Struct, frozen=True):
    """The limits that hold for an item; None where there is none."""

    units: int | None = None
    value: float | None = None


def ask_limits(own: Terms, supplier: SupplierChange | None, abc: ClassChange | None) -> AskLimits:
    """What the item's own terms say, else its supplier's, else its class's; each limit for itself."""
    units, value = own.ask_above_units, own.ask_above_value
    others = [other for other in (supplier, abc) if other is not None]
    if units is UNSET or units is None:
        units = next((other.ask_above_units for other in others if other.ask_above_units is not None), None)
    if value is UNSET or value is None:
        value = next((other.ask_above_value for other in others if other.ask_above_value is not None), None)
    return AskLimits(units, value)


def asks(quantity: int, unit_cost: float, limits: AskLimits) -> tuple[str, ...]:
    """Why a person has to be asked about an order of so many units; nothing when nobody has."""
    over = (
        (ASK_ABOVE_UNITS, limits.units is not None and quantity > limits.units),
        (ASK_ABOVE_VALUE, limits.value is not None and quantity * unit_cost > limits.value),
    )
    return tuple(reason for reason, holds in over if holds)
