"""What is stored: refused when it is something else, decoded only when needed, small."""

import dataclasses
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from agents.core.core import Core
from agents.core.learning_state import decode_learning_state
from agents.inventory.catalogue import Catalogue
from agents.inventory.position import Bucket, Episode, Item, ItemTotals, Order, Wait
from agents.inventory.shelf import read_item
from agents.inventory.stored_item import StoredBucket, StoredItem, StoredTotals, decode_item, encode_item
from agents.inventory.terms import decode_said
from agents.inventory.timeline import FeedMark, StoredFeedMark, Timeline
from agents.inventory.window import Page
from schemas.ledger import Configured, Placed, Terms
from tests.fakes.folded_ledger import FoldedLedger


@pytest.mark.parametrize("blob", [b"", b"\xc1", b"\x93\x01\x02", b"\x80\x04K\x01.", b'{"net": 1}', b"\x91" * 5000])
@pytest.mark.parametrize(
    "read",
    [
        decode_item,
        decode_said,
        decode_learning_state,
        lambda blob: read_item(bytes(8) + blob),
        lambda blob: Timeline().load({"clock": blob}),
        lambda blob: Timeline().load({"feed x": blob}),
        lambda blob: Catalogue().load({"supplier x": blob}),
        lambda blob: Page.load(blob + b"x"),
    ],
)
def test_a_blob_that_is_something_else_is_an_error_and_nothing_runs(read: Callable[[bytes], Any], blob: bytes) -> None:
    with pytest.raises(ValueError, match="not "):
        read(blob)


@pytest.mark.parametrize(
    "used, stored",
    [(Item, StoredItem), (Bucket, StoredBucket), (ItemTotals, StoredTotals), (FeedMark, StoredFeedMark)],
)
def test_a_stored_form_has_every_field_of_what_it_stores(used: Any, stored: Any) -> None:
    assert [field.name for field in dataclasses.fields(used)] == list(stored.__struct_fields__)


def test_each_field_is_stored_in_its_own_place() -> None:
    item = Item(
        known=True, net=1, reserved=2, on_order=3, counted_at=4, counted=(5, 6), reserve=True, backorder=False,
        abc="A", starts=7, ends=8, open=Bucket(9, 10, 11, 12, ran_out=True), ahead={13: Bucket(14, 15, 16, 17)},
        closed_periods=18, asked_at=19, paid=20.5, low_stock=21, reorder_point=22, order_up_to=23, safety_stock=24,
        below=True, daily=25.5, orders=[Order("rep-1", "shipped", 26, 27, 28, 29, 30, 31)],
        alerts=[Episode("low_stock", "eps-1", 32)], totals=ItemTotals(*range(33, 47)),
        waits=[Wait("acme", "came", 0.5)], known_since=48,
    )  # fmt: skip
    stored = msgspec.msgpack.decode(encode_item(item), type=StoredItem)
    assert msgspec.structs.asdict(stored.totals) == dataclasses.asdict(item.totals)
    assert msgspec.structs.asdict(stored.open) == dataclasses.asdict(item.open)
    plain = set(StoredItem.__struct_fields__) - {"open", "ahead", "totals"}
    assert {name: getattr(stored, name) for name in plain} == {name: getattr(item, name) for name in plain}
    assert decode_item(encode_item(item)) == item


def test_loading_decodes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = FoldedLedger()
    for number in range(50):
        world.happens(Placed(1), f"SKU-{number}@BER1")
    world.passes(days=1)
    stored = world.core.dump()

    def decoded(*_: Any) -> None:
        raise AssertionError("something was decoded")

    again = Core(4)
    with monkeypatch.context() as patch:
        patch.setattr("agents.inventory.shelf.decode_item", decoded)
        patch.setattr("agents.core.learning_state._decode", decoded)
        again.load(stored)
        assert again.dump() == stored
    assert again.changes()["items"] == {}


def test_only_what_changed_is_written() -> None:
    world = FoldedLedger()
    for number in range(200):
        world.happens(Placed(1), at=world.now + 60_000 * number)
    world.happens(Configured(Terms(low_stock=4)), "OTHER@BER1")
    world.core.changes()
    world.happens(Placed(1))
    changes = world.core.changes()
    assert list(changes["items"]) == ["TEA-01@BER1"]
    assert sorted(changes["pages"]) == ["TEA-01@BER1\x00d3", "TEA-01@BER1\x00h492336"]
    assert sum(len(value or b"") for value in changes["pages"].values()) < 800
    assert set(changes["shared"]) == {"clock", "feed orders-id/0", "gauges"}


def test_an_item_with_a_week_of_sales_is_small() -> None:
    world = FoldedLedger()
    world.happens(Configured(Terms(policy="base-stock", low_stock=10, supplier="acme")))
    for _ in range(28):
        for hour in range(3):
            world.happens(Placed(2, order=hour + 1, price=4.9), at=world.now + hour * 3_600_000)
        world.passes(days=1)
    stored = world.core.dump()
    assert len(stored["items"]["TEA-01@BER1"]) < 260
    assert sum(map(len, stored["pages"].values())) < 5000
