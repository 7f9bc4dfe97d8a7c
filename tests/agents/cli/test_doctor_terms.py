"""What the doctor says of terms under which never ordering is cheapest."""

from collections.abc import Callable

import pytest

from agents.cli import cards
from agents.cli.doctor import Finding, _terms
from agents.inventory.card import Card
from agents.inventory.catalogue import Catalogue
from agents.inventory.position import NEVER, Item
from schemas.ledger import SupplierChange, Terms
from stream.settings import Settings

Shop = Callable[[dict[str, Terms]], list[Finding]]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Shop:
    """What is found in a shop of items that sell two a day, under these terms."""

    def look(terms: dict[str, Terms]) -> list[Finding]:
        stored = {name: Card(name, Item(known=True, daily=2.0, closed_periods=9), NEVER, {}, None) for name in terms}
        for name, card in stored.items():
            card.said.change(terms[name])
        catalogue = Catalogue()
        catalogue.apply(SupplierChange("bulk", minimum_order=5_000), None)
        monkeypatch.setattr(cards, "known_names", lambda _: iter(stored))
        monkeypatch.setattr(cards, "stored_cards", lambda _, names: ((name, stored[name]) for name in names))
        monkeypatch.setattr(cards, "shared_catalogue", lambda _: catalogue)
        return list(_terms(Settings()))

    return look


def test_a_sane_shop_is_fine(found: Shop) -> None:
    assert found({"A@X": Terms(unit_cost=4.0), "B@X": Terms()}) == [
        Finding("terms", "ok", "under those of 2 items it pays to order")
    ]


def test_the_first_item_is_named_with_what_to_do(found: Shop) -> None:
    bulky = Terms(unit_cost=4.0, shortage_cost=0.5, supplier="bulk")
    (finding,) = found({"B@X": bulky, "A@X": Terms(shortage_cost=0.0), "C@X": Terms(unit_cost=4.0)})
    assert (finding.what, finding.verdict) == ("terms", "warning")
    assert finding.found == "A@X (2 of 3 items): never ordering is cheapest, since a lost sale costs nothing"
    assert finding.cure == "state a shortage_cost, or a unit_cost below the price"
    (finding,) = found({"B@X": bulky})
    assert "no order is below 5,000 units" in finding.found
    assert finding.cure == "state a higher shortage_cost, or a lower minimum_order"


def test_a_phase_out_is_meant_not_to_be_ordered(found: Shop) -> None:
    (finding,) = found({"A@X": Terms(shortage_cost=0.0, lifecycle="phase_out")})
    assert finding.verdict == "ok"


def test_without_items_there_is_nothing_to_say(found: Shop) -> None:
    assert found({}) == []
