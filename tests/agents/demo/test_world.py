"""The simulated shop and warehouse are honest: what they publish is what happens on their shelves."""

from collections import Counter

import msgspec
import pytest

from agents.demo.goods import Assortment
from agents.demo.outgoing import OutgoingEvent
from agents.demo.planner import Planner, Proposal
from agents.demo.reference import Reference
from agents.demo.shop import ShopFloor
from agents.demo.warehouse import Request, Warehouse
from agents.simulation.shop import Shop
from schemas.codec import Event, Limits, decode

DAYS, ITEMS, SEED = 40, 30, 11
LIMITS = Limits(256_000, "EUR")
LONG_AFTER_MS = 1_800_000_000_000


@pytest.fixture
def assortment() -> Assortment:
    return Assortment(Shop(SEED, ITEMS, DAYS))


def units(events: list[OutgoingEvent], kind: str) -> Counter[str]:
    """Units of all events of a type, by sku; an event that is sent twice counts once."""
    contents = {event.value: msgspec.json.decode(event.value) for event in events}.values()
    counted: Counter[str] = Counter()
    for content in contents:
        for line in content["data"]["lines"] if content["type"] == kind else ():
            counted[line["sku"]] += line["quantity"]
    return counted


def test_orders_say_what_was_sold_and_what_was_not(assortment: Assortment) -> None:
    floor, lost = ShopFloor(assortment), 0
    for day in range(DAYS):
        trade = floor.trade(day)
        placed, rejected = units(trade.events, "order.placed"), units(trade.events, "order.rejected")
        for good, lived in zip(assortment.goods, trade.days, strict=True):
            assert (placed[good.article.sku], rejected[good.article.sku]) == (lived.sold, lived.lost)
            lost += lived.lost
    assert lost > 0, "nothing is delivered in this test: shelves must have run empty"


def test_every_event_of_the_demo_keeps_the_contract(assortment: Assortment) -> None:
    floor = ShopFloor(assortment)
    warehouse = Warehouse(assortment, floor.shelves)
    events = assortment.plan() + assortment.opening_counts()
    for day in range(DAYS):
        events += warehouse.morning(day) + floor.trade(day).events
        for good in assortment.goods[:5]:
            warehouse.take(Request(f"rep-{good.number}-{day}", good.article.sku, "BER1", 7), day)

    verdicts = [decode(event.topic, event.value, None, LONG_AFTER_MS, LIMITS) for event in events]

    assert [verdict for verdict in verdicts if not isinstance(verdict, Event)] == []


def test_goods_arrive_once_and_orders_come_to_an_end(assortment: Assortment) -> None:
    shelves = ShopFloor(assortment).shelves
    warehouse = Warehouse(assortment, shelves)
    good = assortment.goods[1]
    request = Request("rep-1", good.article.sku, "BER1", 50)

    assert warehouse.take(request, 0)
    assert not warehouse.take(request, 3), "a warehouse that reads an order again must notice"

    accepted = 0
    for day in range(1, DAYS):
        for event in warehouse.morning(day):
            content = msgspec.json.decode(event.value)
            accepted += content["data"]["accepted"] if content["type"] == "stock.received" else 0
    for _ in range(DAYS):
        shelves[good.number].live(0)
    assert shelves[good.number].on_hand - good.opening == accepted
    assert 0 < accepted <= 50
    assert warehouse.outstanding[good.name] == 0


def test_the_reference_orders_and_pays(assortment: Assortment) -> None:
    reference = Reference(assortment)
    for day in range(DAYS):
        reference.live(day)

    assert reference.demand == assortment.shop.demand.sum()
    assert 0 < reference.lost < reference.demand / 2, "it does order"
    assert reference.cost > 0.0


def test_a_proposal_is_declined_once_in_the_morning() -> None:
    planner = Planner()
    planner.read(Proposal("rep-1", "TEA-01", "BER1"))

    (answer,) = planner.morning(4)

    verdict = decode(answer.topic, answer.value, None, LONG_AFTER_MS, LIMITS)
    assert isinstance(verdict, Event)
    assert verdict.type == "replenishment.declined"
    assert planner.morning(5) == []
    assert planner.proposals == 1
