"""A small core that is hard to replay: its decisions are random and change its state.

Replay can only be right by reading the journal, which is what the tests of shards want to see.
"""

import random
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from schemas.journal import Alerted, JournalEntry, Point
from schemas.ledger import Milliseconds, Movement, Record, Ticked, decode_record
from stream.ports import Output, RawRecord, Replay, Tables, Within

EVERY = 3
MOODY = {"I2", "I3", "I4"}
"""Items for which the core decides only now and then where a decision is due."""


def fold_run(
    core: Any, raws: Iterable[RawRecord], replay: Replay | None
) -> tuple[Record, Iterable[Output | None]] | None:
    """Fold records one after the other, as `ShardCore.fold_run` says, by a core's own `fold`."""
    for raw in raws:
        record = decode_record(raw.value)
        outputs = core.fold(record, raw.offset, raw.timestamp, replay)
        if type(record) is not Movement or outputs:
            return record, outputs
    return None


class ToyCore:
    """Counts the movements of each item, decides at every third, and reviews all items at each tick."""

    moody = MOODY

    def __init__(self, shard: int = 0) -> None:
        self.shard = shard
        self.items: dict[str, list[object]] = {}
        self.touched: set[str] = set()
        self.within: Within | None = None
        self.due: list[int] = []
        """Ledger offsets at which something has to be decided."""

    def fold(
        self, record: Record, offset: int, appended: Milliseconds, replay: Replay | None
    ) -> Iterable[Output | None]:
        match record:
            case Movement(item=item):
                return self._move(item, offset, replay)
            case Ticked():
                return self._review(offset, replay, None)
            case _:
                return ()

    def go_on(self, record: Record, offset: int, within: Within, replay: Replay | None) -> Iterable[Output | None]:
        assert isinstance(record, Ticked)
        return self._review(offset, replay, within)

    @property
    def unsaved(self) -> int:
        return len(self.touched)

    def fold_run(
        self, raws: Iterable[RawRecord], replay: Replay | None
    ) -> tuple[Record, Iterable[Output | None]] | None:
        return fold_run(self, raws, replay)

    def _move(self, item: str, offset: int, replay: Replay | None) -> Iterable[Output]:
        state = self.items.setdefault(item, [0, ""])
        self.touched.add(item)
        state[0] += 1  # type: ignore[operator]
        if state[0] % EVERY:  # type: ignore[operator]
            return ()
        self.due += [offset] if item not in MOODY else []
        return self._decide(item, Point(offset), None, replay.entries if replay else None)

    def _review(self, offset: int, replay: Replay | None, within: Within | None) -> Iterator[Output | None]:
        step = max(replay.step if replay else 0, within.step if within else 0)
        self.due += [offset] if self.items.keys() - MOODY else []
        for count, item in enumerate(sorted(self.items), 1):
            review = (offset, item)
            if within is not None and review <= within.done:
                continue
            covered = replay is not None and (replay.whole or (replay.done is not None and review <= replay.done))
            made = self._decide(item, Point(offset, step), review, replay.entries if covered and replay else None)
            step += len(made)
            yield from made
            self.within = Within(review, step, count)
            yield None
        self.within = None

    def _decide(
        self, item: str, at: Point, review: tuple[int, str] | None, entries: Iterable[JournalEntry] | None
    ) -> list[Output]:
        live = entries is None
        if live and item in MOODY and random.random() < 0.7:
            return []
        entry: JournalEntry | None = Alerted(at, item, "toy", raised=True, episode=f"{random.random()}", since=0)
        if entries is not None:
            entry = next((each for each in entries if each.item == item), None)
        if entry is not None:
            assert isinstance(entry, Alerted)
            before = self.items[item][1]
            self.items[item][1] = f"{zlib.crc32(f'{before}{entry.episode}'.encode())}"  # forgets nothing
            self.touched.add(item)
        return [Output("alerts", item, entry, at, entry, review)] if live else []

    def changes(self) -> Tables:
        changed = {item: msgspec.json.encode(self.items[item]) for item in sorted(self.touched)}
        self.touched.clear()
        return {"items": changed}

    def load(self, tables: Tables) -> None:
        for item, value in tables.get("items", {}).items():
            self.items[item] = msgspec.json.decode(value or b"null")

    def dump(self) -> Tables:
        return {"items": {item: msgspec.json.encode(state) for item, state in sorted(self.items.items())}}
