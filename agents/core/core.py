"""The core of a shard: folds ledger records into cards, reviews them when time has come, and decides.

It is a deterministic function of ledger and journal: no clock, no chance, no server. State is the same whether it was
folded in one piece, restored from a checkpoint, or replayed from the journal, byte for byte (I6).

>>> from schemas.ledger import Configured, LedgerCreated, Placed, Received, Terms
>>> core = Core(4, "k3f9")
>>> def happened(offset: int, change: ItemChange) -> list[str]:
...     time = 60_000 * offset
...     movement = Movement("TEA-01@BER1", "f/0", offset, 0, None, "wms", f"e{offset}", offset, 0, time, change)
...     return [output.event.body.kind for output in core.fold(movement, offset, time, None)]
>>> happened(1, Configured(Terms(low_stock=14))), happened(2, Received(40)), happened(3, Placed(20))
([], [], [])
>>> happened(4, Placed(9)), happened(5, Placed(2))
(['low_stock'], [])
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from agents.core.cause import Cause
from agents.core.counters import Counters
from agents.core.followup import Followup
from agents.core.learning_state import encode_learning_state
from agents.core.review import Reviewer
from agents.inventory import alerts, replenishments
from agents.inventory.card import Card, Shelf
from agents.inventory.catalogue import Catalogue
from agents.inventory.fold import Frame, apply, refusal
from agents.inventory.periods import Schedule
from agents.inventory.timeline import Timeline
from agents.inventory.window import Window
from schemas.journal import Alerted, Decided, JournalEntry, Refused
from schemas.ledger import (
    Acknowledged,
    Approved,
    Counted,
    Declined,
    FoldSettings,
    ItemChange,
    LedgerCreated,
    Milliseconds,
    Movement,
    Notice,
    Received,
    Record,
    SettingsChanged,
    Shipped,
    Ticked,
    Withdrawn,
)
from schemas.refusal import Reason
from stream.ports import Output, Replay, Tables

__all__ = ["Core", "ItemChange"]
_EXAMINED = frozenset({Counted, Acknowledged, Shipped, Withdrawn, Approved, Declined, Received})
"""Changes that need a closer look before they are applied."""
_BREATH = 64
"""Reviews without output after which others get their turn."""


class _About(msgspec.Struct, array_like=True):
    """Whose ledger this is, and the settings that hold."""

    ledger: str
    settings: FoldSettings


_encode_about = msgspec.msgpack.Encoder().encode
_decode_about = msgspec.msgpack.Decoder(_About).decode


class Core:
    """The rules of one shard, as `stream.ports.Core` has them."""

    def __init__(self, partition: int, ledger: str = "", most_decoded: int = 200_000) -> None:
        self.counters = Counters()
        self._partition = partition
        self._about = _About(ledger, FoldSettings())
        self._about_changed = True
        self._timeline = Timeline()
        self._catalogue = Catalogue()
        self._frame = Frame(self._about.settings, None, self._catalogue.suppliers)
        self._planner = Reviewer(self._frame, self._catalogue, self.counters)
        self._schedule = Schedule()
        self._clerk = Followup(self._frame, self._planner, self._schedule, self.counters)
        self._shelf = Shelf(encode_learning_state, alerts.quieten, most_decoded)
        self._cards = self._shelf.cards
        self._notices = Window()
        self._loaded: dict[str, bytes] = {}

    # Folding ------------------------------------------------------------------------------------------------------

    def fold(
        self, record: Record, offset: int, appended: Milliseconds, replay: Replay | None
    ) -> Iterable[Output | None]:
        """Apply one ledger record and decide; with `replay`, decide nothing that was told or not told already."""
        if self._loaded:
            self._unpack()
        if type(record) is Movement:
            return self._move(record, offset, appended, replay)
        if isinstance(record, Ticked):
            return self._tick(record, offset, appended, replay)
        if isinstance(record, Notice):
            return self._note(record, offset, appended, replay)
        if isinstance(record, LedgerCreated):
            self._about.ledger = record.ledger
        if isinstance(record, LedgerCreated | SettingsChanged):
            if record.settings.period_ms != self._about.settings.period_ms:
                self._planner.learners.renew()
            self._about.settings = self._frame.settings = record.settings
            self._about_changed = True
        return ()

    def _move(  # noqa: C901 - the fast path and its exits, in one place
        self, record: Movement, offset: int, appended: Milliseconds, replay: Replay | None
    ) -> Sequence[Output]:
        """Apply a movement. An ordinary order line passes through here and through `apply`, and nothing else."""
        frame, timeline, counters = self._frame, self._timeline, self.counters
        clock = timeline.at(appended)
        admission = timeline.admit(record.feed, record.offset, record.ordinal, record.prev)
        if admission != "applied":
            return self._dropped(admission)
        card = self._cards.get(record.item) or self._shelf.find(record.item)
        further = False
        told = () if replay is None else replay.entries
        if card is None or told or record.event in card.window.seen or type(record.change) in _EXAMINED:
            verdict = self._judge(card, record, clock, replay)
            if verdict == "duplicate":
                counters.duplicates["business"] += 1
                return ()
            if isinstance(verdict, Reason):
                return self._refuse(record, verdict, offset, appended, replay)
            further = verdict == "further"
            if card is None:
                card = self._shelf.open(record.item)
                counters.reclass(None, card.item.abc, [], at_risk=False)
            if isinstance(record.change, Received) and _nobody_ordered(card, record.change):
                counters.unordered += 1
        item = card.item
        abc, net = item.abc, item.net
        placed = apply(card, record, frame)
        if not further:
            card.window.remember(record.event, record.body, record.ordinal, placed, clock, frame.settings)
        counters.applied += 1
        if record.time < item.starts:
            counters.late += 1
        if not card.changed:
            card.touch(self._shelf)
        stock = item.net - item.reserved if item.reserved > 0 else item.net
        if card.quiet_below < stock < card.quiet_above and stock + item.on_order > card.reorder_at and not told:
            return ()
        if item.abc != abc:
            counters.reclass(abc, item.abc, [e.kind for e in item.alerts], at_risk=alerts.at_risk(item))
        if type(record.change) is Counted:
            counters.counts += 1
            counters.count_differences += abs(item.net - net)
        moment = max(frame.watermark or 0, min(record.time, appended))
        cause = Cause((self._about.ledger, self._partition), offset, 0, moment, record)
        self._clerk.settle(card, cause, None if replay is None else told, frame.watermark or 0)
        return cause.outputs

    def _judge(self, card: Card | None, record: Movement, clock: Milliseconds, replay: Replay | None) -> Reason | str:
        """Look at a movement more closely: whether it is a duplicate, and whether the state takes it.

        In replay what was refused is refused again, and nothing else, whatever today's rules say.
        """
        told = next((entry for entry in replay.entries if isinstance(entry, Refused)), None) if replay else None
        if told is not None:
            return Reason(told.reason)
        verdict: Reason | str = "new"
        if card is not None:
            window, settings = card.window, self._frame.settings
            verdict = window.judge(record.event, record.body, record.ordinal, clock, settings)
            if verdict == "conflict":
                verdict = Reason.CONFLICTING_DUPLICATE if replay is None else "duplicate"
        if verdict in {"new", "further"} and replay is None:
            return refusal(card, record.change, self._frame, len(self._shelf)) or verdict
        return verdict

    def _refuse(
        self, record: Movement, reason: Reason, offset: int, appended: Milliseconds, replay: Replay | None
    ) -> Sequence[Output]:
        self.counters.refused[reason.value] += 1
        if replay is not None:
            return ()
        cause = Cause((self._about.ledger, self._partition), offset, 0, appended, record)
        cause.refused(record.item, reason, appended)
        return cause.outputs

    def _dropped(self, admission: str) -> Sequence[Output]:
        if admission == "orphan":
            self.counters.orphans += 1
        else:
            self.counters.duplicates["technical"] += 1
        return ()

    # Time ---------------------------------------------------------------------------------------------------------

    def _tick(
        self, record: Ticked, offset: int, appended: Milliseconds, replay: Replay | None
    ) -> Iterator[Output | None]:
        """Move the watermark, and give their attention to the items whose time has come, in the order of time."""
        frame, timeline = self._frame, self._timeline
        timeline.tick(record, appended, frame.settings)
        watermark = frame.watermark = self.counters.watermark = timeline.watermark
        self.counters.silent_feeds = len(timeline.silent)
        if watermark is None:
            return
        told = _by_moment(replay)
        step, quiet = 0, 0
        while (woken := self._schedule.take(watermark)) is not None:
            at, name = woken
            card = self._shelf.find(name)
            if card is None or card.wake != at:
                continue
            past = replay is not None and (replay.whole or (replay.done is not None and woken <= replay.done))
            if replay is not None and not past:
                self._retell_rest(told, watermark)
                step = max(step, replay.step)
            cause = Cause((self._about.ledger, self._partition), offset, step, at, review=woken)
            card.touch(self._shelf)
            self._clerk.attend(card, cause, told.pop(woken, ()) if past else None)
            step = cause.step
            yield from cause.outputs
            quiet = 0 if cause.outputs else quiet + 1
            if quiet == _BREATH:
                quiet = 0
                yield None
        self._retell_rest(told, watermark)

    def _retell_rest(self, told: dict[tuple[Milliseconds, str], list[JournalEntry]], now: Milliseconds) -> None:
        """Let stand what was told of moments that today's code has no use for: it was told nevertheless."""
        for woken in sorted(told):
            card = self._shelf.find(woken[1])
            if card is not None:
                card.touch(self._shelf)
                self._clerk.retell(card, told[woken])
                self._clerk.rest(card, now)
        told.clear()

    # Notices ------------------------------------------------------------------------------------------------------

    def _note(self, record: Notice, offset: int, appended: Milliseconds, replay: Replay | None) -> Sequence[Output]:
        """Apply what concerns no single item; reviews to come will see it."""
        clock = self._timeline.at(appended)
        admission = self._timeline.admit(record.feed, record.offset, record.ordinal, record.prev)
        if admission != "applied":
            return self._dropped(admission)
        settings = self._frame.settings
        verdict = self._notices.judge(record.event, record.body, record.ordinal, clock, settings)
        if verdict == "duplicate":
            self.counters.duplicates["business"] += 1
            return ()
        if verdict == "conflict":
            self.counters.refused[Reason.CONFLICTING_DUPLICATE.value] += 1
            # Every shard has the notice; one of them sends it to the dead letters.
            if replay is not None or self._partition != 0:
                return ()
            cause = Cause((self._about.ledger, self._partition), offset, 0, appended, record)
            cause.refused("", Reason.CONFLICTING_DUPLICATE, appended)
            return cause.outputs
        if verdict == "new":
            self._notices.remember(record.event, record.body, record.ordinal, 0, clock, settings)
        self._catalogue.apply(record.change, self._frame.watermark)
        self.counters.applied += 1
        return ()

    # State --------------------------------------------------------------------------------------------------------

    def changes(self) -> Tables:
        """Encode what has changed since the last call."""
        if self._loaded:
            self._unpack()
        shared: dict[str, bytes | None] = dict(self._timeline.changed())
        shared.update(self._catalogue.changed())
        shared.update(self._planner.learners.changed())
        shared.update({f"notices {number}": data for number, data in self._notices.changed()})
        shared.update(self.counters.dump())
        if self._about_changed:
            shared["about"] = _encode_about(self._about)
            self._about_changed = False
        return {**self._shelf.changes(), "shared": shared}

    def load(self, tables: Tables) -> None:
        """Take in a slice of a checkpoint; items stay as they are until somebody looks at them."""
        self._schedule.fill(self._shelf.load(tables))
        self._loaded.update({field: data for field, data in tables.get("shared", {}).items() if data is not None})

    def dump(self) -> Mapping[str, Mapping[str, bytes]]:
        """Everything, encoded: what an audit compares."""
        if self._loaded:
            self._unpack()
        shared = {
            "about": _encode_about(self._about),
            **self._timeline.dump(),
            **self._catalogue.dump(),
            **self._planner.learners.dump(),
            **{f"notices {number}": page.dump() for number, page in self._notices.pages.items()},
            **self.counters.dump(),
        }
        return {**self._shelf.dump(), "shared": shared}

    def _unpack(self) -> None:
        """Read the shared table, once all of it is here."""
        fields, self._loaded = self._loaded, {}
        if "about" in fields:
            self._about = _decode_about(fields["about"])
            self._frame.settings = self._about.settings
            self._about_changed = False
        self._timeline.load(fields)
        self._catalogue.load(fields)
        self._planner.learners.load(fields)
        self.counters.load(fields)
        prefix = "notices "
        self._notices = Window({int(f.removeprefix(prefix)): d for f, d in fields.items() if f.startswith(prefix)})
        self._frame.watermark = self.counters.watermark = self._timeline.watermark


def _nobody_ordered(card: Card, change: Received) -> bool:
    return change.replenishment is not None and replenishments.find(card.item, change.replenishment) is None


def _by_moment(replay: Replay | None) -> dict[tuple[Milliseconds, str], list[JournalEntry]]:
    """What was told of a tick, by the moments of the items it woke: an entry's own time says which."""
    found: dict[tuple[Milliseconds, str], list[JournalEntry]] = defaultdict(list)
    for entry in replay.entries if replay is not None else ():
        if isinstance(entry, Decided):
            found[entry.decided_at, entry.item].append(entry)
        elif isinstance(entry, Alerted):
            found[entry.since, entry.item].append(entry)
    return found
