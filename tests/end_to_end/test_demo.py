"""The demo as a newcomer runs it: it keeps its promises, and leaves nothing running however it ends."""

import fcntl
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from stream.local import LocalServers

DEMO = (sys.executable, "-c", "import sys; from agents.cli import main; sys.exit(main())", "demo", "--plain")
PATIENCE_SECONDS = 60


@pytest.fixture(autouse=True)
def _alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One demo at a time in all processes of a run: two that begin together find the same port free."""
    with (tmp_path_factory.getbasetemp().parent / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A demo that has simulated its first days."""
    command = [*DEMO, "--days", "300", "--items", "5", "--dir", str(tmp_path / "demo")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with process:
        assert process.stdout is not None
        said: list[str] = []
        while not said or not said[-1].startswith("day "):
            said.append(process.stdout.readline())
            assert said[-1], f"the demo ended before its first day: {said}"
        yield process
        process.kill()


def started_by(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def await_end(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, PATIENCE_SECONDS)
    assert alive == []


def test_a_demo_keeps_every_promise_and_says_how_to_go_on(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    command = [*DEMO, "--days", "15", "--items", "12", "--dir", str(home)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "✘" not in done.stdout
    assert done.stdout.count("✔") == 6
    assert re.search(r"one review an item and day: 180 of 180", done.stdout)
    assert re.search(r"replenishments +[1-9]", done.stdout)
    assert f"--config {home / 'restock.toml'} explain rep-" in done.stdout
    assert LocalServers(home).holder() is None


@pytest.mark.parametrize("ending, code", [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_demo_leaves_nothing_running_however_it_ends(
    running: "subprocess.Popen[str]", ending: signal.Signals, code: int
) -> None:
    started = started_by(running)
    commands = " ".join(word for process in started for word in process.cmdline())
    assert all(part in commands for part in ("kafka.Kafka", "valkey", "worker")), commands

    running.send_signal(ending)

    assert running.wait(PATIENCE_SECONDS) == code, running.stdout and running.stdout.read()
    await_end(started)


def test_a_demo_deletes_nothing_that_no_demo_made(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")

    done = subprocess.run([*DEMO, "--dir", str(tmp_path)], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "thesis.txt" in done.stderr
    assert (tmp_path / "thesis.txt").exists()
