"""What an import says about the data it met: how much became what, what was left out and why, what looks odd."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec

from agents.imports.alarm import Alarm
from agents.imports.look_alikes import LookAlike
from agents.imports.row_days import RowDays
from agents.imports.row_quantities import RowQuantities

GIANTS = 5
NAMED = 5
"""Of each kind so many are named one by one; the rest is counted."""
MANY_COPIES = 0.05
"""Share of a file's rows that may be exact copies without a question."""


class LeftOut(msgspec.Struct):
    """Rows that became no event, for one reason."""

    rows: int
    first_row: int
    example: str


class Report:
    """The figures of one import."""

    def __init__(self) -> None:
        self.rows = 0
        self.events: Counter[str] = Counter()
        self.left_out: dict[str, LeftOut] = {}
        """On purpose: nothing is wrong with these rows."""
        self.refused: dict[str, LeftOut] = {}
        """By the contract's reason: these should be mended."""
        self.rejected: dict[int, str] = {}
        """Every refused row by its line, with the reason, and the rows that wait for it."""
        self.torn: dict[str, int] = {}
        """Orders of which a row was refused, and that row."""
        self.waiting = 0
        """Rows of orders of which another row was refused: an order is imported whole."""
        self.notes: Counter[str] = Counter()
        self.items: Counter[str] = Counter()
        """How many rows each item has."""
        self.days = RowDays()
        self.quantities = RowQuantities()
        self.look_alikes: list[LookAlike] = []
        self.compared_with = ""
        """What the names were compared with, for people."""
        self.contradictions: list[str] = []
        """What the file, or an earlier run, says otherwise."""
        self.warnings: list[str] = []
        """What is imported, and should be mended."""
        self.first_copy: int | None = None

    def leave_out(self, reason: str, row: int, example: str = "") -> None:
        """A row is not for this import."""
        _count(self.left_out, reason, (row,), example)

    def refuse(self, reason: str, rows: Sequence[int], example: str) -> None:
        """Rows are not what the contract allows."""
        _count(self.refused, reason, rows, example)
        self.rejected.update(dict.fromkeys(rows, f"{reason}: {example}"))

    def wait(self, rows: Sequence[int], refused_row: int) -> None:
        """Rows are fine, but belong to the order of one that is not."""
        self.waiting += len(rows)
        waits = f"waits for row {refused_row} of the same order: an order is imported whole"
        self.rejected.update(dict.fromkeys(rows, waits))

    def alarms(self) -> list[Alarm]:
        """What is more likely a mistake than a fact: an import stops for it."""
        return [*self._quantity_alarms(), *self._day_alarms(), *self._name_alarms()]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        days = self.days
        return {
            "rows": self.rows,
            "events": dict(self.events),
            "items": len(self.items),
            "left_out": {reason: msgspec.to_builtins(each) for reason, each in self.left_out.items()},
            "refused": {reason: msgspec.to_builtins(each) for reason, each in self.refused.items()},
            "waiting": self.waiting,
            "notes": {note: count for note, count in self.notes.items() if count},
            "first_day": days.first.isoformat() if days else None,
            "last_day": days.last.isoformat() if days else None,
            "days_without_rows": days.missing,
            "largest_quantities": [{"quantity": each, "row": row} for each, row in self.quantities.largest(GIANTS)],
            "warnings": self.warnings,
            "alarms": [{"kind": alarm.kind, "text": alarm.text} for alarm in self.alarms()],
        }

    def lines(self, more: Sequence[str] = ()) -> list[str]:
        """For people; what more there is to say stands before what was refused."""
        days, giants = self.days, self.quantities.largest(GIANTS)
        written = ", ".join(f"{count:,} {name}" for name, count in sorted(self.events.items())) or "nothing"
        lines = [f"{self.rows:,} rows, {len(self.items):,} items; events: {written}"]
        if days:
            never = f" (never {', '.join(days.never())})" if days.never() else ""
            lines.append(f"{days.first} to {days.last}, {days.missing} days without a row{never}")
        if giants:
            lines.append(f"largest quantities, kept: {', '.join(f'{each:,} (row {row:,})' for each, row in giants)}")
        if self.compared_with:
            lines.append(f"names were compared with {self.compared_with}")
        lines += [f"{note}: {count:,}" for note, count in self.notes.items() if count]
        lines += _named("warning", self.warnings)
        for kind, of_kind in groupby(self.alarms(), key=lambda alarm: alarm.kind):
            lines += _named(f"to look at, {kind}", [alarm.text for alarm in of_kind])
        lines += more
        if self.waiting:
            lines.append(f"held back: {self.waiting:,} rows of orders with a refused row: an order is imported whole")
        for title, group in (("left out", self.left_out), ("refused", self.refused)):
            for reason, each in sorted(group.items(), key=lambda pair: -pair[1].rows):
                example = f", {each.example}" if each.example else ""
                lines.append(f"{title}, {reason}: {each.rows:,} rows (first: row {each.first_row:,}{example})")
        return lines

    def _quantity_alarms(self) -> list[Alarm]:
        found = self.quantities.questioned(max(1, self.days.span))
        texts = [f"row {e.row:,} has {e.quantity:,} of {e.item}, otherwise {e.usual:,} at most" for e in found]
        return [Alarm("quantity", text) for text in texts]

    def _day_alarms(self) -> list[Alarm]:
        days, alarms = self.days, []
        repeated = days.repeated()
        if repeated or days.copies > MANY_COPIES * max(1, self.rows):
            where = f"; on {len(repeated)} days, first {repeated[0]}, half of the rows and more" if repeated else ""
            text = f"{days.copies:,} rows are exact copies of earlier ones (first: row {self.first_copy}){where}"
            alarms.append(Alarm("copies", f"{text}: was a part exported twice?"))
        texts = [f"no row between {before} and {after}: is a part missing?" for before, after in days.gaps()]
        return alarms + [Alarm("gap", text) for text in texts]

    def _name_alarms(self) -> list[Alarm]:
        texts = [f"{each.item}: did you mean {each.nearest}?" for each in self.look_alikes]
        return [
            *(Alarm("spelling", text) for text in texts),
            *(Alarm("contradiction", text) for text in self.contradictions),
        ]


def _named(title: str, texts: Sequence[str]) -> Iterator[str]:
    """The first few in a line each, and how many there are beyond."""
    yield from (f"{title}: {text}" for text in texts[:NAMED])
    if len(texts) > NAMED:
        yield f"{title}: {len(texts) - NAMED:,} more; --json has all of them"


def _count(group: dict[str, LeftOut], reason: str, rows: Sequence[int], example: str) -> None:
    if reason in group:
        group[reason].rows += len(rows)
    else:
        group[reason] = LeftOut(len(rows), rows[0], example)
