"""The kernel computes the same bits compiled and interpreted, for this processor and for any of its kind."""

import os
import subprocess
import sys

import pytest

from tests.agents.kernel.scenarios import SCENARIOS

WAYS = {
    "interpreted": {"NUMBA_DISABLE_JIT": "1"},
    "for any processor of the kind": {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""},
    "hardly optimised": {"NUMBA_OPT": "1", "NUMBA_CACHE_DIR": "{scratch}"},
}


def bits(scenario: str, **environment: str) -> str:
    command = [sys.executable, "-m", "tests.agents.kernel.scenarios", scenario]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=170, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_kernel_computes_the_same_bits(scenario: str, way: str, tmp_path: object) -> None:
    environment = {name: value.format(scratch=tmp_path) for name, value in WAYS[way].items()}
    assert bits(scenario, **environment) == bits(scenario)
