"""A person is asked about units that a forecast wants and no facts explain; unasked they are never ordered."""

from typing import Any

import msgspec
import pytest

from agents.core import situation
from agents.core.core import Core
from agents.inventory.conservation import conserved
from agents.policies.base import Situation
from agents.policies.facts import DemandFacts
from schemas.ledger import Acknowledged, Approved, Configured, Declined, Placed, Received, Shipped, Terms, Withdrawn
from tests.fakes.folded_ledger import FoldedLedger, alerts, kinds, orders, replay_of

SEEN = DemandFacts(periods=200, greatest=5.0)
"""Explains a position of 20."""


class Known:
    """The facts that reviews find."""

    facts: DemandFacts | None = SEEN


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Known:
    found, before = Known(), situation.situation_of

    def situation_of(*args: Any, **named: Any) -> Situation:
        return msgspec.structs.replace(before(*args, **named), facts=found.facts)

    monkeypatch.setattr("agents.core.review.situation_of", situation_of)
    return found


@pytest.fixture
def world(known: Known) -> FoldedLedger:
    """Sells 20 a day where 5 were the most; 10 are left at the review."""
    world = FoldedLedger()
    world.happens(Configured(Terms(policy="base-stock", lead_time_days=1.0)))
    world.counts(30)
    world.happens(Placed(20))
    world.passes(days=1)
    return world


def question(world: FoldedLedger) -> str:
    return next(decided.replenishment for decided in world.ordered() if decided.why.asks)


def replayed(world: FoldedLedger) -> Core:
    core = Core(4)
    for folded in world.folded:
        entries = [output.entry for output in folded.outputs if output.entry is not None]
        assert not [out for out in core.fold(folded.record, folded.offset, folded.appended, replay_of(entries)) if out]
    return core


def test_what_facts_explain_is_ordered_and_the_rest_is_asked(world: FoldedLedger) -> None:
    assert orders(world.outputs) == ["request 10", "proposal 10"], "at most as much again"
    ordered, asked = world.ordered()
    assert (ordered.why.asks, ordered.why.clamped_by) == ((), ("beyond_facts",))
    assert (asked.why.asks, asked.why.explained_quantity) == (("beyond_facts",), 10)
    assert world.item().on_order == 10, "a question is not on order"
    alert = next(out.event.body for out in world.outputs if "unusual_order raised" in kinds([out]))
    assert (alert.severity, alert.replenishment_id) == ("warning", asked.replenishment)
    assert alert.runbook == "docs/runbooks/UnusualOrder.md"


@pytest.mark.parametrize("periods, counted", [(200, 1), (13, 0)])
def test_young_facts_cut_without_being_counted_as_a_guardrail_that_holds(
    known: Known, periods: int, counted: int
) -> None:
    """In a new shop they cut most orders, and nobody has to be told."""
    known.facts = DemandFacts(periods=periods, greatest=5.0)
    world = FoldedLedger()
    world.happens(Configured(Terms(policy="base-stock", lead_time_days=1.0)))
    world.counts(30)
    world.happens(Placed(20))
    world.passes(days=1)
    assert world.ordered()[0].why.clamped_by == ("beyond_facts",)
    assert world.core.counters.clamps["beyond_facts"] == counted


def test_an_approved_question_is_an_order_like_any_other(world: FoldedLedger) -> None:
    outputs = world.happens(Approved(question(world)))
    assert (orders(outputs), alerts(outputs)) == (["request 10"], ["unusual_order cleared"])
    assert (world.item().on_order, conserved(world.item())) == (20, True)
    world.happens(Received(10, 0, question(world)))
    assert (world.item().on_order, conserved(world.item())) == (10, True)
    assert replayed(world).dump() == world.core.dump()


def test_a_declined_question_is_not_asked_again_for_a_week_and_holds_nothing(world: FoldedLedger) -> None:
    outputs = world.happens(Declined(question(world)))
    assert (alerts(outputs), world.item().held) == (["unusual_order cleared"], 0)
    asked = []
    for _ in range(8):
        world.happens(Placed(10))
        asked.append([kind.split()[0] for kind in orders(world.passes(days=1))])
    assert "proposal" not in [kind for day in asked[:6] for kind in day]
    assert asked[0] == ["request"], "what is explained goes on"
    assert "proposal" in [kind for day in asked[6:] for kind in day]
    assert replayed(world).dump() == world.core.dump()


def test_a_question_stays_while_reviews_want_it_and_lapses_then(world: FoldedLedger, known: Known) -> None:
    name = question(world)
    world.happens(Placed(10))
    assert orders(world.passes(days=1)) == ["request 10"], "nobody is asked twice"
    known.facts = DemandFacts(periods=200, greatest=500.0)
    world.happens(Placed(10))
    assert "unusual_order cleared" in alerts(world.passes(days=1))
    assert name not in [order.id for order in world.item().orders]
    assert world.happens(Approved(name)) == [], "too late"
    assert conserved(world.item())
    assert replayed(world).dump() == world.core.dump()


def test_a_question_that_nobody_answers_lapses_in_the_end(world: FoldedLedger) -> None:
    name = question(world)
    for _ in range(9):
        world.happens(Placed(10))
        world.passes(days=1)
    assert name not in [order.id for order in world.item().orders]
    assert conserved(world.item())
    assert replayed(world).dump() == world.core.dump()


@pytest.mark.parametrize(
    "answer, left",
    [
        (lambda name: Acknowledged(name, "rejected", 0), 10),
        (lambda name: Acknowledged(name, "accepted", 7), 17),
        (lambda name: Withdrawn(name, 0), 10),
        (lambda name: Withdrawn(name, 4), 14),
        (lambda name: Shipped(name, 10), 20),
        (lambda name: Received(10, 0, name), 10),
    ],
)
def test_units_add_up_whatever_suppliers_say_of_a_question(world: FoldedLedger, answer: Any, left: int) -> None:
    world.happens(answer(question(world)))
    assert (world.item().on_order, conserved(world.item()), world.item().held) == (left, True, 0)
    for _ in range(9):
        world.passes(days=1)
    assert world.core.counters.violations == {}
    assert replayed(world).dump() == world.core.dump()


def test_in_approval_mode_both_are_proposed(known: Known) -> None:
    world = FoldedLedger()
    world.happens(Configured(Terms(policy="base-stock", lead_time_days=1.0, mode="approve")))
    world.counts(30)
    world.happens(Placed(20))
    world.passes(days=1)
    assert orders(world.outputs) == ["proposal 10", "proposal 10"]
    assert world.item().on_order == 10


def test_an_absurd_forecast_asks_for_no_absurd_order(known: Known) -> None:
    world = FoldedLedger()
    world.happens(Configured(Terms(policy="base-stock", lead_time_days=1.0)))
    world.counts(100_010)
    world.happens(Placed(100_000))
    world.passes(days=1)
    assert sum(decided.quantity for decided in world.ordered()) <= 20
