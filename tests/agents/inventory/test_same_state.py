"""I6: folded in one piece, restored at any point, or replayed from the journal: the same state, byte for byte."""

from itertools import islice
from operator import length_hint
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.core import wakeups
from agents.core.core import Core
from schemas.ledger import FoldSettings, encode_record
from stream.ports import Output, Replay, Tables
from stream.shard.shard import NO_ENTRIES
from tests.agents.inventory.histories import histories, live, settings_choices
from tests.fakes.folded_ledger import SETTINGS, FoldedLedger, kinds, replay_of
from tests.fakes.records import ConsumedRecord


class Redis:
    """What a store would hold."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, bytes]] = {"items": {}, "minds": {}, "pages": {}, "shared": {}}

    def write(self, changes: Tables) -> None:
        for table, fields in changes.items():
            for field, value in fields.items():
                if value is None:
                    self.tables[table].pop(field, None)
                else:
                    self.tables[table][field] = value


def lived(history: list[Any], chosen: FoldSettings, policy: str | None = "base-stock") -> FoldedLedger:
    world = FoldedLedger(chosen)
    live(world, history, policy)
    return world


def published(outputs: list[Output]) -> list[Any]:
    return [(output.at, output.topic, output.event, output.entry, output.review) for output in outputs]


@settings(max_examples=80, deadline=None)
@given(histories, settings_choices)
def test_checkpoints_add_up_to_the_whole_state(history: list[Any], chosen: FoldSettings) -> None:
    whole, redis, core = lived(history, chosen), Redis(), Core(4)
    for folded in whole.folded:
        list(core.fold(folded.record, folded.offset, folded.appended, None))
        redis.write(core.changes())
        assert redis.tables == core.dump()
    assert redis.tables == whole.core.dump()


@settings(max_examples=80, deadline=None)
@given(histories, settings_choices, st.integers(1, 7))
def test_restored_at_any_point_it_goes_on_as_if_nothing_had_been(
    history: list[Any], chosen: FoldSettings, every: int
) -> None:
    whole, redis, core = lived(history, chosen), Redis(), Core(4, most_decoded=1)
    for folded in whole.folded:
        outputs = [o for o in core.fold(folded.record, folded.offset, folded.appended, None) if o is not None]
        assert published(outputs) == published(folded.outputs)
        if folded.offset % every == 0:
            redis.write(core.changes())
            core = Core(4, most_decoded=1)
            for table, fields in redis.tables.items():
                for field, value in fields.items():
                    core.load({table: {field: value}})
    assert core.dump() == whole.core.dump()


def restored(redis: Redis) -> Core:
    core = Core(4, most_decoded=1)
    core.load(redis.tables)
    return core


@settings(max_examples=80, deadline=None)
@given(histories, settings_choices, st.integers(1, 3), st.booleans(), st.randoms(use_true_random=False))
def test_restored_within_a_tick_it_goes_on_as_if_nothing_had_been(
    history: list[Any],
    chosen: FoldSettings,
    rest: int,
    replaying: bool,  # noqa: FBT001
    chance: Any,
) -> None:
    """Live, or in replay of a record that was published as a whole or up to some review."""
    with mock.patch.object(wakeups, "REST", rest):
        whole, redis, core = lived(history, chosen), Redis(), Core(4, most_decoded=1)
        for folded in whole.folded:
            replay, expected = replay_in_part(folded, chance) if replaying else (None, folded.outputs)
            outputs = list[Output]()
            steps = iter(core.fold(folded.record, folded.offset, folded.appended, replay))
            while (output := next(steps, "over")) != "over":
                if output is not None:
                    assert isinstance(output, Output)
                    outputs.append(output)
                elif (within := core.within) is not None and chance.random() < 0.5:
                    redis.write(core.changes())
                    core = restored(redis)
                    steps = iter(core.go_on(folded.record, folded.offset, within, replay))
            assert published(outputs) == published(expected)
            redis.write(core.changes())
            assert core.within is None
    assert redis.tables == core.dump() == whole.core.dump()


def replay_in_part(folded: Any, chance: Any) -> tuple[Replay | None, list[Output]]:
    """Of a record, what a journal says where it was published up to some review, and the outputs that it lacks."""
    cuts = [
        place
        for place in range(1, len(folded.outputs))
        if folded.outputs[place].review != folded.outputs[place - 1].review
    ]
    cut = chance.choice([0, *cuts, len(folded.outputs)])
    before, after = folded.outputs[:cut], folded.outputs[cut:]
    if not before:
        return None, after
    entries = tuple(output.entry for output in before if output.entry is not None)
    if not after:
        return Replay(entries, whole=True), []
    return Replay(entries, whole=False, done=before[-1].review, step=after[0].at.step), after


def raws_of(whole: FoldedLedger) -> list[Any]:
    """The ledger as it is read."""
    return [ConsumedRecord(each.offset, each.appended, encode_record(each.record)) for each in whole.folded]


@settings(max_examples=80, deadline=None)
@given(histories, settings_choices, st.integers(1, 5))
def test_folded_in_runs_it_is_the_same(history: list[Any], chosen: FoldSettings, most: int) -> None:
    whole, core, outputs = lived(history, chosen), Core(4), list[Output]()
    raws = raws_of(whole)
    records = iter(raws)
    while length_hint(records):
        found = core.fold_run(islice(records, most), None)
        if found is not None:
            assert found[0] == whole.folded[len(raws) - length_hint(records) - 1].record
            outputs += [output for output in found[1] if output is not None]
    assert published(outputs) == published(whole.outputs)
    assert core.dump() == whole.core.dump()


@settings(max_examples=80, deadline=None)
@given(histories, settings_choices)
def test_replayed_in_runs_between_entries_it_is_the_same(history: list[Any], chosen: FoldSettings) -> None:
    whole, core, place = lived(history, chosen), Core(4), 0
    raws = raws_of(whole)
    entries = {each.offset: [output.entry for output in each.outputs if output.entry] for each in whole.folded}
    for stop in [*(offset for offset, some in entries.items() if some), len(raws)]:
        records = iter(raws[place:stop])
        while length_hint(records):
            found = core.fold_run(records, NO_ENTRIES)
            assert [output for output in (found[1] if found else ()) if output is not None] == []
        if stop < len(raws):
            list(core.fold(whole.folded[stop].record, stop, raws[stop].timestamp, replay_of(entries[stop])))
        place = stop + 1
    assert core.dump() == whole.core.dump()


@settings(max_examples=80, deadline=None)
@given(histories, settings_choices)
def test_replay_publishes_nothing_and_ends_in_the_same_state(history: list[Any], chosen: FoldSettings) -> None:
    whole, core = lived(history, chosen), Core(4)
    for folded in whole.folded:
        entries = tuple(output.entry for output in folded.outputs if output.entry is not None)
        outputs = core.fold(folded.record, folded.offset, folded.appended, Replay(entries, whole=True))
        assert [output for output in outputs if output is not None] == []
    assert core.dump() == whole.core.dump()


@settings(max_examples=60, deadline=None)
@given(histories, settings_choices, st.randoms(use_true_random=False))
def test_a_record_published_in_part_is_published_to_its_end(
    history: list[Any], chosen: FoldSettings, chance: Any
) -> None:
    whole, core = lived(history, chosen), Core(4)
    for folded in whole.folded:
        replay, after = replay_in_part(folded, chance)
        outputs = [o for o in core.fold(folded.record, folded.offset, folded.appended, replay) if o is not None]
        assert published(outputs) == published(after), kinds(outputs)
    assert core.dump() == whole.core.dump()


@settings(max_examples=60, deadline=None)
@given(histories, settings_choices)
def test_outputs_are_numbered_and_named_once(history: list[Any], chosen: FoldSettings) -> None:
    whole = lived(history, chosen)
    for folded in whole.folded:
        assert [output.at.step for output in folded.outputs] == list(range(len(folded.outputs)))
        assert all(output.at.offset == folded.offset for output in folded.outputs)
        moments = [output.review for output in folded.outputs if output.review is not None]
        assert moments == sorted(moments)
    names = [output.event.id for output in whole.outputs if output.topic != "dead-letters"]
    assert len(names) == len(set(names))
    assert whole.core.counters.violations == {}
    assert whole.core.counters.failures == {}


@settings(max_examples=15, deadline=None)
@given(histories, st.sampled_from([None, "pil", "s-S", "nobody"]), st.integers(1, 7))
def test_restarts_and_replays_end_alike_under_every_policy(history: list[Any], policy: str | None, every: int) -> None:
    whole, redis, restored, replayed = lived(history, SETTINGS, policy), Redis(), Core(4), Core(4)
    for folded in whole.folded:
        list(restored.fold(folded.record, folded.offset, folded.appended, None))
        if folded.offset % every == 0:
            redis.write(restored.changes())
            restored = Core(4)
            restored.load(redis.tables)
        entries = tuple(output.entry for output in folded.outputs if output.entry is not None)
        list(replayed.fold(folded.record, folded.offset, folded.appended, Replay(entries, whole=True)))
    assert restored.dump() == whole.core.dump()
    assert replayed.dump() == whole.core.dump()
