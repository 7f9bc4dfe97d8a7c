"""`restock local`, as a user types it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import redis
from confluent_kafka.admin import AdminClient

RESTOCK = (sys.executable, "-c", "import sys; from agents.cli import main; sys.exit(main())")


def restock(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RESTOCK, *words], capture_output=True, text=True, check=False, timeout=120, env=os.environ | environment
    )


def exported(lines: str) -> dict[str, str]:
    words = [line.removeprefix("export ").partition("=") for line in lines.splitlines()]
    return {name: value for name, _, value in words}


def await_end(processes: list[psutil.Process]) -> None:
    """The lock is let go of a moment before the process that held it is gone."""
    deadline = time.monotonic() + 10
    while any(map(alive, processes)):
        assert time.monotonic() < deadline, f"still running: {[each for each in processes if alive(each)]}"
        time.sleep(0.02)


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE  # nobody may be there to reap an orphan


def test_detached_servers_live_on_until_they_are_stopped(tmp_path: Path) -> None:
    home = tmp_path / "local"
    assert restock("local", "status", "--dir", home).returncode == 1
    started = restock("local", "--detach", "--dir", home)
    try:
        assert (started.returncode, started.stderr) == (0, "")
        settings = exported(started.stdout)
        assert set(settings) == {"RESTOCK_KAFKA", "RESTOCK_REDIS"}
        assert len(AdminClient({"bootstrap.servers": settings["RESTOCK_KAFKA"]}).list_topics(timeout=10).brokers) == 1
        with redis.Redis.from_url(settings["RESTOCK_REDIS"]) as client:
            client.set("kept", "yes")
        again = restock("local", "--detach", "--dir", home)
        assert (again.returncode, again.stdout) == (0, started.stdout)
        status = json.loads(restock("local", "status", "--json", "--dir", home).stdout)
        assert status["running"]
        assert status["settings"] == settings
        second = restock("local", "--dir", home)
        assert (second.returncode, second.stdout) == (1, "")
        assert "in use" in second.stderr
        family = [psutil.Process(status["process"]), *psutil.Process(status["process"]).children(recursive=True)]
    finally:
        assert restock("local", "stop", "--dir", home).returncode == 0
    await_end(family)
    assert restock("local", "status", "--dir", home).returncode == 1
    assert restock("local", "stop", "--dir", home).returncode == 0


def test_the_foreground_runs_until_it_is_stopped(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*RESTOCK, "local", "--dir", tmp_path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith("export RESTOCK_KAFKA=127.0.0.1:")
        running.send_signal(signal.SIGTERM)
        _, printed = running.communicate(timeout=30)
    assert running.returncode == 0
    assert printed == "Kafka and Valkey accept connections; Ctrl-C stops them\n"


def test_a_server_that_ends_by_itself_ends_the_command(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*RESTOCK, "local", "--dir", tmp_path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        valkey = [child for child in psutil.Process(running.pid).children() if "valkey" in child.name()]
        valkey[0].kill()
        _, printed = running.communicate(timeout=30)
    assert running.returncode == 3
    assert printed.splitlines()[-1].startswith("restock local: Valkey ended by itself: see ")


@pytest.mark.parametrize("mode", [(), ("--detach",)], ids=["foreground", "detached"])
def test_a_failed_download_is_one_line_and_exit_code_3(tmp_path: Path, mode: tuple[str, ...]) -> None:
    nowhere = {
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
        "M2_REPO": str(tmp_path / "jars"),
    }
    done = restock("local", *mode, "--dir", tmp_path / "local", **nowhere)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("restock local: cannot download ")
    assert "check network and proxy" in done.stderr
