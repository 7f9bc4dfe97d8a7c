"""Replay applies what was published, also where today's rules would decide something else."""

import msgspec

from agents.core.core import Core
from schemas.journal import Alerted, Decided, Point
from schemas.ledger import Configured, Placed, Terms
from stream.ports import Replay
from tests.fakes.folded_ledger import DAY, T0, TEA, FoldedLedger, alerts, orders, replay_of


def selling() -> FoldedLedger:
    """A world in which something was ordered and something was raised."""
    world = FoldedLedger()
    world.happens(Configured(Terms(policy="base-stock", lead_time_days=2.0, low_stock=8)))
    world.counts(12)
    return world


def refolded(world: FoldedLedger, replays: dict[int, Replay]) -> Core:
    """Another core that replays the same records, with what a journal says of some of them."""
    core = Core(4)
    for folded in world.folded:
        replay = replays.get(folded.offset, replay_of([o.entry for o in folded.outputs if o.entry is not None]))
        assert [o for o in core.fold(folded.record, folded.offset, folded.appended, replay) if o is not None] == []
    return core


def test_a_published_alert_stands_though_nothing_would_raise_it_today() -> None:
    world = selling()
    alerted = Alerted(Point(2), TEA, "overstock", raised=True, episode="eps-1", since=T0)
    core = refolded(world, {2: replay_of([alerted])})
    card = core._shelf.find(TEA)
    assert card is not None
    assert [(episode.kind, episode.id) for episode in card.item.alerts] == [("overstock", "eps-1")]


def test_an_alert_that_was_not_published_did_not_begin() -> None:
    world = selling()
    assert alerts(world.happens(Placed(5))) == ["low_stock raised"]
    core = refolded(world, {3: replay_of([])})
    card = core._shelf.find(TEA)
    assert card is not None
    assert card.item.alerts == []


def test_a_decision_stands_though_its_moment_is_another_one_today() -> None:
    world = selling()
    world.happens(Placed(5))
    assert orders(world.passes(days=1)) != []
    (decided,) = world.ordered()
    elsewhere = msgspec.structs.replace(decided, decided_at=decided.decided_at + 1, quantity=77)
    core = refolded(world, {4: replay_of([elsewhere])})
    card = core._shelf.find(TEA)
    assert card is not None
    assert [(order.id, order.quantity) for order in card.item.orders] == [(decided.replenishment, 77)]


def test_a_decision_that_was_not_published_was_not_made() -> None:
    world = selling()
    world.happens(Placed(5))
    assert orders(world.passes(days=1)) != []
    core = refolded(world, {4: replay_of([])})
    card = core._shelf.find(TEA)
    assert card is not None
    assert (card.item.orders, card.item.on_order) == ([], 0)
    assert card.item.reorder_point == world.item().reorder_point, "but it learned"
    assert core.counters.decisions == {}


def test_wakeups_after_the_last_published_one_see_all_published_entries() -> None:
    world = selling()
    world.happens(Placed(5))
    world.passes(days=2)
    (decided,) = world.ordered()
    assert isinstance(decided, Decided)
    core = Core(4)
    for folded in world.folded[:-1]:
        list(core.fold(folded.record, folded.offset, folded.appended, None))
    strange = msgspec.structs.replace(decided, decided_at=decided.decided_at - 5)
    tick = world.folded[-1]
    replay = Replay((strange,), whole=False, done=(T0 + DAY, TEA), step=3)
    outputs = [o for o in core.fold(tick.record, tick.offset, tick.appended, replay) if o is not None]
    assert orders(outputs) == [], "the order is there already"
    assert outputs[0].at.step == 3
