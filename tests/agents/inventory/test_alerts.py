"""Alerts begin and end exactly where the contract's table says."""

import pytest

from agents.inventory.alerts import KINDS, NEWCOMER_DAYS, edges
from agents.inventory.card import Card
from agents.inventory.position import Episode, Item
from agents.inventory.severity import severity
from schemas.ledger import Configured, FoldSettings, Placed, Received, Terms
from tests.fakes.folded_ledger import DAY, HOUR, T0, FoldedLedger, alerts, orders


def stocked(units: int, **terms: float) -> FoldedLedger:
    """So many units counted, before any review."""
    world = FoldedLedger()
    world.happens(Configured(Terms(**terms)))  # type: ignore[arg-type]
    world.counts(units)
    return world


def test_low_stock_begins_at_its_threshold_and_ends_a_fifth_above() -> None:
    world = stocked(30, low_stock=14)
    assert alerts(world.happens(Placed(15))) == []
    assert alerts(world.happens(Placed(1))) == ["low_stock raised"]
    assert alerts(world.happens(Placed(3))) == []
    assert alerts(world.happens(Received(5))) == []
    assert alerts(world.happens(Received(1))) == ["low_stock cleared"]
    assert alerts(world.happens(Placed(2))) == []
    assert alerts(world.happens(Placed(1))) == ["low_stock raised"]


def test_the_band_is_at_least_one_unit() -> None:
    world = stocked(5, low_stock=2)
    assert alerts(world.happens(Placed(3))) == ["low_stock raised"]
    assert alerts(world.happens(Received(1))) == ["low_stock cleared"]


def test_stock_out_begins_at_nothing_and_ends_above_the_band() -> None:
    world = stocked(30, low_stock=14)
    assert alerts(world.happens(Placed(30))) == ["low_stock raised", "stock_out raised"]
    assert alerts(world.happens(Received(2))) == []
    assert alerts(world.happens(Received(1))) == ["stock_out cleared"]


def test_stock_out_without_a_threshold_ends_with_the_first_unit() -> None:
    world = stocked(3)
    assert alerts(world.happens(Placed(3))) == ["stock_out raised"]
    assert alerts(world.happens(Received(1))) == ["stock_out cleared"]


def test_negative_stock_ends_at_nothing() -> None:
    world = stocked(3)
    assert alerts(world.happens(Placed(4))) == ["stock_out raised", "negative_stock raised"]
    assert alerts(world.happens(Received(1))) == ["negative_stock cleared"]


def test_a_reservation_is_not_available() -> None:
    world = stocked(30, low_stock=14)
    world.happens(Configured(Terms(fulfilment="reserve")))
    assert alerts(world.happens(Placed(30))) == ["low_stock raised", "stock_out raised"]
    assert alerts(world.happens(Placed(1))) == [], "nothing is below zero in the house"


def test_overstock_begins_above_one_and_a_half_times_the_level() -> None:
    world = stocked(10, order_up_to=20)
    world.passes(days=NEWCOMER_DAYS)
    assert alerts(world.happens(Received(20))) == []
    assert alerts(world.happens(Received(1))) == ["overstock raised"]
    assert alerts(world.happens(Placed(10))) == []
    assert alerts(world.happens(Placed(1))) == ["overstock cleared"]


def test_an_alert_tells_both_lines() -> None:
    world = stocked(20, order_up_to=20, low_stock=6)
    world.passes(days=NEWCOMER_DAYS)
    low, high = (world.happens(each)[-1].event.body for each in (Placed(14), Received(25)))
    assert (low.kind, low.lower_line, low.upper_line, low.available) == ("low_stock", 6, 31, 6)
    assert (high.kind, high.lower_line, high.upper_line, high.available) == ("overstock", 6, 31, 31)


def test_a_newcomer_is_not_overstocked() -> None:
    world = stocked(10, order_up_to=20)
    world.passes(days=NEWCOMER_DAYS - 2)
    assert alerts(world.happens(Received(500))) == []
    assert "overstock raised" in alerts(world.passes(days=2))


def test_an_excess_that_sells_off_within_a_month_is_not_overstock() -> None:
    item = Item(known=True, order_up_to=20, daily=2.0, closed_periods=NEWCOMER_DAYS, starts=0, ends=DAY, net=80)
    assert edges(item) == []
    item.net = 81
    assert edges(item) == [("overstock", True)]


def test_low_stock_that_is_covered_in_time_is_information() -> None:
    world = stocked(30, low_stock=14, reorder_point=20, order_up_to=50, lead_time_days=2.0)
    for _ in range(3):
        world.happens(Placed(2))
        world.passes(days=1)
    outputs = world.happens(Placed(11))
    low = next(output.event.body for output in outputs if output.topic == "alerts")
    assert orders(outputs) == ["request 37"]
    assert (low.kind, low.severity, low.on_order) == ("low_stock", "info", 37)


def test_low_stock_that_is_not_covered_in_time_is_a_warning() -> None:
    world = stocked(30, low_stock=14, reorder_point=20, order_up_to=50, lead_time_days=9.0)
    for _ in range(3):
        world.happens(Placed(2))
        world.passes(days=1)
    outputs = world.happens(Placed(17))
    low = next(output.event.body for output in outputs if output.topic == "alerts")
    assert (low.kind, low.severity) == ("low_stock", "warning")


def test_thresholds_change_only_at_reviews() -> None:
    world = stocked(30, low_stock=5)
    world.passes(days=1)
    assert alerts(world.happens(Configured(Terms(low_stock=40)))) == []
    assert alerts(world.happens(Placed(1))) == []
    assert "low_stock raised" in alerts(world.passes(days=1))


def test_an_episode_has_one_beginning_and_one_end() -> None:
    world = stocked(30, low_stock=14)
    (raised,) = world.happens(Placed(16))
    (cleared,) = world.happens(Received(20))
    begin, end = raised.event.body, cleared.event.body
    assert begin.episode == end.episode == "eps-k3f9-4-3-0"
    assert (begin.alert_id, end.alert_id) == ("alr-k3f9-4-3-0", "alr-k3f9-4-4-0")
    assert (begin.state, end.state) == ("raised", "cleared")
    assert (begin.threshold, begin.on_hand, begin.severity) == (14, 14, "warning")
    assert begin.runbook == "docs/runbooks/LowStock.md"
    (again,) = world.happens(Placed(20))
    assert again.event.body.episode == "eps-k3f9-4-5-0"


def test_an_alert_carries_its_cause() -> None:
    world = stocked(30, low_stock=14)
    (raised,) = world.happens(Placed(16), id="ord-1")
    assert (raised.event.correlation, raised.event.causation) == ("ord-1", "ord-1")
    assert raised.event.time_ms == world.now


def test_an_item_nobody_has_seen_raises_nothing() -> None:
    world = FoldedLedger()
    world.happens(Configured(Terms(low_stock=14)))
    assert alerts(world.happens(Placed(5))) == []
    assert alerts(world.passes(days=3)) == []
    assert alerts(world.happens(Received(1))) == ["low_stock raised", "stock_out raised", "negative_stock raised"]


def test_before_deciding_begins_nothing_is_raised() -> None:
    world = FoldedLedger(FoldSettings(lateness_ms=0, decide_from=T0 + 3 * DAY))
    world.happens(Configured(Terms(low_stock=14)))
    world.counts(10)
    assert alerts(world.happens(Placed(20))) == []
    assert alerts(world.passes(days=2)) == []
    assert orders(world.passes(days=0.9)) == []
    outputs = world.passes(days=0.1)
    assert alerts(outputs)[:3] == ["low_stock raised", "stock_out raised", "negative_stock raised"]


def test_what_will_run_out_before_anything_can_arrive_raises_an_alert() -> None:
    world = FoldedLedger()
    world.happens(Configured(Terms(lead_time_days=5.0, policy="base-stock")))
    world.counts(30)
    found = []
    for _ in range(6):
        world.happens(Placed(8))
        found += alerts(world.passes(days=1))
    assert found.count("projected_stock_out raised") == 1
    late = next(o for o in world.outputs if o.topic == "alerts" and o.event.body.kind == "projected_stock_out")
    assert late.event.body.projected_stock_out_at is not None
    assert late.event.body.next_receipt_at is not None


def test_stock_that_nobody_asks_for_is_dead() -> None:
    world = stocked(30)
    world.happens(Placed(1))
    assert "dead_stock raised" not in alerts(world.passes(days=89))
    assert "dead_stock raised" in alerts(world.passes(days=2))
    world.happens(Placed(1))
    assert "dead_stock cleared" in alerts(world.passes(days=1))


def test_open_alerts_are_counted_by_kind_and_class() -> None:
    world = stocked(30, low_stock=14)
    world.happens(Placed(30))
    gauges = world.core.counters.gauges
    assert (gauges.open_alerts["low_stock C"], gauges.at_risk["C"]) == (1, 1)
    world.happens(Configured(Terms(abc_class="A")))
    assert (gauges.open_alerts["low_stock C"], gauges.open_alerts["low_stock A"]) == (0, 1)
    assert (gauges.at_risk, gauges.items) == ({"C": 0, "A": 1}, {"C": 0, "A": 1})
    world.happens(Received(30))
    assert (gauges.open_alerts["low_stock A"], gauges.at_risk["A"]) == (0, 0)


@pytest.mark.parametrize("backorder", [False, True])
@pytest.mark.parametrize("low_stock", [None, 0, 1, 7])
@pytest.mark.parametrize("order_up_to", [None, 0, 6, 9])
def test_within_the_quiet_levels_no_edge_lies(
    low_stock: int | None, order_up_to: int | None, *, backorder: bool
) -> None:
    for raised in range(16):
        open_kinds = [
            kind
            for bit, kind in enumerate(("low_stock", "stock_out", "negative_stock", "overstock"))
            if raised >> bit & 1
        ]
        for net in range(-6, 20):
            for reserved in (-2, 0, 3):
                item = Item(known=True, net=net, reserved=reserved, backorder=backorder)
                item.low_stock, item.order_up_to = low_stock, order_up_to
                item.starts, item.ends, item.closed_periods, item.daily = 0, DAY, NEWCOMER_DAYS, 0.05
                item.open.ran_out = True
                item.alerts = [Episode(kind, "e", 0) for kind in open_kinds]
                card = Card("TEA-01@BER1", item, 0, {}, None)
                card.settle()
                stock = net - max(0, reserved)
                if card.quiet_below < stock < card.quiet_above:
                    assert edges(item) == [], (item, card.quiet_below, card.quiet_above)


def test_every_kind_of_the_contract_has_a_runbook_and_a_severity() -> None:
    assert {severity(Item(), kind, 0) for kind in KINDS} <= {"critical", "warning", "info"}


def test_overdue_begins_when_the_promise_has_passed_and_ends_with_the_receipt() -> None:
    from schemas.ledger import Acknowledged

    world = FoldedLedger()
    world.happens(Configured(Terms(lead_time_days=2.0, order_up_to=50, reorder_point=30)))
    world.counts(20)
    world.happens(Placed(1))
    world.passes(days=1)
    (decided,) = world.ordered()
    world.happens(Acknowledged(decided.replenishment, "accepted", decided.quantity, world.now + 4 * HOUR))
    assert alerts(world.passes(hours=4)) == []
    outputs = world.passes(hours=1)
    assert alerts(outputs) == ["overdue_replenishment raised"]
    assert outputs[0].event.body.replenishment_id == decided.replenishment
    outputs = world.happens(Received(decided.quantity, 0, decided.replenishment, final=True))
    assert "overdue_replenishment cleared" in alerts(outputs)
