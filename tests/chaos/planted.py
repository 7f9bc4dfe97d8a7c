"""Bugs planted on purpose, each the lack of one rule: checker and simulation must find them.

As a script it runs a worker with one of them: `planted.py BUG worker …`. As a module it plants them in this process,
for the simulations, also in the twins in memory.
"""

import asyncio
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from stream.checkpoint import reader as checkpoint_reader
from stream.checkpoint.store import SCRIPTS, RedisStore
from stream.in_memory import MemoryPublisher, MemoryStore
from stream.kafka.publisher import KafkaPublisher
from stream.ports import Cursor, JournalView, Place
from stream.shard import shard, takeover

Patches = list[Any]


def no_fencing_of_the_store() -> Patches:
    """An owner that was fenced goes on writing to the store."""
    made, checked = RedisStore.__init__, MemoryStore.checkpoint

    def make(self: RedisStore, redis: Any, app: str) -> None:
        made(self, redis, app)
        text = (SCRIPTS / "checkpoint.lua").read_text().replace("if cursor[1] ~= ARGV[1] then return 'FENCED' end", "")
        text, found = re.subn(r"if tonumber\(ARGV.*'STALE' end", "", text)
        assert found == 1
        self._scripts["checkpoint"] = redis.register_script(text)

    async def checkpoint(self: MemoryStore, number: int, cursor: Any, since: Place, changes: Any) -> None:
        self.tokens[number] = cursor.token
        held = self.cursors.get(number)
        await checked(self, number, cursor, held.place if held and cursor.place > held.place else since, changes)

    return [mock.patch.object(RedisStore, "__init__", make), mock.patch.object(MemoryStore, "checkpoint", checkpoint)]


def no_fencing_of_the_publisher() -> Patches:
    """Every owner has a transactional id of its own."""
    made = KafkaPublisher.__init__

    def make(self: KafkaPublisher, *arguments: Any) -> None:
        made(self, *arguments)
        self._config["transactional.id"] += f"-{time.monotonic_ns()}"

    async def opened(self: MemoryPublisher) -> None:
        self._epoch = self._broker.epochs[self._shard]

    return [mock.patch.object(KafkaPublisher, "__init__", make), mock.patch.object(MemoryPublisher, "open", opened)]


def checkpoint_ahead_of_its_publication() -> Patches:
    """The checkpoint holds the effects of outputs that are not published yet."""
    published = shard.Shard._publish

    async def publish(self: shard.Shard, outputs: Any, end: Any, done: Any) -> None:
        if done is None:
            kept, self.next = self.next, end.offset
            await self.save_all()
            self.next = kept
        await published(self, outputs, end, done)

    return [mock.patch.object(shard.Shard, "_publish", publish)]


def lost_gap_check() -> Patches:
    """A shard folds a batch wherever it begins."""
    return [mock.patch.object(shard.Shard, "continuation", lambda _, batch: batch)]


def journal_ignored() -> Patches:
    """Replay does not read the entries of the journal."""
    return [
        mock.patch.object(takeover.Takeover, "_prepare_replay", _replay_nothing),
        mock.patch.object(takeover, "same_lineage", return_value=True),
    ]


def _replay_nothing(self: takeover.Takeover, journal: JournalView) -> None:
    self.published = type(self.published)(max(self.next, 0))


def begun_tick_forgotten() -> Patches:
    """An owner folds a tick from its beginning, although a checkpoint stands within it."""

    def go_on(self: Any, record: Any, offset: int, within: Any, replay: Any) -> Any:
        return self.fold(record, offset, offset, replay)

    from agents.core.core import Core
    from tests.fakes.toy_core import ToyCore

    return [mock.patch.object(core, "go_on", go_on) for core in (Core, ToyCore)]


def tick_saved_ahead_of_its_publication() -> Patches:
    """A checkpoint within a tick holds what is not yet published."""
    some = shard.Shard._save_some

    async def save_some(self: shard.Shard, batch: Any, outputs: Any) -> None:
        await some(self, batch, [] if self._within is not None else outputs)

    return [mock.patch.object(shard.Shard, "_save_some", save_some)]


def small_slices() -> Patches:
    """No bug: checkpoints are cut as small as those of a shard of very many items are in proportion."""
    from agents.core import wakeups

    return [mock.patch.object(shard, "MOST_UNSAVED", 8), mock.patch.object(wakeups, "REST", 2)]


def place_in_the_journal_forgotten() -> Patches:
    """The checkpoint of an owner that is still replaying names the journal's end."""
    cursor = shard.Shard._cursor

    def at_the_end(self: shard.Shard) -> Cursor:
        self._journal_start = self._journal
        return cursor(self)

    return [mock.patch.object(shard.Shard, "_cursor", at_the_end)]


def no_seal() -> Patches:
    """An owner writes no seal, so the journal does not say where it began."""
    return [mock.patch.object(takeover, "same_lineage", return_value=True)]


def decision_remade_in_replay() -> Patches:
    """Replay decides by today's rules instead of applying the journal's entry."""
    folded = shard.Shard._fold

    def fold(self: shard.Shard, record: Any, raw: Any) -> Any:
        if raw.offset < self.published.offset:
            for _ in self.core.fold(record, raw.offset, raw.timestamp, None):
                pass
            return ()
        return folded(self, record, raw)

    return [mock.patch.object(shard.Shard, "_fold", fold)]


def changed_checkpoint_believed() -> Patches:
    """An owner does not check whether a checkpoint changed while it was read."""

    async def load(self: takeover.Takeover, cursor: Cursor) -> bool:
        self.core = self._ports.core(self.partition)
        async for tables in self._ports.store.load(self.partition):
            self.core.load(tables)
        self.next, self.within, self.saved = cursor.next, cursor.within, cursor.place
        self.checksum = cursor.checksum
        return True

    return [mock.patch.object(takeover.Takeover, "_load", load)]


def core_kept() -> Patches:
    """A shard that begins at the ledger's start keeps the part of a checkpoint that it had read."""
    began = takeover.Takeover._start_over

    async def start_over(self: takeover.Takeover) -> JournalView:
        core = getattr(self, "core", None)
        whole = await began(self)
        self.core = self.core if core is None else core
        return whole

    return [mock.patch.object(takeover.Takeover, "_start_over", start_over)]


def prev_ignored() -> Patches:
    """A movement is applied although its predecessor is missing."""
    from agents.inventory.timeline import Timeline

    admit = Timeline.admit
    return [
        mock.patch.object(
            Timeline, "admit", lambda self, name, offset, ordinal, _: admit(self, name, offset, ordinal, None)
        )
    ]


def duplicate_window_off() -> Patches:
    """An event that is published twice counts twice."""
    from agents.inventory.window import Window

    return [mock.patch.object(Window, "judge", return_value="new")]


def corrections_forgotten() -> Patches:
    """What is corrected in a closed period is not written down."""
    from agents.inventory.card import Card

    return [mock.patch.object(Card, "keep_remembered")]


def clock_in_the_core() -> Patches:
    """The state holds a moment that is in no ledger."""
    from agents.core import core
    from agents.inventory.fold import order_line as applied

    def order_line(card: Any, change: Any, moment: int, frame: Any) -> int:
        placement = applied(card, change, moment, frame)
        card.item.paid = time.time()
        return placement

    return [mock.patch.object(core, "order_line", order_line)]


def next_version() -> Patches:
    """No bug: a later version, whose checkpoints have another layout and whose rule orders more."""
    import msgspec

    from agents.core import decide
    from agents.policies.guardrails import Guarded, guard

    def generous(wanted: float, situation: Any, *, phase_out: bool = False) -> Guarded:
        guarded = guard(wanted, situation, phase_out=phase_out)
        if guarded.quantity and situation.economics.capacity is None:
            more = guarded.quantity + situation.economics.order_multiple
            return msgspec.structs.replace(guarded, quantity=more)
        return guarded

    layouts = [
        mock.patch.object(shard, "LAYOUT", 1000),
        *(mock.patch.object(module, "READABLE", (1000,)) for module in (takeover, checkpoint_reader)),
    ]
    return [*layouts, mock.patch.object(decide, "guard", generous)]


def decision_remade_by_another_rule() -> Patches:
    """The same bug after a rule has changed, which is when it shows."""
    return [*decision_remade_in_replay(), next_version()[-1]]


def clock_a_day_ahead(seconds: float = 86_400.0) -> Patches:
    """The machine's clock is wrong: no bug of ours, and it must change nothing."""
    now = time.time

    def wrong() -> float:
        return now() + seconds

    return [mock.patch.object(time, "time", wrong)]


def clock_a_day_behind() -> Patches:
    """The same, the other way."""
    return clock_a_day_ahead(-86_400.0)


def crash_in_recovery() -> Patches:
    """Faust fails while it assigns partitions."""
    from stream.consumer.readers import Readers

    return [mock.patch.object(Readers, "assigned", side_effect=TypeError("planted"))]


def shard_0_stands_still() -> Patches:
    """The first shard never comes back from a batch."""
    worked = shard.Shard.work

    async def work(self: shard.Shard, batch: Any) -> None:
        if self.partition == 0:
            await asyncio.Event().wait()
        await worked(self, batch)

    return [mock.patch.object(shard.Shard, "work", work)]


def intake_stands_still() -> Patches:
    """No feed ever comes back from a batch."""
    from agents.intake.intake import Intake

    async def take(self: Intake, feed: Any, batch: Any) -> None:
        await asyncio.Event().wait()

    return [mock.patch.object(Intake, "take", take)]


def intake_fails() -> Patches:
    """Intake stumbles over every batch, so that feeds are parked."""
    from agents.intake.intake import Intake

    return [mock.patch.object(Intake, "take", side_effect=TypeError("planted"))]


def intake_fails_at_orders_0() -> Patches:
    """Intake stumbles over every batch of one feed, so that this one is parked."""
    from agents.intake.intake import Intake

    took = Intake.take

    async def take(self: Intake, feed: Any, batch: Any) -> None:
        if feed.tp.topic.endswith("orders") and feed.tp.partition == 0:
            raise TypeError("planted")
        await took(self, feed, batch)

    return [mock.patch.object(Intake, "take", take)]


def folding_takes_long() -> Patches:
    """A shard folds fifty records a second."""
    worked = shard.Shard.work

    async def work(self: shard.Shard, batch: Any) -> None:
        await asyncio.sleep(len(batch.records) / 50)
        await worked(self, batch)

    return [mock.patch.object(shard.Shard, "work", work)]


def forecaster_fails() -> Patches:
    """The forecaster of most items raises an error."""
    from agents.forecasting.blend.blend import Blend

    return [mock.patch.object(Blend, "forecast", side_effect=ValueError("planted"))]


BUGS: dict[str, Callable[[], Patches]] = {
    bug.__name__: bug
    for bug in (
        no_fencing_of_the_store, no_fencing_of_the_publisher, checkpoint_ahead_of_its_publication, lost_gap_check,
        journal_ignored, small_slices, begun_tick_forgotten, tick_saved_ahead_of_its_publication,
        place_in_the_journal_forgotten, no_seal, changed_checkpoint_believed, core_kept, prev_ignored,
        duplicate_window_off,
        corrections_forgotten, clock_in_the_core, decision_remade_in_replay, next_version,
        decision_remade_by_another_rule, crash_in_recovery, clock_a_day_ahead, clock_a_day_behind,
        shard_0_stands_still, intake_stands_still, intake_fails, intake_fails_at_orders_0, folding_takes_long,
        forecaster_fails,
    )
}  # fmt: skip


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Plant a bug for the body of a `with`."""
    patches = BUGS[name]()
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in patches:
            patch.stop()


if __name__ == "__main__":
    from agents import cli

    with planted(sys.argv[1]):
        sys.exit(cli.main(sys.argv[2:]))
