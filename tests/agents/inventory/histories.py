"""Random histories for Hypothesis: everything that can happen to two items of a shard, in a world of their own."""

from typing import Any

from hypothesis import strategies as st

from schemas.ledger import (
    Acknowledged,
    Adjusted,
    Approved,
    Arrived,
    CalendarChange,
    Cancelled,
    ClassChange,
    Configured,
    Corrected,
    Counted,
    Declined,
    FoldSettings,
    Fulfilled,
    Movement,
    Placed,
    Priced,
    PromotionDropped,
    PromotionPlanned,
    Received,
    Rejected,
    Returned,
    Sent,
    Shipped,
    SupplierChange,
    Terms,
    TransferUnderway,
    Withdrawn,
)
from tests.fakes.folded_ledger import DAY, HOUR, MUG, T0, TEA, FoldedLedger

quantities = st.integers(1, 40)
items = st.sampled_from([TEA, TEA, MUG])
back = st.sampled_from([0, 0, 0, 0, -HOUR, -7 * HOUR, -30 * HOUR, -60 * HOUR, 5 * HOUR, 30 * HOUR])
"""How far from now an event's time lies."""

since = st.integers(-1, 40).map(lambda half_days: half_days * DAY // 2)
"""How long after the beginning something is said to have been."""

changes = st.one_of(
    st.builds(Placed, quantities, st.integers(1, 6), st.sampled_from([None, 4.9])),
    st.builds(Placed, quantities, st.integers(1, 6)),
    st.builds(Rejected, quantities),
    st.builds(Cancelled, quantities, st.integers(1, 6)),
    st.builds(Cancelled, quantities, st.integers(1, 6), st.builds(T0.__add__, since)),
    st.builds(Corrected, st.integers(1, 12), st.builds(T0.__add__, since)),
    st.builds(Fulfilled, quantities),
    st.builds(Returned, quantities, st.booleans()),
    st.builds(Received, st.integers(0, 60), st.integers(0, 3)),
    st.builds(Adjusted, st.integers(-20, 20)),
    st.builds(Sent, st.sampled_from(["t1", "t2"]), quantities),
    st.builds(TransferUnderway, st.sampled_from(["t1", "t2"]), quantities),
    st.builds(Arrived, st.sampled_from(["t1", "t2"]), quantities),
)
terms = st.builds(
    Terms,
    lead_time_days=st.sampled_from([0.0, 1.0, 2.5, None]),
    review_period_days=st.sampled_from([None, 2.0]),
    low_stock=st.sampled_from([None, 5, 14]),
    capacity=st.sampled_from([None, 80]),
    order_multiple=st.sampled_from([None, 6]),
    minimum_order=st.sampled_from([None, 10]),
    stock_out=st.sampled_from([None, "lost", "backorder"]),
    fulfilment=st.sampled_from([None, "immediate", "reserve"]),
    mode=st.sampled_from([None, "act", "approve"]),
    lifecycle=st.sampled_from([None, None, None, "phase_out"]),
    abc_class=st.sampled_from([None, "A", "B"]),
    policy=st.sampled_from(["base-stock", "one-point-two"]),
    supplier=st.sampled_from([None, "acme"]),
    order_up_to=st.sampled_from([None, 60]),
    reorder_point=st.sampled_from([None, 20]),
    service_level=st.sampled_from([None, 0.9]),
    ask_above_units=st.sampled_from([None, None, 25]),
)


KINDS = ["change"] * 8 + ["tick"] * 6 + ["order"] * 5 + ["terms"] * 2 + ["count", "again", "conflict", "orphan", "said"]


@st.composite
def actions(draw: st.DrawFn) -> tuple[Any, ...]:  # noqa: PLR0911 - a kind each
    """Draw one thing that happens."""
    kind = draw(st.sampled_from(KINDS))
    item = draw(items)
    match kind:
        case "change":
            return kind, item, draw(changes), draw(back), draw(st.sampled_from([0, 0, 0, 1]))
        case "tick":
            return kind, draw(st.sampled_from([0.1, 3.0, 11.0, 24.0, 24.0, 80.0, 400.0]))
        case "count":
            return kind, item, draw(st.integers(0, 90)), draw(back), draw(back)
        case "again" | "conflict" | "orphan":
            return kind, draw(st.integers(1, 30))
        case "order":
            return (
                kind,
                draw(st.integers(0, 5)),
                draw(st.sampled_from("kkhwyxgg")),
                draw(st.integers(0, 50)),
                draw(back),
            )
        case "said":
            return kind, draw(st.integers(0, 5))
        case _:
            return kind, item, draw(terms)


histories = st.lists(actions(), min_size=10, max_size=60)
settings_choices = st.builds(
    FoldSettings,
    lateness_ms=st.sampled_from([0, HOUR]),
    spread_ms=st.sampled_from([0, 5 * HOUR]),
    day_starts_ms=st.sampled_from([0, 6 * HOUR]),
    decide_from=st.sampled_from([None, None, None, T0 + 8 * DAY]),
    unknown_items=st.sampled_from(["accept", "accept", "accept", "ask", "quarantine"]),
    duplicate_window_ids=st.sampled_from([4096, 5]),
    duplicate_window_ms=st.sampled_from([7 * DAY, 6 * HOUR]),
    max_items=st.sampled_from([1_000_000, 1_000_000, 1_000_000, 1]),
)


def live(world: FoldedLedger, history: list[tuple[Any, ...]], policy: str | None = "base-stock") -> None:
    """Fold a history, after a quiet week in which items are counted and sell."""
    for name in (TEA, MUG):
        world.happens(Configured(Terms(policy=policy, mode="approve" if len(history) % 3 == 0 else "act")), name)
        world.counts(60, name)
    for day in range(5):
        world.happens(Placed(6 + day, day), TEA)
        world.happens(Placed(2, day), MUG)
        world.passes(1)
    for action in history:
        _happen(world, action)


def _happen(world: FoldedLedger, action: tuple[Any, ...]) -> None:
    match action:
        case ("change", item, change, offset, ordinal):
            world.happens(change, item, at=world.now + offset, ordinal=ordinal)
        case ("tick", hours):
            world.passes(hours=hours)
        case ("count", item, counted, as_of, offset):
            world.happens(Counted(counted, world.now + as_of), item, at=world.now + offset)
        case ("again", number):
            _again(world, number, None)
        case ("conflict", number):
            _again(world, number, 1)
        case ("orphan", number):
            feed = f"orders-id/{number % 3}"
            world.loses(feed)
            world.happens(Placed(1), feed=feed)
            world.starts_anew(feed)
        case ("order", number, kind, quantity, offset):
            _order(world, number, kind, quantity, offset)
        case ("said", number):
            _say(world, number)
        case ("terms", item, said):
            world.happens(Configured(said), item)


def _again(world: FoldedLedger, number: int, body: int | None) -> None:
    """An event is published again, as it was or with another body."""
    movements = [folded.record for folded in world.folded if isinstance(folded.record, Movement)]
    if movements:
        first = movements[number % len(movements)]
        world.happens(
            first.change, first.item, at=first.time, id=first.id, ordinal=first.ordinal,
            body=first.body if body is None else body, feed="orders-id/1",
        )  # fmt: skip


def _order(world: FoldedLedger, number: int, kind: str, quantity: int, offset: int) -> None:
    """An answer to an order that was decided, or to one that never was."""
    decided = world.ordered()
    name, item = (
        (decided[number % len(decided)].replenishment, decided[number % len(decided)].item)
        if decided
        else ("rep-0", TEA)
    )
    at = world.now + offset
    change = {
        "k": Acknowledged(
            name, ("accepted", "partial", "rejected")[quantity % 3], quantity, at if quantity % 2 else None
        ),
        "h": Shipped(name, quantity, at if quantity % 2 else None),
        "w": Withdrawn(name, quantity % 7),
        "y": Approved(name),
        "x": Declined(name),
        "g": Received(quantity, quantity % 3, name, final=quantity % 4 == 0),
    }[kind]
    world.happens(change, item, at=at)


def _say(world: FoldedLedger, number: int) -> None:
    now = world.now
    said = (
        SupplierChange("acme", 2.0, 12, 6, ("mon", "thu")),
        CalendarChange("BER1", ("sun", "2026-03-04")),
        ClassChange("A", ask_above_value=40.0),
        PromotionPlanned("p1", "TEA-01", None, now + DAY, now + 3 * DAY, 0.2),
        PromotionDropped("p1", "TEA-01", None),
    )
    if number < len(said):
        world.is_said(said[number])
    else:
        world.happens(Priced(5.5, now + DAY))
        world.happens(PromotionPlanned("p2", "TEA-01", "BER1", now, now + 2 * DAY), TEA)
