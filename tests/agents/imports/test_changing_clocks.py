"""A history's local times on days on which clocks change: each is a moment, and the days' order holds."""

from datetime import UTC, datetime

import pytest

from agents.imports.table import Times, zone

BERLIN = Times(zone("Europe/Berlin"))


@pytest.mark.parametrize(
    "written, moment",
    [
        ("2024-03-31 01:59", "2024-03-31T00:59:00Z"),
        ("2024-03-31 02:30", "2024-03-31T01:30:00Z"),  # skipped by the clocks: as if they had not been set yet
        ("2024-03-31 03:00", "2024-03-31T01:00:00Z"),
        ("2024-10-27 02:30", "2024-10-27T00:30:00Z"),  # came twice: the first
        ("2024-10-27 03:00", "2024-10-27T02:00:00Z"),
        ("2024-10-27T02:30:00+01:00", "2024-10-27T01:30:00Z"),  # says itself which it was
    ],
)
def test_every_written_time_is_a_moment(written: str, moment: str) -> None:
    assert BERLIN.read(written).astimezone(UTC) == datetime.fromisoformat(moment)
