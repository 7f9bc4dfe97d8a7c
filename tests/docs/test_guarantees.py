"""The tests that docs/guarantees.md names are there, and no fault of the campaign is missing from it."""

import re
from pathlib import Path

from tests.chaos.faults import FAILPOINTS, FAULTS, MOODS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "guarantees.md").read_text()


def test_every_test_it_names_is_there() -> None:
    named = set(re.findall(r"`(tests/[\w/.]+)`", TEXT))
    assert len(named) > 10
    assert not [path for path in named if not (ROOT / path).exists()]


def test_the_guarantees_name_every_fault_and_no_other() -> None:
    quoted = set(re.findall("“([^”]+)”", TEXT))
    by_kind = {f"kill at {name}" for name in FAILPOINTS} | {
        f"{s} {mood}" for s in ("store", "broker") for mood, *_ in MOODS
    }
    kinds = {"kill at …", "store …", "broker …"} | {mood for mood, *_ in MOODS}
    assert quoted == FAULTS.keys() - by_kind | kinds
    assert f"each of the {len(FAILPOINTS)} failpoints" in TEXT
