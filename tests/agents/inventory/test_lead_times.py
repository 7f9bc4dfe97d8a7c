"""How long suppliers take is learned from what came, and decisions follow it."""

from agents.core.learning_state import learning_state_of
from schemas.ledger import Acknowledged, Configured, FoldSettings, Placed, Received, Shipped, Terms
from schemas.quantities import DAY_MS
from tests.fakes.folded_ledger import MUG, TEA, FoldedLedger


def buying(lead_time_days: float = 2.0) -> FoldedLedger:
    """Ten a day are sold of two items of one supplier; of MUG there is plenty."""
    world = FoldedLedger(FoldSettings(lateness_ms=0))
    for item in (TEA, MUG):
        terms = Terms(policy="base-stock", forecaster="ewma", lead_time_days=lead_time_days, supplier="acme")
        world.happens(Configured(terms), item)
        world.counts(100 if item == TEA else 100_000, item)
    return world


def lives(world: FoldedLedger, days: int, takes: float | None, share: float = 1.0) -> None:
    """So many days; TEA's orders come after `takes` days, or never."""
    for _ in range(days):
        for item in (TEA, MUG):
            world.happens(Placed(10), item)
        for order in list(world.item().orders):
            if takes is not None and order.status == "requested" and world.now - order.decided_at >= takes * DAY_MS:
                units = max(1, int(order.outstanding * share))
                world.happens(Received(units, 0, order.id, final=True))
        world.passes(days=1)


def chances(world: FoldedLedger, item: str = TEA) -> tuple[float, ...]:
    card = world.core._shelf.find(item)
    assert card is not None
    return world.core._learners.lead_time(learning_state_of(card), "acme", promised=2)


def test_before_anything_came_the_promise_counts() -> None:
    assert chances(buying()) == (0.0, 0.0, 1.0)


def test_a_slow_supplier_is_found_out_also_for_items_of_which_nothing_came() -> None:
    world = buying()
    lives(world, 3, takes=None)
    before = world.item().order_up_to
    lives(world, 30, takes=5)
    learned, beside = chances(world), chances(world, MUG)
    assert max(range(len(learned)), key=learned.__getitem__) == 5
    assert sum(learned) == 1.0
    assert beside[5] > 0.5
    assert before is not None
    assert (world.item().order_up_to or 0) > before + 20


def test_what_never_comes_is_a_loss() -> None:
    world = buying()
    lives(world, 30, takes=None)
    assert sum(chances(world)) < 0.5


def test_a_short_delivery_is_a_loss_in_part() -> None:
    world = buying()
    lives(world, 30, takes=2, share=0.75)
    assert 0.6 < sum(chances(world)) < 0.9


def test_what_was_given_up_and_came_after_all_was_no_loss() -> None:
    world = buying()
    lives(world, 21, takes=None)
    silent = [order for order in world.item().orders if order.status == "silent"]
    lost = sum(chances(world))
    assert silent
    assert lost < 1.0
    spoken_of, shipped, arrived = silent[0], silent[1], silent[2:]
    world.happens(Acknowledged(spoken_of.id, "accepted", spoken_of.quantity, world.now + DAY_MS))
    world.happens(Shipped(shipped.id, world.now + DAY_MS))
    for order in arrived:
        world.happens(Received(order.quantity, 0, order.id))
    world.passes(days=1)
    assert sum(chances(world)) > lost + 0.05


def test_other_periods_are_learned_anew() -> None:
    world = buying()
    lives(world, 30, takes=5)
    world.settings_change(period_ms=7 * DAY_MS)
    assert chances(world) == (0.0, 0.0, 1.0)
    assert chances(world, MUG) == (0.0, 0.0, 1.0)
