"""A shop and its supplier are the same for the same seed, and what they promise holds."""

import numpy as np
import pytest

from agents.simulation.demand import DemandModel, Promotion
from agents.simulation.shop import Shop
from agents.simulation.supplier import Supplier


def test_one_more_item_changes_no_other_items_demand() -> None:
    small, large = Shop(5, 20, 120), Shop(5, 30, 120)
    assert (large.demand[:20] == small.demand).all()
    assert small.articles == large.articles[:20]
    assert (Shop(6, 20, 120).demand != small.demand).any()


def test_demand_is_whole_and_not_negative_and_moves_about_its_mean() -> None:
    for pattern in ("poisson", "lumpy", "intermittent"):
        model = DemandModel(mean=3.0, pattern=pattern, dispersion=0.6, sale_chance=0.25)
        drawn = model.draw(40_000, np.random.default_rng(2))
        assert drawn.min() >= 0
        assert drawn.mean() == pytest.approx(3.0, rel=0.08)


def test_a_promotion_lifts_and_then_dips_and_is_planned() -> None:
    model = DemandModel(mean=10.0, promotions=(Promotion(10, 12, 0.2, uplift=2.0, dip=0.5),))
    assert model.levels(20)[[9, 10, 12, 13, 15, 16]].tolist() == [10.0, 20.0, 20.0, 5.0, 5.0, 10.0]
    assert np.flatnonzero(model.planned(20)).tolist() == [10, 11, 12]


def test_a_new_product_sells_nothing_before_its_launch() -> None:
    assert DemandModel(mean=5.0, launched=7).draw(20, np.random.default_rng(1))[:7].sum() == 0


@pytest.mark.parametrize("quantity", [1, 2, 7, 500])
def test_deliveries_add_up_to_the_order_or_nothing(quantity: int) -> None:
    supplier = Supplier(seed=3, lead_times=(2, 5), loss_chance=0.2, partial_chance=0.5)
    kinds = set()
    for number in range(300):
        deliveries = supplier.deliver(f"rep-{number}", quantity)
        kinds.add(len(deliveries))
        assert sum(delivery.quantity for delivery in deliveries) in {0, quantity}
        assert [delivery.final for delivery in deliveries] == [False] * (len(deliveries) - 1) + [True] * bool(
            deliveries
        )
    assert kinds == ({0, 1, 2} if quantity > 1 else {0, 1})
