"""Quantities by item, and those among them that no other row of the item can explain: a typo, most likely.

Every order of a shop differs in size, so the measure is what the item itself usually does. A quantity is questioned
when it is more than ten times the next largest of its item and more than sixty days of the item's usual demand; the
largest three may be questioned together. An item of few rows is measured by the whole file: twenty times what 99 of 100
rows do not exceed, the three largest of all left aside.

>>> quantities = RowQuantities()
>>> for row in range(2, 40):
...     quantities.add("TEA-01@BER1", 1 + row % 3, row)
>>> quantities.add("TEA-01@BER1", 100_000, 40)
>>> [(each.quantity, each.row, each.usual) for each in quantities.questioned(days=120)]
[(100000, 40, 3)]
"""

from collections import Counter
from typing import NamedTuple

TIMES_THE_NEXT = 10
DAYS_OF_DEMAND = 60
TIMES_THE_FILE = 20
FEW = 10
"""Rows of an item below which it says nothing about itself."""
ENOUGH = 20
"""Rows of a file from which it says something about an item."""
MOST = 3
"""So many quantities of an item may be questioned together."""


class QuestionedQuantity(NamedTuple):
    """A quantity, where it stands, and the largest that is not questioned."""

    item: str
    quantity: int
    row: int
    usual: int


class RowQuantities:
    """What the rows of a file sell or count, as far as the question needs it."""

    def __init__(self) -> None:
        self._largest: dict[str, list[tuple[int, int]]] = {}
        """By item the largest quantities with their rows, largest first."""
        self._rows: Counter[str] = Counter()
        self._units: Counter[str] = Counter()
        self._sizes: Counter[int] = Counter()
        """How many rows of the file hold which quantity."""

    def add(self, item: str, quantity: int, row: int) -> None:
        """Take in a row."""
        largest = self._largest.setdefault(item, [])
        if len(largest) <= MOST or quantity > largest[-1][0]:
            largest.append((quantity, row))
            largest.sort(key=lambda pair: (-pair[0], pair[1]))
            del largest[MOST + 1 :]
        self._rows[item] += 1
        self._units[item] += quantity
        self._sizes[quantity] += 1

    def largest(self, count: int) -> list[tuple[int, int]]:
        """The largest quantities of the file, each with its row."""
        every = [pair for largest in self._largest.values() for pair in largest]
        return sorted(every, key=lambda pair: (-pair[0], pair[1]))[:count]

    def questioned(self, days: int) -> list[QuestionedQuantity]:
        """Every quantity that wants an answer, the largest first; the file is about so many days."""
        usual_of_file = self._nearly_all()
        found = [each for item in self._largest for each in self._of(item, days, usual_of_file)]
        return sorted(found, key=lambda each: (-each.quantity, each.row))

    def _of(self, item: str, days: int, usual_of_file: int | None) -> list[QuestionedQuantity]:
        largest, rows = self._largest[item], self._rows[item]
        for count in range(min(MOST, rows - FEW), 0, -1):
            above, (usual, _) = largest[:count], largest[count]
            others = self._units[item] - sum(quantity for quantity, _ in above)
            least = max(TIMES_THE_NEXT * usual, DAYS_OF_DEMAND * others / days)
            if above[-1][0] > least:
                return [QuestionedQuantity(item, quantity, row, usual) for quantity, row in above]
        if rows <= FEW and usual_of_file is not None:
            least = TIMES_THE_FILE * max(1, usual_of_file)
            return [QuestionedQuantity(item, each, row, usual_of_file) for each, row in largest if each > least]
        return []

    def _nearly_all(self) -> int | None:
        """What 99 of 100 rows of the file do not exceed; None where they are too few to say."""
        left = self._sizes.total() // 100 + MOST + 1
        if self._sizes.total() < ENOUGH:
            return None
        for quantity in sorted(self._sizes, reverse=True):
            left -= self._sizes[quantity]
            if left <= 0:
                return quantity
        return None
