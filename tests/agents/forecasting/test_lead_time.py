"""Lead times: learned per item and supplier, pooled, in parts, with losses, and the same after a restart."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.forecasting.lead_time import (
    ITEM_KEEP,
    MOST_OF_ITEM,
    MOST_PERIODS,
    MOST_SUPPLIERS,
    MOST_TIMES,
    STEPS,
    Counts,
    Known,
    LeadTimes,
)

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["learn", "lose", "find"]),
        st.integers(0, 2),
        st.sampled_from(["acme", "umbrella", None]),
        st.integers(0, 500),
        st.floats(0.0, 1.0),
    ),
    max_size=60,
)


def do(suppliers: LeadTimes, state: Known, event: tuple[str, int, str | None, int, float]) -> None:
    what, _, supplier, periods, share = event
    if what == "learn":
        suppliers.learn(state, supplier, periods, share)
    elif what == "lose":
        suppliers.lose(state, supplier, share)
    else:
        suppliers.find(state, supplier, share)


def test_before_the_first_receipt_the_promise_holds() -> None:
    suppliers = LeadTimes()
    assert suppliers.chances(suppliers.fresh(), None, promised=3) == (0.0, 0.0, 0.0, 1.0)


def test_after_many_receipts_the_chances_are_the_frequencies() -> None:
    suppliers, chance = LeadTimes(), np.random.default_rng(2)
    state, found = suppliers.fresh(), []
    for periods in chance.choice([2, 3, 6], 2_000, p=[0.5, 0.3, 0.2]):
        suppliers.learn(state, "acme", int(periods))
        found.append(suppliers.chances(state, "acme", promised=3))
    usual = np.mean([chances[:7] for chances in found[200:]], axis=0)
    assert usual[[2, 3, 6]] == pytest.approx([0.5, 0.3, 0.2], abs=0.03)
    assert usual.sum() == pytest.approx(1.0, abs=1e-6)


def test_an_item_without_receipts_is_expected_to_take_what_its_supplier_takes() -> None:
    suppliers = LeadTimes()
    for _ in range(30):
        suppliers.learn(suppliers.fresh(), "acme", 7)
    assert suppliers.chances(suppliers.fresh(), "acme", promised=2)[7] > 0.85
    assert suppliers.chances(suppliers.fresh(), "umbrella", promised=2) == (0.0, 0.0, 1.0)


def test_an_item_that_differs_from_its_supplier_is_believed_in_the_end() -> None:
    suppliers = LeadTimes()
    slow = suppliers.fresh()
    for _ in range(40):
        suppliers.learn(suppliers.fresh(), "acme", 2)
        suppliers.learn(slow, "acme", 9)
    assert suppliers.chances(slow, "acme", promised=2)[9] > 0.85


def test_a_supplier_that_changes_is_followed() -> None:
    suppliers = LeadTimes()
    state = suppliers.fresh()
    for periods in [2] * 200 + [5] * 60:
        suppliers.learn(state, "acme", periods)
    assert suppliers.chances(state, "acme", promised=2)[5] > 0.75


def test_a_delivery_in_parts_counts_in_parts() -> None:
    suppliers = LeadTimes()
    whole, parts = suppliers.fresh(), suppliers.fresh()
    for _ in range(100):
        suppliers.learn(whole, "acme", 3)
        suppliers.learn(parts, "umbrella", 3, share=0.6)
        suppliers.learn(parts, "umbrella", 8, share=0.4)
    chances = suppliers.chances(parts, "umbrella", promised=3)
    assert chances[3] == pytest.approx(0.6, abs=0.04)
    assert chances[8] == pytest.approx(0.4, abs=0.04)
    assert parts["umbrella"].total == pytest.approx(whole["acme"].total, rel=0.05)


def test_what_is_lost_is_missing_and_what_turns_up_is_not() -> None:
    suppliers = LeadTimes()
    state = suppliers.fresh()
    for number in range(100):
        if number % 5 == 4:
            suppliers.lose(state, "acme")
        else:
            suppliers.learn(state, "acme", 2)
    missing = 1.0 - sum(suppliers.chances(state, "acme", promised=2))
    assert missing == pytest.approx(0.2, abs=0.05)
    suppliers.find(state, "acme")
    suppliers.learn(state, "acme", 30)
    chances = suppliers.chances(state, "acme", promised=2)
    assert len(chances) == 31
    assert 1.0 - sum(chances) < missing


def test_where_everything_is_lost_something_may_still_come() -> None:
    suppliers = LeadTimes()
    state = suppliers.fresh()
    for _ in range(500):
        suppliers.lose(state, "acme")
    chances = suppliers.chances(state, "acme", promised=4)
    assert chances[4] == 1 / STEPS == sum(chances)


@given(EVENTS, st.integers(-5, 1_000))
def test_whatever_happens_chances_are_chances(
    events: list[tuple[str, int, str | None, int, float]], promised: int
) -> None:
    suppliers = LeadTimes()
    states = [suppliers.fresh() for _ in range(3)]
    for event in events:
        do(suppliers, states[event[1]], event)
    for state in states:
        for supplier in ("acme", "umbrella", None):
            chances = suppliers.chances(state, supplier, promised)
            assert 1 <= len(chances) <= MOST_PERIODS + 1
            assert chances[-1] > 0.0
            assert all(chance >= 0.0 and (chance * STEPS).is_integer() for chance in chances)
            assert sum(chances) <= 1.0
        assert all(counts.total <= 1.0 / (1.0 - ITEM_KEEP) + 1.0 for counts in state.values())


@given(EVENTS, st.integers(0, 60))
def test_stopped_and_restored_at_any_point_it_goes_on_bit_for_bit(
    events: list[tuple[str, int, str | None, int, float]], cut: int
) -> None:
    def lived(at: int | None) -> tuple[list[tuple[float, ...]], list[bytes], dict[str, bytes]]:
        suppliers, stored = LeadTimes(), dict[str, bytes]()
        states, chances = [suppliers.fresh() for _ in range(3)], []
        for number, event in enumerate(events):
            do(suppliers, states[event[1]], event)
            if number % 7 == 0:
                stored.update(suppliers.dump_shared())
            if number == at:
                stored.update(suppliers.dump_shared())
                blobs = [suppliers.dump(state) for state in states]
                suppliers = LeadTimes()
                suppliers.load_shared(stored)
                states = [suppliers.load(blob) for blob in blobs]
            chances.append(suppliers.chances(states[event[1]], event[2], promised=3))
        stored.update(suppliers.dump_shared())
        return chances, [suppliers.dump(state) for state in states], stored

    assert lived(cut) == lived(None)


def test_what_is_stored_stays_small() -> None:
    suppliers, chance = LeadTimes(), np.random.default_rng(4)
    state, shared = suppliers.fresh(), dict[str, bytes]()
    for number in range(3 * MOST_SUPPLIERS):
        suppliers.learn(state, f"supplier {number}", int(chance.integers(0, 400)))
        shared.update(suppliers.dump_shared())
    for periods in chance.integers(0, 400, 2_000):
        suppliers.learn(state, "acme", int(periods))
        suppliers.learn(suppliers.fresh(), "umbrella", int(periods))
    shared.update(suppliers.dump_shared())
    assert len(state) == MOST_OF_ITEM
    assert len(state["acme"].times) <= MOST_TIMES
    assert len(suppliers.dump(state)) < 400
    again = LeadTimes()
    again.load_shared(shared)
    assert len(again._suppliers) == MOST_SUPPLIERS


def test_joining_neighbours_keeps_every_receipt() -> None:
    counts = Counts()
    for time in range(100):
        counts.count(time, 1.0)
    assert counts.total == pytest.approx(100.0)
    assert len(counts.times) == MOST_TIMES
    assert list(counts.times) == sorted(counts.times)


@pytest.mark.parametrize(
    "blob",
    [b"", b"\xc1", b"\x91\x03", b"junk" * 9, json.dumps({"acme": 3}).encode()],
)
def test_a_blob_that_is_no_state_is_refused(blob: bytes) -> None:
    with pytest.raises(ValueError, match="lead times"):
        LeadTimes().load(blob)
    with pytest.raises(ValueError, match="supplier"):
        LeadTimes().load_shared({"supplier acme": blob})


def test_counts_out_of_range_are_refused() -> None:
    for bad in (Counts({3: -1.0}), Counts({3: float("nan")}), Counts({9_999: 1.0}), Counts({5: 1.0, 3: 1.0})):
        with pytest.raises(ValueError, match="out of range"):
            LeadTimes().load(LeadTimes().dump({"acme": bad}))
