"""What is shown of an item: its terms with where they come from, holds, and when its stock runs out."""

from typing import Any

import msgspec
import pytest

from agents.inspection.item import SHARED, CheckpointedItem, fields_of, fields_of_others, item_as_json
from agents.inspection.term_origins import held_terms
from agents.inventory.terms import Effective, Said, effective
from schemas.ledger import Acknowledged, ClassChange, Configured, Placed, SupplierChange, Terms
from tests.fakes.folded_ledger import TEA, FoldedLedger

OWN: dict[str, Any] = {
    "lead_time_days": 2.0,
    "minimum_order": 5,
    "order_multiple": 4,
    "ask_above_units": 7,
    "ask_above_value": 9.0,
}
ACME = SupplierChange("acme", 3.0, 20, 10, ("mon",), 60, 90.0)
A = ClassChange("A", 100, 200.0)


def seen(ledger: FoldedLedger) -> dict[str, Any]:
    """As the command reads it: with no more of the table `shared` than it asks for."""
    tables = ledger.core.dump()
    found = CheckpointedItem(TEA, 4, len(ledger.folded), ledger.settings, picked(tables, fields_of(TEA)))
    wanted = {**fields_of(TEA), "shared": (*SHARED, *fields_of_others(found))}
    shown = item_as_json(found._replace(tables=picked(tables, wanted)))
    assert shown is not None
    return shown


def picked(tables: Any, wanted: Any) -> dict[str, dict[str, bytes]]:
    return {
        table: {name: tables[table][name] for name in names if name in tables[table]} for table, names in wanted.items()
    }


def test_a_term_comes_from_the_item_else_its_supplier_else_its_class_else_a_default() -> None:
    for name, value in OWN.items():
        stated = Terms(supplier="acme", abc_class="A", **{name: value})
        silent = Terms(supplier="acme", abc_class="A")
        theirs, own_class = getattr(ACME, name), getattr(A, name, None)
        found = [
            held_terms(terms, supplier, abc)[name]
            for terms, supplier, abc in ((stated, ACME, A), (silent, ACME, A), (silent, None, A), (silent, None, None))
        ]
        assert [term.origin for term in found] == ["item", "supplier", "class" if own_class else "default", "default"]
        assert [term.value for term in found[:2]] == [value, theirs]


@pytest.mark.parametrize("supplier", [None, ACME])
def test_every_term_that_holds_is_shown_with_its_value(supplier: SupplierChange | None) -> None:
    terms = Terms(price=4.9, policy="pil", capacity=50)
    shown, held = held_terms(terms, supplier, None), msgspec.structs.asdict(effective(Said(terms), supplier))
    assert {"class" if name == "abc" else name for name in Effective.__struct_fields__} - {"service_level_stated"} == (
        shown.keys() - {"ask_above_units", "ask_above_value"}
    )
    assert all(
        shown["class" if name == "abc" else name].value == held[name] for name in held.keys() - {"service_level_stated"}
    )
    assert (shown["unit_cost"].value, shown["unit_cost"].origin) == (4.9, "price")


def test_an_item_shows_what_supplier_and_class_state() -> None:
    ledger = FoldedLedger()
    ledger.is_said(ACME)
    ledger.is_said(ClassChange("A", ask_above_value=200.0))
    ledger.is_said(SupplierChange("other", 9.0))
    ledger.happens(Configured(Terms(supplier="acme", abc_class="A", unit_cost=2.0, price=5.0)))
    terms = seen(ledger)["terms"]
    assert terms["lead_time_days"] == {"value": 3.0, "from": "supplier"}
    assert terms["order_days"] == {"value": ("mon",), "from": "supplier"}
    assert terms["ask_above_value"] == {"value": 90.0, "from": "supplier"}
    assert terms["price"] == {"value": 5.0, "from": "item"}
    assert seen(ledger)["lost_sale"] == {"cost": "3.00 EUR", "from": "margin"}


def test_a_hold_is_shown_while_it_lasts() -> None:
    ledger = FoldedLedger()
    ledger.happens(Configured(Terms(reorder_point=32, order_up_to=35)))
    ledger.counts(20)
    ledger.passes(1)
    assert seen(ledger)["hold"] is None
    (decided,) = ledger.ordered()
    ledger.happens(Acknowledged(decided.replenishment, "rejected", 0))
    assert seen(ledger)["hold"] == {"reviews": 1, "refusals": 1, "refused_at": "2026-03-03T00:00:00+00:00"}
    ledger.passes(1)
    assert seen(ledger)["hold"] is None


def test_stock_runs_out_when_what_is_available_is_sold() -> None:
    ledger = FoldedLedger()
    ledger.happens(Configured(Terms(lead_time_days=1.0, forecaster="moving-average")))
    ledger.counts(60)
    assert seen(ledger)["projected_stock_out"] is None
    for _ in range(5):
        ledger.happens(Placed(4))
        ledger.passes(1)
    assert seen(ledger)["projected_stock_out"] == "2026-03-17T00:00:00+00:00"


def test_terms_under_which_no_order_pays_are_a_warning() -> None:
    ledger = FoldedLedger()
    ledger.happens(Configured(Terms(unit_cost=4.0, order_cost=400.0, shortage_cost=0.05)))
    (warning,) = seen(ledger)["warnings"]
    assert warning.startswith("never ordering is cheapest even at 10 a day, since a lost sale costs 0.05")
