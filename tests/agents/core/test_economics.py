"""What a lost sale costs where nobody stated it: so much that orders pay."""

import msgspec
import pytest

from agents.core.situation import economics_of
from agents.forecasting.base import DemandForecast
from agents.inventory.terms import Said, effective
from agents.policies.base import Economics, Situation
from agents.policies.guardrails import guard
from agents.policies.never_ordering import never_ordering_is_cheapest
from agents.policies.registry import POLICIES
from schemas.ledger import Terms
from schemas.quantities import DAY_MS

DEMAND = 2.0


def economics(interval: float = 8.0, **terms: object) -> Economics:
    said = Said()
    said.change(Terms(**terms))  # type: ignore[arg-type]
    return economics_of(effective(said, None), DAY_MS, 1, interval)


def test_a_stated_shortage_cost_stands() -> None:
    terms = economics(unit_cost=4.0, price=10.0, shortage_cost=2.5, service_level=0.8)
    assert terms.shortage == 2.5
    assert terms.critical_ratio == pytest.approx(2.5 / (2.5 + terms.holding))


def test_without_one_a_lost_sale_costs_the_margin() -> None:
    terms = economics(unit_cost=4.0, price=10.0)
    assert terms.shortage == pytest.approx(6.0)
    assert terms.critical_ratio > 0.999


def test_a_stated_service_level_goes_before_the_margin() -> None:
    terms = economics(unit_cost=4.0, price=10.0, service_level=0.9)
    assert terms.critical_ratio == 0.9
    assert terms.shortage == pytest.approx(9.0 * terms.holding)


@pytest.mark.parametrize(
    "terms",
    [
        {"unit_cost": 4.0},
        {"price": 10.0},
        {"unit_cost": 4.0, "price": 4.0},
        {"unit_cost": 4.0, "price": 6.0, "stock_out": "backorder"},
    ],
)
def test_where_no_margin_is_known_the_usual_service_level_counts(terms: dict[str, object]) -> None:
    found = economics(8.0, **terms)
    assert found.critical_ratio == 0.95
    assert found.shortage == pytest.approx(19.0 * found.holding)


@pytest.mark.parametrize("policy", ["pil-q", "pil", "base-stock", "s-S", "one-point-two"])
@pytest.mark.parametrize("order_cost", [0.0, 1.0, 25.0, 400.0])
def test_with_an_order_cost_and_no_shortage_cost_it_still_orders(policy: str, order_cost: float) -> None:
    terms = economics(unit_cost=4.0, order_cost=order_cost)
    assert never_ordering_is_cheapest(terms, DEMAND) is None
    mean = 4 * DEMAND
    forecast = DemandForecast(4.0, mean, mean, (mean, 10.0, 12.0, 13.0, 15.0), (DEMAND,) * 4)
    now = Situation("A@X", 40, 0, (), (0.0, 0.0, 0.0, 1.0), forecast, terms)
    policy_in_use = POLICIES[policy]()
    assert guard(policy_in_use.decide(policy_in_use.fresh(), now).quantity, now).quantity > 0


def test_terms_under_which_orders_never_pay_are_found() -> None:
    dear = economics(unit_cost=4.0, order_cost=400.0, shortage_cost=0.05)
    found = never_ordering_is_cheapest(dear, DEMAND)
    assert found is not None
    assert "shortage_cost" in found
    assert "order_cost" in found
    assert never_ordering_is_cheapest(msgspec.structs.replace(dear, stock_out="backorder"), DEMAND) is None
    bulky = economics(unit_cost=4.0, minimum_order=10_000, shortage_cost=0.5)
    assert "minimum_order" in str(never_ordering_is_cheapest(bulky, DEMAND))
    assert "costs nothing" in str(never_ordering_is_cheapest(economics(shortage_cost=0.0), DEMAND))
