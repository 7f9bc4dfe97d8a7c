"""The days that a file's rows are about: where days are missing, and where rows came twice.

>>> days = RowDays()
>>> for number in [*range(1, 11), *range(26, 31)]:
...     days.add(date(2026, 3, number), copy=False)
>>> days.gaps()
[(datetime.date(2026, 3, 10), datetime.date(2026, 3, 26))]
>>> days.span, days.missing
(30, 15)
"""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

FEW_DAYS = 10
"""Distinct days below which nobody can say how often rows come."""
LONG_GAP = 14
"""Days; a shop that closes over Christmas has none so long."""
TIMES_USUAL = 4
FEW_ROWS = 10
"""Rows of a day below which copies among them may be chance."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class RowDays:
    """How many rows each day has, and how many of them are exact copies of earlier rows."""

    def __init__(self) -> None:
        self._rows: Counter[date] = Counter()
        self._copies: Counter[date] = Counter()

    def __bool__(self) -> bool:
        return bool(self._rows)

    def add(self, day: date, *, copy: bool) -> None:
        """Take in a row."""
        self._rows[day] += 1
        if copy:
            self._copies[day] += 1

    @property
    def first(self) -> date:
        """The first day that has rows."""
        return min(self._rows)

    @property
    def last(self) -> date:
        """The last day that has rows."""
        return max(self._rows)

    @property
    def span(self) -> int:
        """Calendar days from the first to the last."""
        return (self.last - self.first) // timedelta(days=1) + 1 if self._rows else 0

    @property
    def missing(self) -> int:
        """Calendar days between the first and the last on which nothing was sold."""
        return self.span - len(self._rows)

    def never(self) -> list[str]:
        """Weekdays without any row, where the file is long enough to say so."""
        if len(self._rows) <= LONG_GAP:
            return []
        return [name for number, name in enumerate(WEEKDAYS) if all(day.weekday() != number for day in self._rows)]

    def gaps(self) -> list[tuple[date, date]]:
        """Stretches without rows, much longer than is usual here; each between two days that have some."""
        days = sorted(self._rows)
        steps = [(later - earlier).days for earlier, later in pairwise(days)]
        if len(days) < FEW_DAYS:
            return []
        usual = sorted(steps)[len(steps) * 9 // 10]
        longest = max(LONG_GAP, TIMES_USUAL * usual)
        return [(days[n], days[n + 1]) for n, step in enumerate(steps) if step > longest]

    def repeated(self) -> list[date]:
        """Days of which at least half of all rows are copies: part of a file that was written twice."""
        return sorted(
            day for day, copies in self._copies.items() if self._rows[day] >= FEW_ROWS and 2 * copies >= self._rows[day]
        )

    @property
    def copies(self) -> int:
        """Rows that are exact copies of an earlier one."""
        return self._copies.total()
