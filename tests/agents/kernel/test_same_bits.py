"""The kernel computes the same bits compiled and interpreted, for this processor and for any of its kind."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.agents.kernel.scenarios import SCENARIOS

WAYS: Mapping[str, Mapping[str, str]] = {
    "interpreted": {"NUMBA_DISABLE_JIT": "1"},
    "for any processor of the kind": {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
}


def bits(environment: Mapping[str, str]) -> dict[str, str]:
    """By scenario, the hash of what it ends in."""
    command = [sys.executable, "-m", "tests.agents.kernel.scenarios"]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=170, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def usual() -> dict[str, str]:
    return bits({})


@pytest.mark.parametrize("way", WAYS)
def test_the_kernel_computes_the_same_bits(way: str, usual: Mapping[str, str]) -> None:
    assert bits(WAYS[way]) == usual
    assert usual.keys() == SCENARIOS.keys()
