"""Demand that nobody had is taken out, and with it all that it caused: forecasts, facts, levels, figures, questions."""

from typing import Any

import pytest

from agents.core import situation
from agents.core.core import Core
from agents.core.learning_state import learning_state_of
from agents.policies.facts import DemandFacts
from schemas.ledger import Cancelled, Configured, Corrected, Counted, FoldSettings, Placed, SupplierChange, Terms
from tests.agents.core.test_unusual_orders import Known, replayed
from tests.fakes.folded_ledger import DAY, HOUR, T0, TEA, FoldedLedger, alerts, kinds, orders, reviews

TYPO = 100_000


def noon(day: int) -> int:
    return T0 + day * DAY + 12 * HOUR


def sold(days: int, slip_at: int | None = None, terms: Terms | None = None) -> FoldedLedger:
    """Two or three a day, of which nobody counts the stock; one day may have a typing error."""
    world = FoldedLedger(FoldSettings(lateness_ms=0))
    world.happens(Configured(terms or Terms(lead_time_days=2.0)))
    for day in range(days):
        world.now = noon(day)
        world.happens(Placed(2 + day % 2, 1_000 + day))
        if day == slip_at:
            world.happens(Placed(TYPO, 99), id="typo")
        world.now = T0 + (day + 1) * DAY
        world.ticks()
    return world


def known(world: FoldedLedger) -> tuple[Any, ...]:
    """What the last review believes of the item."""
    card = world.core._shelf.find(TEA)
    assert card is not None
    record, item = learning_state_of(card).record, card.item
    assert record.forecast is not None
    return record.forecast, record.past, record.figures, item.reorder_point, item.order_up_to, item.daily


def remembered(world: FoldedLedger, day: int) -> int:
    card = world.core._shelf.find(TEA)
    assert card is not None
    return card.remembered.demand(noon(day))


# Closed periods -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forecaster", ["ewma", "moving-average"])
def test_after_the_next_review_nothing_is_left_of_a_typing_error(forecaster: str) -> None:
    terms = Terms(forecaster=forecaster, policy="base-stock", lead_time_days=2.0)
    right, wrong = sold(90, terms=terms), sold(90, slip_at=30, terms=terms)
    assert known(right)[1] != known(wrong)[1]
    assert kinds(wrong.happens(Corrected(TYPO, noon(30)))) == []
    for world in (right, wrong):
        world.passes(days=1)
    assert known(wrong) == pytest.approx(known(right))


def test_the_forecast_of_a_blend_is_what_it_would_have_been() -> None:
    terms = Terms(policy="base-stock", lead_time_days=2.0)
    right, wrong = sold(150, terms=terms), sold(150, slip_at=32, terms=terms)
    wrong.happens(Corrected(TYPO, noon(32)))
    for world in (right, wrong):
        world.passes(days=1)
    (forecast, past, _, _, most, _), (usual, facts, _, _, level, _) = known(wrong), known(right)
    assert forecast.mean == pytest.approx(usual.mean, rel=0.25)
    assert past == facts
    assert most == pytest.approx(level, rel=0.5)


def test_costs_and_errors_are_counted_anew_after_a_slip_and_go_on_after_a_mistake() -> None:
    slipped, mistaken = sold(60, slip_at=30), sold(60)
    for world, units, at in ((slipped, TYPO, 30), (mistaken, 1, 31)):
        world.happens(Corrected(units, noon(at)))
        world.passes(days=1)
    (slip, before), (mistake, review) = (
        (reviews(world.outputs)[-1], reviews(world.outputs)[-2]) for world in (slipped, mistaken)
    )
    assert slip.errors.mae is None
    assert before.errors.mae > 100
    assert mistake.errors.mae == pytest.approx(review.errors.mae, rel=0.5)


def test_a_cancelled_order_says_when_it_was_placed_and_its_demand_leaves_that_day() -> None:
    world = sold(60, slip_at=40)
    world.happens(Counted(50, world.now - HOUR))
    world.happens(Placed(4, 7))
    net = world.item().net
    world.happens(Cancelled(TYPO, 99, noon(40)))
    assert (remembered(world, 40), world.item().net) == (2, net + TYPO)
    assert world.item().open.demand == 4


def test_an_order_of_the_last_days_is_found_without_its_time() -> None:
    world = sold(20, slip_at=16)
    world.happens(Cancelled(TYPO, 99))
    assert remembered(world, 16) == 2


def test_a_cancelled_order_that_nobody_remembers_takes_no_demand() -> None:
    world = sold(20)
    world.happens(Cancelled(2, 12_345))
    world.happens(Cancelled(2, 12_345, T0 - DAY))
    assert [remembered(world, day) for day in range(20)] == [2, 3] * 10


# Open periods -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [0, 1], ids=["open", "ahead"])
def test_demand_of_a_period_that_is_not_closed_is_corrected_there(days: int) -> None:
    world = sold(3)
    at = world.now + days * DAY + HOUR
    world.happens(Placed(TYPO), at=at)
    net = world.item().net
    world.happens(Corrected(TYPO - 1, at))
    world.passes(days=1)
    world.passes(days=1)
    assert [review.demand for review in reviews(world.outputs)][-2:] == ([1, 0] if days == 0 else [0, 1])
    assert world.item().net == net, "stock is a matter of its own"


# Refused, and counted once ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "units, at",
    [
        (TYPO + 4, noon(5)),
        (1, noon(-1)),
        (1, noon(10)),
        (3, noon(4)),
    ],
    ids=["more than there was", "before the item", "to come", "of another day"],
)
def test_more_than_was_asked_for_is_refused(units: int, at: int) -> None:
    world = sold(10, slip_at=5)
    (refused,) = world.happens(Corrected(units, at))
    assert kinds([refused]) == ["refused out_of_range"]
    assert "more demand than is remembered" in refused.event.refusal.message
    assert [remembered(world, day) for day in (4, 5)] == [2, TYPO + 3]


def test_a_correction_of_an_item_that_nobody_knows_is_refused_and_makes_none() -> None:
    world = FoldedLedger()
    assert kinds(world.happens(Corrected(1, T0))) == ["refused out_of_range"]
    assert world.core._shelf.find(TEA) is None


def test_a_correction_that_is_published_twice_counts_once() -> None:
    world = sold(10, slip_at=5)
    for _ in range(2):
        assert world.happens(Corrected(50_000, noon(5)), id="cor-1") == []
    assert remembered(world, 5) == TYPO + 3 - 50_000
    assert kinds(world.happens(Corrected(7, noon(5)), id="cor-1")) == ["refused conflicting_duplicate"]


def test_what_is_older_than_is_remembered_is_refused() -> None:
    world = sold(2)
    for _ in range(399):
        world.passes(days=1)
    assert kinds(world.happens(Corrected(2, noon(0)))) == ["refused out_of_range"]
    assert world.happens(Corrected(3, noon(1))) == []


# What it caused -----------------------------------------------------------------------------------------------------


@pytest.fixture
def facts(monkeypatch: pytest.MonkeyPatch) -> Known:
    """Facts that explain five, where a forecast wants twenty."""
    import msgspec

    found, before = Known(), situation.situation_of

    def situation_of(*args: Any, **named: Any) -> Any:
        return msgspec.structs.replace(before(*args, **named), facts=found.facts)

    monkeypatch.setattr("agents.core.review.situation_of", situation_of)
    return found


def test_a_question_that_it_caused_lapses_at_the_next_review_though_that_may_not_order(facts: Known) -> None:
    world = FoldedLedger()
    world.is_said(SupplierChange("acme", order_days=("tue",)))
    world.happens(Configured(Terms(policy="base-stock", lead_time_days=1.0, supplier="acme")))
    world.counts(30)
    world.happens(Placed(20), at=T0 + HOUR)
    assert "unusual_order raised" in alerts(world.passes(days=1))
    facts.facts = DemandFacts(periods=200, greatest=500.0)
    assert "unusual_order cleared" not in alerts(world.passes(days=1)), "not before an order day"
    world.happens(Corrected(19, T0 + HOUR))
    told = world.passes(days=1)
    assert (alerts(told).count("unusual_order cleared"), orders(told)) == (1, [])
    assert replayed(world).dump() == world.core.dump()


def test_replay_and_a_restored_shard_know_the_same() -> None:
    world = sold(30, slip_at=12)
    world.happens(Corrected(TYPO, noon(12)))
    world.happens(Cancelled(2, 1_020, noon(20)))
    restored = Core(4)
    restored.load(world.core.dump())
    world.passes(days=1)
    last = world.folded[-1]
    assert list(restored.fold(last.record, last.offset, last.appended, None))
    assert restored.dump() == world.core.dump() == replayed(world).dump()
