"""The core as its shard sees it: its port, and a closed loop of a shop, a supplier and a core."""

from collections import defaultdict

import numpy as np

from agents.core.core import Core
from agents.inventory.conservation import conserved
from schemas.journal import Decided
from schemas.ledger import Configured, Placed, Received, Rejected, Terms
from stream import ports
from tests.fakes.folded_ledger import HOUR, FoldedLedger

LEAD_TIME_DAYS = 3


def test_the_core_is_what_its_port_asks_for() -> None:
    core: ports.ShardCore = Core(0)
    assert set(core.dump()) == {"items", "minds", "pages", "shared"}


def test_a_record_that_changes_nothing_costs_no_iterator() -> None:
    world = FoldedLedger()
    world.counts(1000)
    world.happens(Placed(1))
    record = world.folded[-1]
    later = FoldedLedger()
    later.counts(1000)
    later.happens(Placed(1), id="another")
    assert later.core.fold(record.record, 9, record.appended, None) == ()


def test_a_shop_that_receives_what_is_requested_serves_its_customers() -> None:
    world, chance = FoldedLedger(), np.random.default_rng(7)
    means = {f"SKU-{number}@BER1": mean for number, mean in enumerate((0.3, 1.0, 2.5, 6.0, 15.0))}
    terms = Terms(policy="base-stock", lead_time_days=float(LEAD_TIME_DAYS), service_level=0.95)
    for item, mean in means.items():
        world.happens(Configured(terms), item)
        world.counts(int(6 * mean) + 2, item)
    underway: defaultdict[int, list[Decided]] = defaultdict(list)
    seen = 0
    asked = lost = 0
    for day in range(120):
        for order in underway.pop(day, []):
            world.happens(Received(order.quantity, 0, order.replenishment, final=True), order.item)
        for item, mean in means.items():
            wanted, there = int(chance.poisson(mean)), max(0, world.item(item).net)
            asked, lost = asked + wanted, lost + max(0, wanted - there)
            if min(wanted, there):
                world.happens(Placed(min(wanted, there), order=day + 1), item, at=world.now + HOUR)
            if wanted > there:
                world.happens(Rejected(wanted - there), item, at=world.now + HOUR)
        world.passes(days=1)
        for order in world.ordered()[seen:]:
            underway[day + 1 + LEAD_TIME_DAYS].append(order)
            seen += 1
    assert lost < 0.03 * asked
    assert all(conserved(world.item(item)) for item in means)
    assert all(world.item(item).net < 12 * mean + 12 for item, mean in means.items()), "nor does it hoard"
    assert len({order.replenishment for order in world.ordered()}) == seen > 100
    assert world.core.counters.violations == {}
    assert world.core.counters.failures == {}
