"""Whatever others answer, an item has at most so many outputs a day, and its units add up."""

from collections import Counter
from typing import Any, Literal
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.core.core import Core
from agents.core.situation import situation_of
from agents.inventory.conservation import conserved
from agents.inventory.daily_bound import MOST_OUTPUTS
from agents.policies.base import Situation
from agents.policies.facts import DemandFacts
from schemas.ledger import (
    Acknowledged,
    Adjusted,
    Approved,
    Change,
    Configured,
    Counted,
    Declined,
    FoldSettings,
    Placed,
    Received,
    Returned,
    Shipped,
    Terms,
    Withdrawn,
)
from stream.ports import Replay
from tests.fakes.folded_ledger import DAY, HOUR, MUG, TEA, FoldedLedger, alerts, kinds, orders

answers = st.tuples(st.sampled_from("rrapPcxyygGsd"), st.integers(0, 8), st.integers(1, 60))
"""What somebody answers, to which of the latest orders, with how many units."""
movements = st.tuples(st.sampled_from(["order", "return", "adjust", "count", "supplier"]), st.integers(1, 60))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("answer"), st.lists(answers, min_size=1, max_size=6), st.integers(1, 40)),
        st.tuples(st.just("move"), st.lists(movements, min_size=1, max_size=6), st.integers(1, 40)),
        st.tuples(st.just("pass"), st.sampled_from([0.5, 6.0, 24.0, 24.0, 72.0])),
    ),
    min_size=3,
    max_size=12,
)


def answer(name: str, kind: str, units: int) -> Change:
    return {
        "r": Acknowledged(name, "rejected", 0),
        "a": Acknowledged(name, "accepted", units),
        "p": Acknowledged(name, "partial", 1),
        "P": Acknowledged(name, "partial", 100_000),
        "c": Withdrawn(name, units % 3),
        "x": Declined(name),
        "y": Approved(name),
        "g": Received(units, units % 2, name, final=units % 5 == 0),
        "G": Received(0, units, name, final=True),
        "s": Shipped(name, units),
        "d": Received(units, 0, name),
    }[kind]


def movement(world: FoldedLedger, kind: str, units: int) -> Change:
    return {
        "order": Placed(units),
        "return": Returned(units, restock=True),
        "adjust": Adjusted(units if units % 2 else -units),
        "count": Counted(units % 7, world.now),
        "supplier": Configured(Terms(supplier=f"s{units % 2}")),
    }[kind]


def play(world: FoldedLedger, story: list[Any]) -> None:
    """Let suppliers and buyers answer and stock move as the story has it, again and again."""
    for kind, what, *times in story:
        if kind == "pass":
            world.passes(hours=what)
        for turn in range(times[0] if times else 0):
            for part in what:
                world.now += HOUR // 500
                if kind == "move":
                    world.happens(movement(world, *part), (TEA, MUG)[turn % 3 == 2])
                elif world.ordered():
                    asked, back, units = part
                    decided = world.ordered()[-1 - back % len(world.ordered())]
                    item = decided.item if units % 4 else MUG  # now and then somebody names the wrong item
                    change = answer(decided.replenishment, asked, units)
                    world.happens(change, item, id=f"twice-{decided.replenishment}" if asked == "d" else None)


def situation_of_little_demand(*args: Any, **named: Any) -> Situation:
    """A situation whose facts explain little, so that questions are asked."""
    return msgspec.structs.replace(situation_of(*args, **named), facts=DemandFacts(200, 4.0))


def outputs_by_day(world: FoldedLedger) -> Counter[tuple[str, int]]:
    counted: Counter[tuple[str, int]] = Counter()
    for output in world.outputs:
        if output.topic in {"replenishments", "alerts"}:
            counted[output.event.item, output.event.time_ms // DAY] += 1
    return counted


@settings(max_examples=60, deadline=None)
@given(
    steps,
    st.sampled_from(["act", "approve"]),
    st.sampled_from([DAY, HOUR]),
    st.sampled_from(["by hand", None, "base-stock"]),
)
def test_whatever_is_answered_an_items_outputs_a_day_are_bounded(
    story: list[Any], mode: Literal["act", "approve"], period_ms: int, policy: str | None
) -> None:
    world = FoldedLedger(FoldSettings(lateness_ms=0, period_ms=period_ms))
    terms = Terms(lead_time_days=1.0, low_stock=20, mode=mode, ask_above_units=45)
    if policy == "by hand":
        terms = msgspec.structs.replace(terms, order_up_to=50, reorder_point=30)
    else:
        terms = msgspec.structs.replace(terms, policy=policy)
    for name in (TEA, MUG):
        world.happens(Configured(terms), name)
        world.counts(20, name)
    with patch("agents.core.review.situation_of", situation_of_little_demand):
        world.passes(days=1)
        play(world, story)
        world.passes(days=2)
    assert max(outputs_by_day(world).values(), default=0) <= MOST_OUTPUTS
    assert world.core.counters.violations == {}
    assert all(conserved(world.item(name)) for name in (TEA, MUG))

    replayed = Core(4)
    for folded in world.folded:
        entries = tuple(output.entry for output in folded.outputs if output.entry is not None)
        list(replayed.fold(folded.record, folded.offset, folded.appended, Replay(entries, whole=True)))
    assert replayed.dump() == world.core.dump()


@pytest.fixture
def world() -> FoldedLedger:
    world = FoldedLedger()
    world.happens(Configured(Terms(lead_time_days=2.0, order_up_to=50, reorder_point=30, low_stock=10)))
    world.counts(40)
    world.passes(days=1)
    return world


def test_a_stock_that_flaps_is_one_episode_after_a_while(world: FoldedLedger) -> None:
    outputs = []
    for _ in range(20):
        outputs += alerts(world.happens(Placed(39))) + alerts(world.happens(Returned(39, restock=True)))
    assert outputs.count("low_stock raised") == 3
    assert outputs.count("low_stock cleared") == 2, "the third stays open"
    assert "low_stock cleared" in alerts(world.passes(days=1)), "until the review"


def test_two_orders_between_reviews_are_enough_for_a_day(world: FoldedLedger) -> None:
    outputs = []
    for _ in range(20):
        outputs += orders(world.happens(Placed(60)))
        outputs += orders(world.happens(Received(60, 0, world.ordered()[-1].replenishment)))
    assert len(outputs) == 2
    world.happens(Placed(60))
    assert len(orders(world.passes(days=1))) == 1, "the review orders what is short by then"


def test_proposals_that_nobody_answers_come_to_an_end(world: FoldedLedger) -> None:
    world.happens(Configured(Terms(mode="approve", lead_time_days=30.0)))
    outputs = []
    for _ in range(9):
        world.happens(Placed(60))
        outputs += kinds(world.passes(days=1))
    assert len([kind for kind in outputs if kind.startswith("proposal")]) <= 4
    assert "review held" in outputs
