"""What an import says about the data it met: how much became what, what was left out and why, what looks odd."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
GIANTS = 5


class LeftOut(msgspec.Struct):
    """Rows that became no event, for one reason."""

    rows: int
    first_row: int
    example: str


class Report(msgspec.Struct):
    """The figures of one import."""

    rows: int = 0
    events: Counter[str] = msgspec.field(default_factory=Counter)
    left_out: dict[str, LeftOut] = msgspec.field(default_factory=dict)
    """On purpose: nothing is wrong with these rows."""
    refused: dict[str, LeftOut] = msgspec.field(default_factory=dict)
    """By the contract's reason: these should be mended."""
    notes: Counter[str] = msgspec.field(default_factory=Counter)
    items: set[str] = msgspec.field(default_factory=set)
    days: Counter[date] = msgspec.field(default_factory=Counter)
    giants: list[tuple[int, int]] = msgspec.field(default_factory=list)
    """The largest quantities, as (quantity, row)."""

    def leave_out(self, reason: str, row: int, example: str = "") -> None:
        """A row is not for this import."""
        _count(self.left_out, reason, row, example)

    def refuse(self, reason: str, row: int, example: str) -> None:
        """A row is not what the contract allows."""
        _count(self.refused, reason, row, example)

    def sell(self, item: str, quantity: int, time: datetime, row: int) -> None:
        """A row is demand."""
        self.items.add(item)
        self.days[time.astimezone(UTC).date()] += 1
        if len(self.giants) < GIANTS or quantity > self.giants[-1][0]:
            self.giants = sorted([*self.giants, (quantity, row)], reverse=True)[:GIANTS]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "rows": self.rows,
            "events": dict(self.events),
            "items": len(self.items),
            "left_out": {reason: msgspec.to_builtins(each) for reason, each in self.left_out.items()},
            "refused": {reason: msgspec.to_builtins(each) for reason, each in self.refused.items()},
            "notes": {note: count for note, count in self.notes.items() if count},
            "first_day": min(self.days).isoformat() if self.days else None,
            "last_day": max(self.days).isoformat() if self.days else None,
            "days_without_rows": self.days_without_rows(),
            "largest_quantities": [{"quantity": quantity, "row": row} for quantity, row in self.giants],
        }

    def lines(self) -> list[str]:
        """For people."""
        written = ", ".join(f"{count:,} {name}" for name, count in sorted(self.events.items())) or "nothing"
        lines = [f"{self.rows:,} rows, {len(self.items):,} items; events: {written}"]
        if self.days:
            never = [name for day, name in enumerate(WEEKDAYS) if all(each.weekday() != day for each in self.days)]
            span = f"{min(self.days)} to {max(self.days)}, {self.days_without_rows()} days without a row"
            lines.append(span + (f" (never {', '.join(never)})" if never and len(self.days) > 14 else ""))
        if self.giants:
            told = ", ".join(f"{quantity:,} (row {row:,})" for quantity, row in self.giants)
            lines.append(f"largest quantities, kept: {told}")
        lines += [f"{note}: {count:,}" for note, count in self.notes.items() if count]
        for title, group in (("left out", self.left_out), ("refused", self.refused)):
            for reason, each in sorted(group.items(), key=lambda pair: -pair[1].rows):
                example = f", {each.example}" if each.example else ""
                lines.append(f"{title}, {reason}: {each.rows:,} rows (first: row {each.first_row:,}{example})")
        return lines

    def days_without_rows(self) -> int:
        """Calendar days between the first and the last on which nothing was sold."""
        if not self.days:
            return 0
        return (max(self.days) - min(self.days)) // timedelta(days=1) + 1 - len(self.days)


def _count(group: dict[str, LeftOut], reason: str, row: int, example: str) -> None:
    if reason in group:
        group[reason].rows += 1
    else:
        group[reason] = LeftOut(1, row, example)
