"""Compiled code is kept for the next start; where it cannot be, the kernel works all the same."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agents import kernel

PACKAGE = Path(kernel.__file__).parent
LOOK = """
from agents.kernel import arithmetic, code_cache
from agents.kernel.compiled import compiled, ready
arithmetic.exp(1.0)
stats = arithmetic.exp.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()), code_cache._folder())
"""


def run(tree: Path, code: str, **environment: str) -> str:
    """Run code in a process that finds its rooms in `tree`."""
    at = {"PYTHONPATH": str(tree), "HOME": str(tree / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=os.environ | at | environment, cwd=tree, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def look(tree: Path, **environment: str) -> list[str]:
    """Call a function: how often its code was found and not found, and the folder."""
    return run(tree, LOOK, **environment).split(maxsplit=2)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    rooms = tmp_path / "tree" / "agents"
    shutil.copytree(PACKAGE, rooms / "kernel", ignore=shutil.ignore_patterns("__pycache__"))
    (rooms / "__init__.py").touch()
    return rooms.parent


def test_code_is_compiled_once(tree: Path) -> None:
    assert look(tree)[:2] == ["0", "1"]
    hits, misses, folder = look(tree)
    assert (hits, misses) == ("1", "0")
    assert Path(folder).parent == tree / "agents" / "kernel" / "__pycache__"


def test_code_of_a_changed_source_is_not_taken(tree: Path) -> None:
    look(tree)
    with (tree / "agents" / "kernel" / "compiled.py").open("a") as source:
        source.write("# a function that others call may have changed\n")
    assert look(tree)[:2] == ["0", "1"]


def test_code_for_another_processor_is_not_taken(tree: Path) -> None:
    look(tree)
    assert look(tree, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")[:2] == ["0", "1"]


def test_a_folder_given_by_the_user_goes_first(tree: Path, tmp_path: Path) -> None:
    look(tree)
    folder = look(tree, NUMBA_CACHE_DIR=str(tmp_path / "mine"))[2]
    assert Path(folder).parent == tmp_path / "mine"


def test_where_nothing_can_be_kept_code_is_compiled_at_every_start(tree: Path) -> None:
    for blocked in (tree / "agents" / "kernel" / "__pycache__", tree / "home"):
        blocked.touch()  # a file stands where the folder would be
    for _ in range(2):
        assert look(tree)[:2] == ["0", "1"]
    assert look(tree)[2] == "None"


def test_what_is_kept_is_read_where_it_cannot_be_written(tree: Path) -> None:
    look(tree)
    refuse = """
from numba.core.caching import IndexDataCacheFile
def refuse(*_): raise OSError(30, "Read-only file system")
IndexDataCacheFile.save = refuse
"""
    said = run(tree, f"{refuse}{LOOK}\nprint(arithmetic.log(2.0))")
    assert said.startswith("1 0 ")
    assert said.endswith("0.6931471805599453")
