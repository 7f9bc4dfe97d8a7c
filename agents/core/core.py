"""The core of a shard: folds ledger records into cards, and follows up what changes.

It is a deterministic function of ledger and journal: no clock, no chance, no server. State is the same whether it was
folded in one piece, restored from a checkpoint, or replayed from the journal, byte for byte (I6).

>>> from schemas.ledger import Change, Configured, Placed, Received, Terms
>>> core = Core(4, "k3f9")
>>> def happened(offset: int, change: Change) -> list[str]:
...     time = 60_000 * offset
...     movement = Movement("TEA-01@BER1", "f/0", offset, 0, None, "wms", f"e{offset}", offset, 0, time, change)
...     return [output.event.body.kind for output in core.fold(movement, offset, time, None)]
>>> happened(1, Configured(Terms(low_stock=14))), happened(2, Received(40)), happened(3, Placed(20))
([], [], [])
>>> happened(4, Placed(9)), happened(5, Placed(2))
(['low_stock'], [])
"""

from collections.abc import Iterable, Mapping, Sequence

from agents.core.cause import Cause
from agents.core.counters import Counters
from agents.core.decide import Decider
from agents.core.followup import Followup
from agents.core.judge import EXAMINED, Verdict, judge
from agents.core.learners import Learners
from agents.core.learning_state import encode_learning_state
from agents.core.notices import Notices
from agents.core.review import Reviewer
from agents.core.shard_state import ShardState
from agents.core.wakeups import Wakeups
from agents.inventory import alerts, replenishments
from agents.inventory.card import Card
from agents.inventory.fold import apply, order_line
from agents.inventory.periods import Schedule
from agents.inventory.position import Item
from agents.inventory.shelf import Shelf
from agents.inventory.timeline import Admission
from schemas.journal import JournalEntry
from schemas.ledger import (
    Counted,
    LedgerCreated,
    Milliseconds,
    Movement,
    Notice,
    Placed,
    Received,
    Record,
    SettingsChanged,
    Ticked,
    decode_record,
)
from schemas.refusal import Reason
from stream.ports import Output, RawRecord, Replay, Tables, Within


class Core:
    """The rules of one shard, as `stream.ports.ShardCore` has them."""

    def __init__(self, partition: int, ledger: str = "", most_decoded: int = 200_000) -> None:
        self.counters = Counters()
        self._state = ShardState(partition, ledger)
        self._timeline = self._state.timeline
        self._notices = Notices(self._state)
        self._shelf = Shelf(encode_learning_state, most_decoded)
        self._cards = self._shelf.cards
        self._learners = Learners(self._state, self.counters)
        reviewer = Reviewer(self._state, self._learners, self.counters)
        decider = Decider(self._state, self._learners, self.counters)
        self._schedule = Schedule()
        self._followup = Followup(self._state, reviewer, decider, self._schedule, self.counters)
        self._wakeups = Wakeups(self._state, self._shelf, self._schedule, self._followup)
        self._loaded: dict[str, bytes] = {}
        """Fields of the table `shared` that have come in so far."""

    # Folding ------------------------------------------------------------------------------------------------------

    def fold(
        self, record: Record, offset: int, appended: Milliseconds, replay: Replay | None
    ) -> Iterable[Output | None]:
        """Apply one ledger record and decide; in replay, apply what was published then and decide nothing."""
        if self._loaded:
            self._read_shared()
        if type(record) is Movement:
            return self._move(record, offset, appended, replay)
        if isinstance(record, Ticked):
            return self._tick(record, offset, appended, replay)
        if isinstance(record, Notice):
            return self._note(record, offset, appended, replay)
        if isinstance(record, LedgerCreated | SettingsChanged) and self._state.follow(record):
            self._learners.renew()
        return ()

    def fold_run(  # noqa: C901 - the fast path and its exits, in one place
        self, raws: Iterable[RawRecord], replay: Replay | None
    ) -> tuple[Record, Iterable[Output | None]] | None:
        """Fold records one after the other, up to one that is no movement or from which something follows.

        Answers with that record and its outputs; None when no record is left. An ordinary order line passes through
        here and through `order_line`, and nothing else; any other movement is left to `fold`.
        """
        if self._loaded:
            self._read_shared()
        timeline, counters, cards, frame = self._timeline, self.counters, self._cards, self._state.frame
        settings = frame.settings
        for raw in raws:
            record, appended = decode_record(raw.value), raw.timestamp
            if type(record) is not Movement:
                return record, self.fold(record, raw.offset, appended, replay)
            change, card = record.change, cards.get(record.item)
            if type(change) is not Placed or card is None or record.event in card.window.seen:
                if outputs := self._move(record, raw.offset, appended, replay):
                    return record, outputs
                continue
            timeline.appended = max(timeline.appended, appended)
            admission = timeline.admit(record.feed, record.offset, record.ordinal, record.prev)
            if admission != "applied":
                self._drop(admission)
                continue
            time, item = record.time, card.item
            placement = order_line(card, change, time, frame)
            card.window.note(record.event, record.body, record.ordinal, placement, timeline.appended, settings)
            counters.applied += 1
            if time < item.starts or time < timeline.long_ago:
                self._note_late(time, item)
            if not card.changed:
                self._shelf.touch(card)
            stock = item.net - item.reserved if item.reserved > 0 else item.net
            if card.quiet_below < stock < card.quiet_above and stock + item.on_order > card.reorder_at:
                continue
            if outputs := self._follow_up(card, record, raw.offset, appended, None if replay is None else ()):
                return record, outputs
        return None

    def _move(self, record: Movement, offset: int, appended: Milliseconds, replay: Replay | None) -> Sequence[Output]:
        """Apply a movement."""
        timeline, counters = self._timeline, self.counters
        clock = timeline.at(appended)
        admission = timeline.admit(record.feed, record.offset, record.ordinal, record.prev)
        if admission != "applied":
            return self._drop(admission)
        card = self._cards.get(record.item) or self._shelf.find(record.item)
        verdict: Verdict = "new"
        change, entries = record.change, () if replay is None else replay.entries
        if card is None or entries or record.event in card.window.seen or type(change) in EXAMINED:
            verdict = judge(card, record, clock, replay, self._state.frame, self._shelf)
            if verdict not in {"new", "further"}:
                return self._turn_away(record, verdict, offset, appended, replay)
            card = self._prepare(card, record)
        item, frame = card.item, self._state.frame
        abc, net = item.abc, item.net
        placement = (
            order_line(card, change, record.time, frame) if type(change) is Placed else apply(card, record, frame)
        )
        if verdict == "new":
            card.window.remember(record.event, record.body, record.ordinal, placement, clock, frame.settings)
        counters.applied += 1
        if record.time < item.starts or record.time < timeline.long_ago:
            self._note_late(record.time, item)
        if not card.changed:
            self._shelf.touch(card)
        stock = item.net - item.reserved if item.reserved > 0 else item.net
        if card.quiet_below < stock < card.quiet_above and stock + item.on_order > card.reorder_at and not entries:
            return ()
        if item.abc != abc:
            counters.reclass(abc, item.abc, [e.kind for e in item.alerts], at_risk=alerts.at_risk(item))
        if type(change) is Counted:
            counters.count_stock(abs(item.net - net))
        return self._follow_up(card, record, offset, appended, None if replay is None else entries)

    def _follow_up(
        self, card: Card, record: Movement, offset: int, appended: Milliseconds, entries: Sequence[JournalEntry] | None
    ) -> Sequence[Output]:
        """Look at what follows from a movement that was applied; in replay the entries say it."""
        watermark = self._state.frame.watermark or 0
        moment = max(watermark, min(record.time, appended))
        cause = Cause(self._state.names, offset, 0, moment, record, entries=entries)
        self._followup.after_change(card, cause, watermark)
        return cause.outputs

    def _note_late(self, time: Milliseconds, item: Item) -> None:
        """Count what is older than its item's open period, and notice a history that is coming in."""
        self.counters.late += time < item.starts
        if time < self._timeline.long_ago:
            self._timeline.hear_of_history()

    def _prepare(self, card: Card | None, record: Movement) -> Card:
        """Open the card of a new item; count a receipt that nobody ordered."""
        if card is None:
            card = self._shelf.open(record.item)
            self.counters.reclass(None, card.item.abc, [], at_risk=False)
        change = record.change
        if isinstance(change, Received) and change.replenishment is not None:
            self.counters.unordered += replenishments.find(card.item, change.replenishment) is None
        return card

    def _turn_away(
        self, record: Movement, verdict: Verdict, offset: int, appended: Milliseconds, replay: Replay | None
    ) -> Sequence[Output]:
        """Drop a duplicate, or refuse a movement and send it to the dead letters."""
        if not isinstance(verdict, Reason):
            self.counters.duplicates["business"] += 1
            return ()
        self.counters.refused[verdict.value] += 1
        return () if replay is not None else self._refuse(record, record.item, verdict, offset, appended)

    def _refuse(
        self, record: Movement | Notice, item: str, reason: Reason, offset: int, appended: Milliseconds
    ) -> Sequence[Output]:
        cause = Cause(self._state.names, offset, 0, appended, record)
        cause.refused(item, reason, appended, self._shelf.alike(item) if reason is Reason.UNKNOWN_ITEM else None)
        return cause.outputs

    def _drop(self, admission: Admission) -> Sequence[Output]:
        """Count a movement or notice that does not follow on what came from its feed before."""
        if admission == "orphan":
            self.counters.orphans += 1
        else:
            self.counters.duplicates["technical"] += 1
        return ()

    def _tick(
        self, record: Ticked, offset: int, appended: Milliseconds, replay: Replay | None
    ) -> Iterable[Output | None]:
        """Move the watermark, and wake the items whose time has come."""
        self._state.tick(record, appended)
        return self._wake(offset, replay, None)

    def go_on(self, record: Record, offset: int, within: Within, replay: Replay | None) -> Iterable[Output | None]:
        """Wake the items of a tick whose time the state has taken in, from where a checkpoint stands within it."""
        if self._loaded:
            self._read_shared()
        if not isinstance(record, Ticked):
            raise TypeError(f"a checkpoint stands within ledger record {offset}, which is no tick")
        return self._wake(offset, replay, within)

    def _wake(self, offset: int, replay: Replay | None, within: Within | None) -> Iterable[Output | None]:
        watermark = self.counters.watermark = self._timeline.watermark
        self.counters.silent_feeds = len(self._timeline.silent)
        return () if watermark is None else self._wakeups.wake(offset, watermark, replay, within)

    def _note(self, record: Notice, offset: int, appended: Milliseconds, replay: Replay | None) -> Sequence[Output]:
        """Apply what concerns no single item."""
        clock = self._timeline.at(appended)
        admission = self._timeline.admit(record.feed, record.offset, record.ordinal, record.prev)
        if admission != "applied":
            return self._drop(admission)
        judgement = self._notices.apply(record, clock)
        if judgement == "duplicate":
            self.counters.duplicates["business"] += 1
        elif judgement == "conflict":
            self.counters.refused[Reason.CONFLICTING_DUPLICATE.value] += 1
            # Every shard has the notice; one of them sends it to the dead letters.
            if replay is None and self._state.partition == 0:
                return self._refuse(record, "", Reason.CONFLICTING_DUPLICATE, offset, appended)
        else:
            self.counters.applied += 1
        return ()

    @property
    def within(self) -> Within | None:
        """How far the tick in hand has come."""
        return self._wakeups.within

    # State --------------------------------------------------------------------------------------------------------

    @property
    def unsaved(self) -> int:
        """How much `changes` would encode, in kilobytes or so."""
        return self._shelf.unsaved

    def changes(self) -> Tables:
        """Encode what has changed since the last call."""
        if self._loaded:
            self._read_shared()
        shared: dict[str, bytes | None] = {
            **self._state.changed(),
            **self._learners.changed(),
            **self._notices.changed(),
            **self.counters.dump(),
        }
        return {**self._shelf.changes(), "shared": shared}

    def load(self, tables: Tables) -> None:
        """Take in a slice of a checkpoint; items stay as they are until somebody looks at them."""
        self._schedule.fill(self._shelf.load(tables))
        self._loaded.update({field: data for field, data in tables.get("shared", {}).items() if data is not None})

    def dump(self) -> Mapping[str, Mapping[str, bytes]]:
        """Everything, encoded: what an audit compares."""
        if self._loaded:
            self._read_shared()
        shared = {**self._state.dump(), **self._learners.dump(), **self._notices.dump(), **self.counters.dump()}
        return {**self._shelf.dump(), "shared": shared}

    def _read_shared(self) -> None:
        """Read the table `shared`, once all of it is here."""
        fields, self._loaded = self._loaded, {}
        for part in (self._state, self._learners, self._notices, self.counters):
            part.load(fields)
        self.counters.watermark = self._timeline.watermark
