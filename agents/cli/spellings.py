"""Items of events that are spelt almost like another one: by case, space or normal form they would be the same.

>>> spellings = Spellings(["tea-01@BER1"])
>>> list(spellings.alike(["TEA-01@BER1", "MUG-07@BER1", "mug-07@BER1", "TEA-01@BER1"]))
[('TEA-01@BER1', 'tea-01@BER1'), ('mug-07@BER1', 'MUG-07@BER1'), ('TEA-01@BER1', 'tea-01@BER1')]
"""

from collections.abc import Iterable, Iterator

from schemas.spelling import folded


class Spellings:
    """The names that are known so far."""

    def __init__(self, known: Iterable[str]) -> None:
        self._names = set(known)
        self._nearest = {folded(name): name for name in sorted(self._names, reverse=True)}

    def alike(self, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Those that are another spelling of a known one, each with it; the others are known from here on."""
        for name in names:
            if name in self._names:
                continue
            nearest = self._nearest.setdefault(folded(name), name)
            if nearest == name:
                self._names.add(name)
            else:
                yield name, nearest

    def add(self, names: Iterable[str]) -> None:
        """Know names as they are spelt."""
        for name in names:
            self._names.add(name)
            self._nearest.setdefault(folded(name), name)
