"""`make chaos` and `make soak HOURS=…` run this: every fault there is, and a table in the end."""

import os
import re
import time
from pathlib import Path

import pytest

from tests.chaos.campaign import campaign
from tests.chaos.faults import FAILPOINTS, FAULTS

ROOT = Path(__file__).parents[2]


def test_every_failpoint_there_is_has_its_fault() -> None:
    sources = [path.read_text() for room in ("agents", "stream") for path in (ROOT / room).rglob("*.py")]
    passed = {name for text in sources for name in re.findall(r'^ +failpoint\("([a-z_.]+)"\)', text, re.MULTILINE)}
    assert passed == set(FAILPOINTS)


@pytest.mark.timeout(0)
def test_no_fault_breaks_a_promise_in_chaos_or_soak(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It lasts for `SOAK_HOURS`, else for `CHAOS_MINUTES`; every fault comes once in any case."""
    hours = float(os.environ.get("SOAK_HOURS") or float(os.environ.get("CHAOS_MINUTES", "9")) / 60)
    seed = int(os.environ.get("SEED", str(int(time.time()) % 1_000_000)))
    with capsys.disabled():
        print(f"\nseed {seed}, {len(FAULTS)} kinds of faults")
        result = campaign(tmp_path / "servers", hours * 3600, seed, list(FAULTS))
        print(result.table())
    assert not result.violations
