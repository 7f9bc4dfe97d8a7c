"""Wakes the items whose moment a tick has reached: a period is over, an order is overdue or lost."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TypeAlias

from agents.core.cause import Cause
from agents.core.followup import Followup
from agents.core.shard_state import ShardState
from agents.inventory.card import Card
from agents.inventory.periods import Schedule
from agents.inventory.shelf import Shelf
from schemas.journal import Alerted, Decided, JournalEntry
from schemas.ledger import Milliseconds
from stream.ports import Output, Replay

WakeUp: TypeAlias = tuple[Milliseconds, str]
"""A moment, and the item that wanted attention then."""
_MOST_SILENT = 64
"""After so many items without output the caller gets a None, so that other work has its turn."""


class Wakeups:
    """The moments at which a shard's items want attention."""

    def __init__(self, state: ShardState, shelf: Shelf, schedule: Schedule, followup: Followup) -> None:
        self._state = state
        self._shelf = shelf
        self._schedule = schedule
        self._followup = followup

    def wake(self, offset: int, watermark: Milliseconds, replay: Replay | None) -> Iterator[Output | None]:
        """Give items their attention in the order of time, up to the watermark.

        In replay, the journal says what came of each wake-up. Where its record was published in part, the wake-ups
        after the last one published are decided now.
        """
        entries = _by_wakeup(replay)
        step, silent = 0, 0
        waiting: list[WakeUp] = []
        while (wakeup := self._schedule.take(watermark)) is not None:
            at, name = wakeup
            card = self._shelf.find(name)
            if card is None or card.wake != at:
                continue
            if self._waits_for_history(card, watermark):
                waiting.append(wakeup)
                continue
            published = replay is not None and (replay.whole or (replay.done is not None and wakeup <= replay.done))
            if replay is not None and not published:
                self._replay_rest(entries, watermark)
                step = max(step, replay.step)
            past = entries.pop(wakeup, ()) if published else None
            cause = Cause(self._state.names, offset, step, at, review=wakeup, entries=past)
            self._shelf.touch(card)
            self._followup.at_moment(card, cause)
            step = cause.step
            yield from cause.outputs
            silent = 0 if cause.outputs else silent + 1
            if silent == _MOST_SILENT:
                silent = 0
                yield None
        self._replay_rest(entries, watermark)
        if waiting:
            self._schedule.fill(waiting)

    def _waits_for_history(self, card: Card, watermark: Milliseconds) -> bool:
        """Whether an item that begins long ago waits with its first review, since more of its history is on the way."""
        behind = card.item.ends + self._state.frame.settings.period_ms <= watermark
        return behind and card.item.closed_periods == 0 and self._state.timeline.history_comes_in

    def _replay_rest(self, entries: dict[WakeUp, list[JournalEntry]], now: Milliseconds) -> None:
        """Apply the entries of wake-ups that today's code does not have: they were published nevertheless."""
        for wakeup in sorted(entries):
            card = self._shelf.find(wakeup[1])
            if card is not None:
                self._shelf.touch(card)
                self._followup.replay(card, entries[wakeup], wakeup[0])
                self._followup.await_next(card, now)
        entries.clear()


def _by_wakeup(replay: Replay | None) -> dict[WakeUp, list[JournalEntry]]:
    """The entries of a tick by the wake-ups they came of: an entry's own time says which."""
    found: dict[WakeUp, list[JournalEntry]] = defaultdict(list)
    for entry in replay.entries if replay is not None else ():
        if isinstance(entry, Decided):
            found[entry.decided_at, entry.item].append(entry)
        elif isinstance(entry, Alerted):
            found[entry.since, entry.item].append(entry)
    return found
