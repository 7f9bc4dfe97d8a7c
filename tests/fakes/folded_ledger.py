"""A ledger to fold: tests say what happened, and see what came of it."""

from collections.abc import Sequence
from typing import Any

import msgspec

from agents.core.core import Core
from agents.inventory.position import Item
from schemas.journal import Decided, JournalEntry, Refused
from schemas.ledger import (
    Change,
    Counted,
    FoldSettings,
    LedgerCreated,
    Movement,
    Notice,
    Progress,
    Record,
    SettingsChanged,
    Ticked,
)
from stream.ports import Output, Replay

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
T0 = 1_772_409_600_000
"""Monday 2 March 2026, midnight in UTC."""
TEA = "TEA-01@BER1"
MUG = "MUG-07@BER1"
FEED = "orders-id/0"
SETTINGS = FoldSettings(lateness_ms=0)


class FoldedRecord(msgspec.Struct):
    """A record, and what came of it."""

    record: Record
    offset: int
    appended: int
    outputs: list[Output]


class FoldedLedger:
    """One ledger partition from its first record on, folded by a core as it grows."""

    def __init__(self, settings: FoldSettings = SETTINGS, partition: int = 4) -> None:
        self.core = Core(partition)
        self.settings = settings
        self.folded: list[FoldedRecord] = []
        self.now = T0
        self._sent = 0
        self._marks: dict[str, tuple[int, int]] = {}
        self.append(LedgerCreated("k3f9", "restock", partition, 12, settings))

    # What happens -------------------------------------------------------------------------------------------------

    def happens(
        self,
        change: Change,
        item: str = TEA,
        *,
        at: int | None = None,
        id: str | None = None,  # noqa: A002 - as the event calls it
        ordinal: int = 0,
        body: int | None = None,
        feed: str = FEED,
    ) -> list[Output]:
        """Fold a movement of an item, now or at another time; movements with the same id are of one event."""
        self._sent += 1
        name = id or f"e{self._sent}"
        identity = number_of("shop", name)
        content = number_of("body", repr(change)) if body is None else body
        time = self.now if at is None else at
        prev = self._marks.get(feed)
        origin = self._marks[feed] = (self._sent, ordinal)
        return self.append(
            Movement(item, feed, *origin, prev, "shop", name, identity, content, time, change)  # type: ignore[arg-type]
        )

    def counts(self, units: int, item: str = TEA) -> list[Output]:
        """Count the stock of a minute ago: what happens now is not in it."""
        return self.happens(Counted(units, self.now - MINUTE), item)

    def loses(self, feed: str = FEED) -> None:
        """Lose a record of a feed: the next one names it as its predecessor, and so is an orphan."""
        self._sent += 1
        self._marks[feed] = (self._sent, 0)

    def starts_anew(self, feed: str = FEED) -> None:
        """Begin another run of intake: its first record names no predecessor."""
        self._marks.pop(feed, None)

    def is_said(self, change: Change, *, id: str | None = None, body: int = 0) -> list[Output]:  # noqa: A002
        """Fold a notice, which concerns no single item."""
        self._sent += 1
        name = id or f"e{self._sent}"
        prev = self._marks.get(FEED)
        origin = self._marks[FEED] = (self._sent, 0)
        identity = number_of("shop", name)
        return self.append(Notice(FEED, *origin, prev, "shop", name, identity, body, self.now, change))  # type: ignore[arg-type]

    def passes(self, days: float = 0, *, hours: float = 0) -> list[Output]:
        """Let time pass, and tick."""
        self.now += int(days * DAY + hours * HOUR)
        return self.ticks()

    def ticks(self, *progress: Progress, feeds: Sequence[str] = (FEED,), wall: bool = True) -> list[Output]:
        """Fold a tick; without `progress` it reports the only feed as drained."""
        said = progress or (Progress(FEED, self._sent + 1, self.now, drained=True, prev=None),)
        return self.append(Ticked("w", self.now if wall else None, said, tuple(feeds), self.settings))

    def settings_change(self, **changes: Any) -> list[Output]:
        """Let the fold follow other settings from here on."""
        self.settings = msgspec.structs.replace(self.settings, **changes)
        return self.append(SettingsChanged(self.settings))

    def append(self, record: Record, appended: int | None = None) -> list[Output]:
        """Append a record to the ledger and fold it."""
        offset, at = len(self.folded), self.now if appended is None else appended
        outputs = [output for output in self.core.fold(record, offset, at, None) if output is not None]
        self.folded.append(FoldedRecord(record, offset, at, outputs))
        return outputs

    # What is seen -------------------------------------------------------------------------------------------------

    def item(self, name: str = TEA) -> Item:
        """The item as the core has it."""
        card = self.core._shelf.find(name)
        assert card is not None, f"there is no {name}"
        return card.item

    @property
    def outputs(self) -> list[Output]:
        """The outputs of all records."""
        return [output for folded in self.folded for output in folded.outputs]

    def ordered(self) -> list[Decided]:
        """Every decision so far."""
        return [output.entry for output in self.outputs if isinstance(output.entry, Decided)]

    def entries(self) -> dict[int, list[JournalEntry]]:
        """The entries that a journal would hold, by the offsets of their ledger records."""
        return {
            folded.offset: [output.entry for output in folded.outputs if output.entry is not None]
            for folded in self.folded
        }


def number_of(*parts: str) -> int:
    """A 64-bit number that stands for some text."""
    import xxhash

    return xxhash.xxh3_64_intdigest("\x00".join(parts).encode())


def kinds(outputs: Sequence[Output]) -> list[str]:
    """What the outputs are, in short: `low_stock raised`, `request 40`, `review enough`, `refused count_too_old`."""
    return [_kind(output) for output in outputs]


def alerts(outputs: Sequence[Output]) -> list[str]:
    """The alerts among outputs, in short."""
    return [_kind(output) for output in outputs if output.topic == "alerts"]


def orders(outputs: Sequence[Output]) -> list[str]:
    """The replenishments among outputs, in short."""
    return [_kind(output) for output in outputs if output.topic == "replenishments"]


def reviews(outputs: Sequence[Output]) -> list[Any]:
    """The reviews among outputs."""
    return [output.event.body for output in outputs if output.topic == "reviews"]


def replay_of(entries: Sequence[JournalEntry]) -> Replay:
    """A record whose outputs were all published."""
    return Replay(tuple(entries), whole=True)


def _kind(output: Output) -> str:
    if isinstance(output.entry, Refused):
        return f"refused {output.entry.reason}"
    body = output.event.body
    match type(body).__name__:
        case "StockAlert":
            return f"{body.kind} {body.state}"
        case "ReplenishmentRequested":
            return f"request {body.quantity}"
        case "ReplenishmentProposed":
            return f"proposal {body.quantity}"
        case _:
            return f"review {body.decision}"
