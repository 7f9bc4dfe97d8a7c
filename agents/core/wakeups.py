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
from schemas.journal import Decided, JournalEntry, Refused
from schemas.ledger import Milliseconds
from stream.ports import Output, Replay, Within

WakeUp: TypeAlias = tuple[Milliseconds, str]
"""A moment, and the item that wanted attention then."""
REST = 64
"""After so many wake-ups of a tick, counted from its first, the caller gets a None."""


class Wakeups:
    """The moments at which a shard's items want attention."""

    def __init__(self, state: ShardState, shelf: Shelf, schedule: Schedule, followup: Followup) -> None:
        self._state = state
        self._shelf = shelf
        self._schedule = schedule
        self._followup = followup
        self.within: Within | None = None
        """How far the tick in hand has come."""

    def wake(
        self, offset: int, watermark: Milliseconds, replay: Replay | None, within: Within | None
    ) -> Iterator[Output | None]:
        """Give items their attention in the order of time, up to the watermark; those up to `within` have had it.

        In replay, the journal says what came of each wake-up. Where its record was published in part, the wake-ups
        after the last one published are decided now.
        """
        entries = _by_wakeup(replay, within)
        step, count = (within.step, within.count) if within is not None else (0, 0)
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
            self._shelf.reviewed += 1
            self._followup.at_moment(card, cause)
            step, count = cause.step, count + 1
            yield from cause.outputs
            if count % REST == 0:
                self._replay_rest(entries, watermark, wakeup)
                self.within = Within(wakeup, step, count)
                yield None
        self.within = None
        self._replay_rest(entries, watermark)
        if waiting:
            self._schedule.fill(waiting)

    def _waits_for_history(self, card: Card, watermark: Milliseconds) -> bool:
        """Whether an item that begins long ago waits with its first review, since more of its history is on the way."""
        behind = card.item.ends + self._state.frame.settings.period_ms <= watermark
        return behind and card.item.closed_periods == 0 and self._state.timeline.history_comes_in

    def _replay_rest(
        self, entries: dict[WakeUp, list[JournalEntry]], now: Milliseconds, until: WakeUp | None = None
    ) -> None:
        """Apply the entries of wake-ups that today's code does not have: they were published nevertheless."""
        for wakeup in sorted(each for each in entries if until is None or each <= until):
            card = self._shelf.find(wakeup[1])
            if card is not None:
                self._shelf.touch(card)
                self._followup.replay(card, entries[wakeup], wakeup[0])
                self._followup.await_next(card, now)
            del entries[wakeup]


def _by_wakeup(replay: Replay | None, within: Within | None) -> dict[WakeUp, list[JournalEntry]]:
    """The entries of a tick by the wake-ups they came of, which an entry's own time says; without those up to `within`.

    Their steps would not say it: in replay nobody counts the reviews that were published.
    """
    found: dict[WakeUp, list[JournalEntry]] = defaultdict(list)
    for entry in replay.entries if replay is not None else ():
        if isinstance(entry, Refused):
            continue
        wakeup = (entry.decided_at if isinstance(entry, Decided) else entry.since, entry.item)
        if within is None or wakeup > within.done:
            found[wakeup].append(entry)
    return found
