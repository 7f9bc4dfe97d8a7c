"""What an undo publishes puts the stock where it was, whatever happened meanwhile, folded by the core itself."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import xxhash

from agents.core.core import Core
from agents.imports.before import states_before
from agents.imports.events import EventDraft, Ready, ready
from agents.imports.report import Report
from agents.imports.runs import StateBefore
from agents.imports.undo import Corrections
from agents.intake.movements import movements_of
from agents.inventory.card import Card
from schemas.codec import Event, Limits, decode, fingerprint, identity, topic_for
from schemas.envelope import STRUCTURED_HEADERS
from schemas.inbound import (
    Inbound,
    ItemConfigured,
    Line,
    OrderCancelled,
    OrderLine,
    OrderPlaced,
    ReturnReceived,
    StockAdjusted,
    StockCounted,
)
from schemas.ledger import FoldSettings, LedgerCreated, Movement, Progress, Ticked
from stream.errors import AnswerIsNo

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TEA = "TEA@BER1"


class ImportedShard:
    """One shard that takes events as intake would split them."""

    def __init__(self) -> None:
        self.core = Core(0, "k3f9")
        self.offset = 0
        self.now = NOW
        self.settings = FoldSettings(lateness_ms=0)
        self.fold(LedgerCreated("k3f9", "restock", 0, 1, self.settings))

    def fold(self, record: Any) -> None:
        assert list(self.core.fold(record, self.offset, _ms(self.now), None)) is not None
        self.offset += 1

    def takes(self, events: Sequence[Event]) -> None:
        for event in events:
            for ordinal, (item, change) in enumerate(movements_of(event.data)):
                origin = (f"{topic_for_data(event)}/0", self.offset, ordinal, None)
                name = (event.source, event.id, identity(event.source, event.id), fingerprint(event))
                self.fold(Movement(item, *origin, *name, event.time_ms, change))

    def time_is(self, moment: datetime) -> None:
        self.now = moment
        progress = Progress("orders/0", self.offset, _ms(moment), drained=True, prev=None)
        self.fold(Ticked("w", _ms(moment), (progress,), ("orders/0",), self.settings))

    @property
    def watermark(self) -> int | None:
        return self.core._state.frame.watermark

    def cards(self) -> dict[str, Card | None]:
        return {name: self.core._shelf.find(name) for name in (TEA, "MUG@BER1")}

    def net(self, name: str = TEA) -> int | None:
        card = self.core._shelf.find(name)
        return None if card is None else card.item.net


def topic_for_data(event: Event) -> str:
    return event.type.partition(".")[0]


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000)


def event_of(event: Ready) -> Event:
    verdict = decode(topic_for(event.value), event.value, STRUCTURED_HEADERS, 0, Limits())
    assert isinstance(verdict, Event), verdict
    return verdict


def made(*data: tuple[datetime, Inbound], source: str = "import") -> list[Ready]:
    drafts = [EventDraft(time, _id(each), each, (2,) * len(getattr(each, "lines", (1,)))) for time, each in data]
    report = Report()
    events = ready(drafts, source, Limits(), report)
    assert report.refused == {}
    return events


def _id(data: Inbound) -> str:
    return f"{type(data).__name__}-{xxhash.xxh3_64_hexdigest(repr(data).encode())}"


def order(name: str, quantity: int, sku: str = "TEA") -> OrderPlaced:
    line = OrderLine(line_id="1", sku=sku, location="BER1", quantity=quantity)
    return OrderPlaced(order_id=name, lines=(line,))


def count(counted: int, as_of: datetime) -> StockCounted:
    name = f"c{counted}-{as_of}"
    return StockCounted(sku="TEA", location="BER1", count_id=name, counted=counted, as_of=as_of)


def corrections(
    shop: ImportedShard, run: Sequence[Ready], before: dict[str, StateBefore] | None = None, refused: str = ""
) -> tuple[list[Event], list[str]]:
    made_by = Corrections(
        "EUR", shop.cards(), lambda _: shop.watermark, lambda id_, _: id_ == refused, NOW + timedelta(minutes=1)
    )
    drafts = made_by.of([(event_of(event), (before or {}).get(event.draft.id)) for event in run])
    report = Report()
    events = ready(drafts, "import", Limits(), report)
    assert report.refused == {}
    return [event_of(event) for event in events], made_by.report.lines(drafts)


def hours(number: float) -> datetime:
    return NOW - timedelta(hours=number)


# Orders and stock -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_orders_returns_and_adjustments_are_undone_wherever_counts_lie_between(seed: int) -> None:
    """Two shops live the same; one imports, and takes it back. Stock must end the same, whatever comes when."""
    chance = random.Random(seed)
    other = [(hours(chance.uniform(0, 40)), order(f"live{n}", chance.randint(1, 9))) for n in range(10)]
    counts = [(NOW, count(chance.randint(0, 90), hours(chance.uniform(0, 40)))) for _ in range(3)]
    history: list[tuple[datetime, Inbound]] = [
        (hours(chance.uniform(0, 80)), order(f"o{n}", chance.randint(1, 9))) for n in range(12)
    ]
    back = Line(line_id="1", sku="TEA", location="BER1", quantity=chance.randint(1, 5))
    history.append((hours(chance.uniform(0, 80)), ReturnReceived(return_id="r", lines=(back,), restock=True)))
    moved = StockAdjusted(sku="TEA", location="BER1", adjustment_id="a", delta=chance.randint(-9, -1), reason="x")
    history.append((hours(chance.uniform(0, 80)), moved))
    taken = Line(line_id="1", sku="TEA", location="BER1", quantity=1)
    history.append((hours(0.5), OrderCancelled(order_id="o3", lines=(taken,), reason="customer")))

    plain, imported = ImportedShard(), ImportedShard()
    live = [event_of(event) for event in made(*other, *counts, source="shop")]
    chance.shuffle(live)
    half = chance.randint(0, len(live))
    plain.takes(live)
    run = made(*history)
    imported.takes(live[:half])
    imported.takes([event_of(event) for event in run])
    imported.takes(live[half:])
    undo, lines = corrections(imported, run)
    imported.takes(undo)
    assert imported.net() == plain.net(), lines
    imported.takes(undo)
    assert imported.net() == plain.net(), "the second time it changes nothing"


def test_the_demand_of_an_import_is_taken_out_of_the_days_it_was_in() -> None:
    shop = ImportedShard()
    shop.takes([event_of(event) for event in made((hours(24 * 20), order("first", 1)), source="shop")])
    history = [(hours(24 * day), order(f"o{day}", 3 + day)) for day in range(1, 15)]
    shop.takes([event_of(event) for event in made(*history)])
    shop.time_is(NOW)
    undo, _ = corrections(shop, made(*history))
    shop.takes(undo)
    card = shop.cards()[TEA]
    assert card is not None
    assert [period.demand for _, period in card.remembered.written_out()] == [1, *[0] * 19]


def test_what_was_refused_is_not_taken_back() -> None:
    shop = ImportedShard()
    run = made((hours(3), order("a", 5)), (hours(2), order("b", 7)))
    shop.takes([event_of(run[1])])
    undo, lines = corrections(shop, run, refused=run[0].draft.id)
    shop.takes(undo)
    assert shop.net() == 0
    assert lines == [
        "1 orders cancelled",
        "7 units of demand taken back",
        "stays, refused when it came, so nothing changed: 1",
    ]


def test_a_return_to_an_item_of_unknown_stock_does_not_make_it_known() -> None:
    shop = ImportedShard()
    back = Line(line_id="1", sku="TEA", location="BER1", quantity=4)
    run = made((hours(3), ReturnReceived(return_id="r", lines=(back,), restock=True)))
    shop.takes([event_of(event) for event in run])
    undo, lines = corrections(shop, run)
    assert undo == []
    assert "nobody knows" in lines[0]
    shop.takes([event_of(event) for event in made((NOW, count(9, NOW)))])
    assert shop.net() == 9


# Counts ---------------------------------------------------------------------------------------------------------------


def counted_shop(*, known: bool = True) -> ImportedShard:
    shop = ImportedShard()
    shop.time_is(NOW)
    start = made((hours(9), count(40, hours(9))), (hours(8), order("early", 6)), source="shop")
    shop.takes([event_of(event) for event in (start if known else start[1:])])
    return shop


def test_a_count_gives_way_to_what_was_there_before_and_can_come_again() -> None:
    shop = counted_shop()
    run = made((hours(2), count(300, hours(2))))
    before = states_before(run, shop.cards())
    shop.takes([event_of(event) for event in run])
    shop.takes([event_of(event) for event in made((hours(1), order("late", 4)), source="shop")])
    assert shop.net() == 296
    undo, lines = corrections(shop, run, before)
    shop.takes(undo)
    assert (shop.net(), lines) == (30, ["1 counts back to what was there before"])
    repeated = msgspec.structs.replace(count(300, hours(2)), count_id="again")
    again = made((NOW + timedelta(hours=1), repeated))
    shop.takes([event_of(event) for event in again])
    assert shop.net() == 296


def test_a_count_of_long_ago_is_adjusted_away() -> None:
    shop = counted_shop()
    run = made((hours(2), count(300, hours(2))))
    before = states_before(run, shop.cards())
    shop.takes([event_of(event) for event in run])
    shop.time_is(NOW + timedelta(days=4))
    undo, _ = corrections(shop, run, before)
    assert [event.type for event in undo] == ["stock.adjusted"]
    shop.takes(undo)
    assert shop.net() == 34


@pytest.mark.parametrize(
    "case, line",
    [
        ("unknown before", "counted for the first time, and no event makes stock unknown again: count again"),
        ("counted later", "counted again since, so the later count holds"),
        ("not read", "what the stock was before was not read at the import: count again"),
    ],
)
def test_a_count_that_cannot_be_taken_back_is_said(case: str, line: str) -> None:
    shop = counted_shop(known=case != "unknown before")
    run = made((hours(2), count(300, hours(2))))
    before = None if case == "not read" else states_before(run, shop.cards())
    shop.takes([event_of(event) for event in run])
    if case == "counted later":
        shop.takes([event_of(event) for event in made((hours(1), count(28, hours(1))), source="shop")])
    stock = shop.net()
    undo, lines = corrections(shop, run, before)
    assert (undo, lines, shop.net()) == ([], [f"stays, {line}: 1"], stock)


def test_a_count_that_no_worker_has_read_waits() -> None:
    shop = counted_shop()
    with pytest.raises(AnswerIsNo, match=f"no worker has read the count of {TEA} yet"):
        corrections(shop, made((hours(2), count(300, hours(2)))))


# Terms ----------------------------------------------------------------------------------------------------------------


def terms(**stated: Any) -> ItemConfigured:
    return ItemConfigured(sku="TEA", location="BER1", **stated)


def test_terms_go_back_to_what_was_stated_or_to_their_default() -> None:
    shop = ImportedShard()
    shop.takes([event_of(e) for e in made((hours(9), terms(unit_cost="0.0375 EUR", minimum_order=5)), source="p")])
    held = shop.cards()[TEA]
    assert held is not None
    before_terms = held.said.terms
    run = made((hours(2), terms(unit_cost="4.00 EUR", lead_time_days=9, minimum_order=None, capacity=None)))
    before = states_before(run, shop.cards())
    shop.takes([event_of(event) for event in run])
    undo, lines = corrections(shop, run, before)
    shop.takes(undo)
    card = shop.cards()[TEA]
    assert card is not None
    assert (card.said.terms, lines) == (before_terms, ["1 items whose terms go back"])


def test_terms_that_somebody_changed_since_stay() -> None:
    shop = ImportedShard()
    run = made((hours(2), terms(lead_time_days=9, minimum_order=4)))
    before = states_before(run, shop.cards())
    shop.takes([event_of(event) for event in run])
    shop.takes([event_of(event) for event in made((hours(1), terms(lead_time_days=3)), source="planner")])
    undo, lines = corrections(shop, run, before)
    shop.takes(undo)
    card = shop.cards()[TEA]
    assert card is not None
    assert (card.said.terms.lead_time_days, repr(card.said.terms.minimum_order)) == (3.0, "UNSET")
    assert lines[1:] == [
        "stays, terms that were changed since: 1",
        "stays, items that the run made known: they stay, with default terms: 1",
    ]
