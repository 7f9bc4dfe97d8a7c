"""What the counters know of proposals that wait: since when, through answers, restarts and replay."""

import pytest

from agents.core.core import Core
from schemas.ledger import Approved, Change, Configured, Declined, Placed, Terms
from tests.fakes.folded_ledger import HOUR, MUG, TEA, FoldedLedger, replay_of


def waiting(core: Core) -> list[int]:
    """The hours of the proposals that wait, one for each."""
    return [hour for hour, number in sorted(core.counters.gauges.proposals.items()) for _ in range(number)]


@pytest.fixture
def world() -> FoldedLedger:
    """Two items whose orders a buyer approves; the second one's first review is a day later."""
    world = FoldedLedger()
    for item in (TEA, MUG):
        world.happens(Configured(Terms(policy="base-stock", lead_time_days=1.0, mode="approve")), item)
        world.counts(30, item)
        world.happens(Placed(20), item)
        world.passes(days=1)
    return world


def asked(world: FoldedLedger, item: str) -> list[str]:
    return [order.id for order in world.item(item).orders if order.status == "proposed"]


def hours_of(world: FoldedLedger) -> list[int]:
    """The same, from the items themselves."""
    orders = [order for item in (TEA, MUG) for order in world.item(item).orders if order.status == "proposed"]
    return sorted(order.decided_at // HOUR * HOUR for order in orders)


def test_each_waits_from_the_hour_in_which_it_was_made(world: FoldedLedger) -> None:
    assert len(waiting(world.core)) >= 2
    assert len(set(waiting(world.core))) == 2, "the two items were reviewed a day apart"
    assert waiting(world.core) == hours_of(world)


@pytest.mark.parametrize("answer", [Approved, Declined])
def test_an_answer_ends_the_waiting_also_after_a_restart(world: FoldedLedger, answer: type[Change]) -> None:
    first = min(waiting(world.core))
    restarted = Core(4)
    restarted.load(world.core.dump())
    world.core = restarted
    for replenishment in asked(world, TEA):
        world.happens(answer(replenishment), TEA)
    assert waiting(world.core) == hours_of(world) != []
    assert min(waiting(world.core)) > first
    for replenishment in asked(world, MUG):
        world.happens(answer(replenishment), MUG)
    assert waiting(world.core) == hours_of(world) == []


def test_replay_comes_to_the_same(world: FoldedLedger) -> None:
    world.happens(Declined(asked(world, TEA)[0]), TEA)
    core = Core(4)
    for folded in world.folded:
        entries = [output.entry for output in folded.outputs if output.entry is not None]
        for _ in core.fold(folded.record, folded.offset, folded.appended, replay_of(entries)):
            pass
    assert waiting(core) == waiting(world.core) != []
    assert core.dump() == world.core.dump()
