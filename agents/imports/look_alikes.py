"""Items of a file that are spelt almost like a known one: by case, space or normal form they would be the same.

>>> look_alikes({"tea-01@BER1": 1, "TEA-01@BER1": 40, "MUG-07@BER1": 2}, [])
[LookAlike(item='tea-01@BER1', nearest='TEA-01@BER1', known=False)]
>>> look_alikes({"mug-07@BER1": 9}, ["MUG-07@BER1"])
[LookAlike(item='mug-07@BER1', nearest='MUG-07@BER1', known=True)]
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import NamedTuple

from schemas.spelling import folded


class LookAlike(NamedTuple):
    """A name, and the one it was probably meant to be."""

    item: str
    nearest: str
    known: bool
    """Whether the system knows the nearest one; else only this file does."""


def look_alikes(rows: Mapping[str, int], known: Collection[str]) -> list[LookAlike]:
    """Names that nobody knows, beside one that is known, or beside one that has more rows of the same file."""
    there = {folded(name): name for name in known if name not in rows}
    exact = {name for name in known if name in rows}
    found = []
    spellings: defaultdict[str, list[str]] = defaultdict(list)
    for name in rows:
        spellings[folded(name)].append(name)
    for fold, names in spellings.items():
        right = [name for name in names if name in exact]
        if not right and fold in there:
            found += [LookAlike(name, there[fold], known=True) for name in names]
        elif len(names) > 1:
            nearest = right[0] if right else max(names, key=lambda name: (rows[name], name.isupper(), name))
            found += [LookAlike(name, nearest, known=bool(right)) for name in names if name not in {nearest, *right}]
    return sorted(found)
