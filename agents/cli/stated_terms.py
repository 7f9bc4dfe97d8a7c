"""The terms that a file of events states, item by item, and those among them under which never ordering is cheapest.

What the file does not state has its default here, whatever was published before.

>>> from schemas.inbound import SupplierConfigured
>>> stated = StatedTerms(FoldSettings())
>>> dear = ItemConfigured(sku="TEA", location="BER1", unit_cost="4.00 EUR", shortage_cost="0.01 EUR", supplier="acme")
>>> stated.take(dear) is None, stated.take(SupplierConfigured(supplier="acme", minimum_order=5_000)) is None
(True, True)
>>> stated.take(dear)
'never ordering is cheapest even at 10 a day, since a lost sale costs 0.01, but it costs at least 0.69 to have a unit \
there: no order is below 5,000 units, and holding a unit costs 0.00274 a period; state a higher shortage_cost, or a \
lower minimum_order'
"""

from agents.inspection.never_ordered import never_ordered
from agents.intake.movements import notice_of, terms_of
from agents.inventory.terms import Said, effective
from schemas.inbound import Inbound, ItemConfigured, SupplierConfigured
from schemas.ledger import FoldSettings, SupplierChange
from schemas.quantities import item


class StatedTerms:
    """What a file has stated so far."""

    def __init__(self, settings: FoldSettings) -> None:
        self._settings = settings
        self._said: dict[str, Said] = {}
        self._suppliers: dict[str, SupplierChange] = {}

    def take(self, data: Inbound) -> str | None:
        """Take in the next event; a warning where it states terms of an item under which no order pays."""
        if isinstance(data, SupplierConfigured):
            change = notice_of(data)
            if isinstance(change, SupplierChange):
                self._suppliers[change.supplier] = change
        if not isinstance(data, ItemConfigured):
            return None
        said = self._said.setdefault(item(data.sku, data.location), Said())
        said.change(terms_of(data))
        supplier = said.terms.supplier
        theirs = self._suppliers.get(supplier) if isinstance(supplier, str) else None
        return never_ordered(effective(said, theirs), self._settings, None)
