"""Reviews: what is learned, what is decided, who may decide, and what is said of it."""

from typing import Any

import msgspec
import pytest

from agents.core.core import Core
from agents.policies import registry
from agents.policies.base import Advice, Situation
from agents.policies.rules.base_stock import BaseStock
from schemas.ledger import (
    CalendarChange,
    Cancelled,
    Configured,
    FoldSettings,
    Placed,
    Priced,
    PromotionPlanned,
    Received,
    Rejected,
    SupplierChange,
    Terms,
)
from schemas.outbound import ItemReviewed
from tests.fakes.folded_ledger import DAY, HOUR, T0, TEA, FoldedLedger, kinds, orders, reviews


def selling(units: int = 100, a_day: int = 5, settings: FoldSettings | None = None, **terms: Any) -> FoldedLedger:
    """So many units counted, some sold on the first day."""
    world = FoldedLedger(settings or FoldSettings(lateness_ms=0))
    world.happens(Configured(Terms(**{"policy": "base-stock", "forecaster": "ewma", "lead_time_days": 2.0, **terms})))
    world.counts(units)
    world.happens(Placed(a_day))
    return world


def last(world: FoldedLedger) -> ItemReviewed:
    review: ItemReviewed = reviews(world.outputs)[-1]
    return review


def test_a_review_reports_its_period_also_when_nothing_is_ordered() -> None:
    world = selling()
    world.passes(days=1)
    review = last(world)
    assert (review.period.starts, review.period.ends) == ("2026-03-02T00:00:00+00:00", "2026-03-03T00:00:00+00:00")
    assert (review.demand, review.decision, review.replenishment_id, review.policy) == (5, "enough", None, "base-stock")
    assert review.position is not None
    assert (review.position.on_hand, review.position.on_order) == (95, 0)
    assert review.kpis.fill_rate == 1.0
    assert review.kpis.days_of_supply == 19.0


def test_what_is_ordered_fills_up_to_the_level() -> None:
    world = selling(units=10)
    outputs = world.passes(days=1)
    (decided,) = world.ordered()
    assert decided.why.order_up_to == 22
    assert 5 + decided.quantity == 20, "what a day that sold 5 explains; the rest waits for more days"
    assert decided.why.clamped_by == ("beyond_facts",)
    assert kinds(outputs)[0] == f"request {decided.quantity}"
    assert last(world).decision == "replenish"
    assert last(world).replenishment_id == decided.replenishment
    assert decided.why.forecast.horizon_days == 3.0
    assert decided.why.position.on_hand == 5
    assert (decided.why.trigger, decided.why.role, decided.why.lead_time_days) == ("review", "champion", 2.0)


def test_nothing_is_ordered_twice() -> None:
    world = selling(units=10)
    world.passes(days=1)
    assert orders(world.passes(days=1)) == []


def test_without_a_count_nothing_is_ordered() -> None:
    world = FoldedLedger()
    world.happens(Placed(5))
    assert kinds(world.passes(days=2)) == ["review stock_unknown"] * 2
    assert world.item().reorder_point is not None, "but it learned"


def test_before_deciding_begins_nothing_is_ordered() -> None:
    world = selling(units=10, settings=FoldSettings(lateness_ms=0, decide_from=T0 + 2 * DAY))
    assert kinds(world.passes(days=1)) == ["review not_yet"]
    assert orders(world.happens(Placed(4))) == []
    assert orders(world.passes(days=1)) != []


def test_minimum_multiple_and_capacity_are_kept() -> None:
    world = selling(units=10, minimum_order=20, order_multiple=8, capacity=30)
    world.passes(days=1)
    (decided,) = world.ordered()
    assert decided.quantity == 24
    assert set(decided.why.clamped_by) == {"beyond_facts", "minimum_order", "order_multiple"}
    world = selling(units=10, minimum_order=20, order_multiple=8, capacity=28)
    assert orders(world.passes(days=1)) == [], "16 would fit, and are too few for the supplier"
    assert world.core.counters.clamps["capacity"] == 1


def test_a_supplier_fills_in_what_the_item_leaves_open() -> None:
    world = FoldedLedger()
    world.is_said(SupplierChange("acme", lead_time_days=3.0, minimum_order=40))
    world.happens(Configured(Terms(policy="base-stock", forecaster="ewma", supplier="acme")))
    world.counts(10)
    world.happens(Placed(5))
    world.passes(days=1)
    (decided,) = world.ordered()
    assert (decided.quantity, decided.supplier, decided.why.lead_time_days) == (40, "acme", 3.0)


def test_what_is_phased_out_is_not_ordered() -> None:
    world = selling(units=10, lifecycle="phase_out")
    assert orders(world.passes(days=3)) == []


def test_a_planners_own_minimum_and_maximum_act() -> None:
    world = selling(units=31, a_day=1, policy=None, reorder_point=29, order_up_to=60)
    assert orders(world.passes(days=1)) == []
    assert orders(world.happens(Placed(1))) == ["request 31"]
    assert world.ordered()[0].why.policy == "min-max"


def test_a_reorder_point_is_crossed_once() -> None:
    world = selling(units=100, a_day=5)
    world.passes(days=1)
    point = world.item().reorder_point
    assert point is not None
    assert orders(world.happens(Placed(95 - point - 1))) == []
    (output,) = world.happens(Placed(1), id="ord-9")
    assert output.event.body.why.trigger == "reorder_point"
    assert output.event.causation == "ord-9"
    assert orders(world.happens(Placed(1))) == []


def test_a_crossing_that_orders_nothing_does_not_ask_again_and_again() -> None:
    world = selling(units=100, a_day=5, lifecycle="phase_out")
    world.passes(days=1)
    world.happens(Placed(80))
    clamped = world.core.counters.clamps["phase_out"]
    world.happens(Placed(1))
    world.happens(Placed(1))
    assert world.core.counters.clamps["phase_out"] == clamped


def test_a_longer_review_period_decides_on_its_day_and_reviews_every_day() -> None:
    world = selling(units=100, a_day=30, review_period_days=7.0)
    world.passes(days=1)
    world.happens(Configured(Terms(low_stock=0)))
    assert all(review.decision == "enough" for review in reviews(world.outputs))
    outputs = world.passes(days=6)
    assert len(reviews(outputs)) == 6
    assert [output.event.time_ms for output in outputs if output.topic == "replenishments"] in ([], [T0 + 7 * DAY])


def test_on_days_the_supplier_takes_no_orders_nothing_is_ordered() -> None:
    world = FoldedLedger()
    world.is_said(SupplierChange("acme", lead_time_days=1.0, order_days=("thu",)))
    world.happens(Configured(Terms(policy="base-stock", forecaster="ewma", supplier="acme")))
    world.counts(10)
    world.happens(Placed(9))
    outputs = []
    for _ in range(4):
        outputs += world.passes(days=1)
        outputs += world.happens(Placed(1))
    assert [(o.event.time_ms - T0) / DAY for o in outputs if o.topic == "replenishments"][:1] == [3.0]


def test_approval_turns_the_same_decision_into_a_request() -> None:
    world = selling(units=10, mode="approve")
    assert kinds(world.passes(days=1))[0].startswith("proposal")
    assert last(world).decision == "replenish"


def test_lost_orders_are_demand_and_uncensor_it() -> None:
    world = selling(units=5)
    world.passes(days=1)
    assert last(world).censored, "it ran out, and nobody said what was lost"
    world.happens(Received(3))
    world.happens(Placed(3))
    world.happens(Rejected(4))
    world.passes(days=1)
    assert (last(world).demand, last(world).censored) == (7, False)
    assert last(world).kpis.fill_rate == pytest.approx(8 / 12, abs=0.01)


def test_a_period_that_begins_without_stock_is_censored_too() -> None:
    world = selling(units=5)
    world.passes(days=2)
    assert [review.censored for review in reviews(world.outputs)] == [True, True]


def test_backorders_hide_no_demand() -> None:
    world = selling(units=5, stock_out="backorder")
    world.happens(Placed(5))
    world.passes(days=1)
    assert not last(world).censored


def test_a_cancelled_line_corrects_an_open_period_and_no_closed_one() -> None:
    world = selling()
    world.happens(Placed(4, order=77), at=world.now + HOUR)
    world.happens(Cancelled(4, order=77), at=world.now + 2 * HOUR)
    world.happens(Cancelled(4, order=78), at=world.now + 2 * HOUR)
    world.happens(Placed(3, order=79))
    assert [review.demand for review in reviews(world.passes(days=1))] == [8]
    world.happens(Placed(2))
    world.happens(Cancelled(3, order=79))
    assert [review.demand for review in reviews(world.passes(days=1))] == [2]


def test_a_cancelled_line_of_a_period_ahead_corrects_that_one() -> None:
    world = selling()
    world.happens(Placed(4, order=77), at=T0 + 30 * HOUR)
    world.happens(Cancelled(1, order=77), at=T0 + 31 * HOUR)
    assert [review.demand for review in reviews(world.passes(days=2))] == [5, 3]


def test_prices_promotions_and_closed_days_reach_the_forecaster(monkeypatch: pytest.MonkeyPatch) -> None:
    from agents.forecasting.simple.ewma import Ewma

    seen: list[Any] = []
    monkeypatch.setattr("agents.forecasting.registry.FORECASTERS", {"ewma": Ewma})
    monkeypatch.setattr("agents.forecasting.registry.DEFAULT", "ewma")
    learn = Ewma.learn

    def spy(self: Ewma, state: Any, item: str, period: Any, ahead: Any = ()) -> None:
        seen.append((period, list(ahead)))
        learn(self, state, item, period, ahead)

    monkeypatch.setattr(Ewma, "learn", spy)
    world = selling(price=4.9)
    world.is_said(CalendarChange("BER1", ("wed", "2026-03-06")))
    world.is_said(PromotionPlanned("p", "TEA-01", None, T0 + DAY, T0 + 3 * DAY))
    world.happens(Priced(4.5, T0 + 2 * DAY))
    world.passes(days=3)
    assert [(p.demand, p.is_open, p.promotion, p.price) for p, _ in seen] == [
        (5.0, True, 0.0, 4.9),
        (0.0, True, 1.0, 4.9),
        (0.0, False, 1.0, 4.5),
    ]
    assert [(a.is_open, a.promotion) for a in seen[0][1]] == [(True, 1.0), (False, 1.0), (True, 0.0)]
    assert [a.is_open for a in seen[2][1]] == [True, False, True]


class Wild(BaseStock):
    """Gives the advice that it was made with."""

    name = "wild"
    says: Any = float("nan")

    def decide(self, state: None, situation: Situation) -> Advice:
        if isinstance(self.says, Exception):
            raise self.says
        return msgspec.structs.replace(super().decide(state, situation), quantity=self.says)


@pytest.mark.parametrize("says", [float("nan"), float("inf"), RuntimeError("no idea")])
def test_a_policy_that_fails_is_replaced_by_the_baseline(monkeypatch: pytest.MonkeyPatch, says: Any) -> None:
    monkeypatch.setattr(registry, "POLICIES", {**registry.POLICIES, "wild": Wild})
    monkeypatch.setattr(registry, "BASELINE", "base-stock")
    monkeypatch.setattr(Wild, "says", says)
    world, sane = selling(units=10, policy="wild"), selling(units=10)
    assert orders(world.passes(days=1)) == orders(sane.passes(days=1)) != []
    (decided,) = world.ordered()
    assert (decided.why.policy, decided.why.role) == ("base-stock", "baseline")
    assert world.core.counters.failures == {"wild": 1}


@pytest.mark.parametrize("says", [-5.0, 1e12])
def test_no_order_leaves_the_guardrails(monkeypatch: pytest.MonkeyPatch, says: float) -> None:
    monkeypatch.setattr(registry, "POLICIES", {**registry.POLICIES, "wild": Wild})
    monkeypatch.setattr(Wild, "says", says)
    world = selling(units=10, policy="wild")
    world.passes(days=1)
    assert all(0 < decided.quantity < 100 for decided in world.ordered())
    assert world.core.counters.violations == {}
    assert sum(world.core.counters.clamps.values()) >= 1


def test_a_forecaster_that_fails_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    from agents.forecasting.simple.ewma import Ewma

    monkeypatch.setattr("agents.forecasting.registry.FORECASTERS", {"ewma": Ewma})
    monkeypatch.setattr("agents.forecasting.registry.DEFAULT", "ewma")
    world = selling()
    world.passes(days=1)

    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(Ewma, "learn", broken)
        world.passes(days=1)
    assert world.core.counters.failures == {"ewma": 1}
    assert kinds(world.passes(days=1))[-1] == "review enough"
    assert world.core.counters.failures == {"ewma": 1}


def test_forecasts_are_judged() -> None:
    world = selling(units=1000, a_day=5, lead_time_days=0.0)
    for _ in range(9):
        world.passes(days=1)
        world.happens(Placed(5))
    errors = last(world).errors
    assert (errors.wape, errors.mae, errors.coverage_95) == (0.0, 0.0, 1.0)
    assert world.core.counters.errors["C"].judged == 8


def test_an_unknown_policy_or_forecaster_is_the_default_one() -> None:
    world = selling(units=10, policy="nobody", forecaster="nobody")
    world.passes(days=1)
    assert last(world).policy is not None


def test_items_beyond_the_cache_go_on_all_the_same() -> None:
    worlds = [FoldedLedger(), FoldedLedger()]
    worlds[1].core = Core(4, most_decoded=3)
    list(worlds[1].core.fold(worlds[1].folded[0].record, 0, T0, None))
    for world in worlds:
        for day in range(3):
            for number in range(20):
                world.happens(Placed(1 + number), f"SKU-{number}@BER1")
            world.core.changes()
            world.passes(days=day)
    assert len(worlds[1].core._shelf.cards) <= 20
    worlds[1].core.changes()
    assert len(worlds[1].core._shelf.cards) <= 3
    assert worlds[0].core.dump() == worlds[1].core.dump()
    assert TEA not in worlds[0].core._shelf.cards


def test_a_champion_that_is_dearer_falls_back_where_prometheus_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Never(BaseStock):
        name = "never"

        def decide(self, state: None, situation: Situation) -> Advice:
            del state, situation
            return Advice(0.0, -1, 0, 0)

    made = {**registry.POLICIES, "never": lambda: registry.contest(Never())}
    monkeypatch.setattr(registry, "POLICIES", made)
    world = selling(units=40, policy="never", lead_time_days=1.0)
    for _ in range(60):
        world.passes(days=1)
        world.happens(Placed(5))
    counters = world.core.counters
    assert counters.gauges.fallen_back == {"C": 1}
    assert counters.costs["C", "champion"] > counters.costs["C", "baseline"] > 0.0
    world.happens(Configured(Terms(abc_class="A")))
    world.passes(days=1)
    assert counters.gauges.fallen_back == {"C": 0, "A": 1}
