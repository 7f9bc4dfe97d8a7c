"""The broker's jars: verified before every start, downloaded by one process only; a fault is one line."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stream.errors import AnswerIsNo, Unreachable, WrongUse
from stream.local import jars

FETCH = "from stream.local.jars import class_path; print(class_path().count(':'))"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of jars."""
    monkeypatch.setenv("M2_REPO", str(tmp_path / "jars"))
    return tmp_path / "jars"


@pytest.fixture
def small_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A lock file of one small jar that is really in Maven Central."""
    name = "org.jspecify:jspecify:1.0.0"
    lock = {name: json.loads(jars.LOCK.read_text())[name]}
    (tmp_path / "lock.json").write_text(json.dumps(lock))
    monkeypatch.setattr(jars, "LOCK", tmp_path / "lock.json")
    return lock


def test_jars_are_fetched_once_and_verified(cache: Path, small_lock: dict[str, str]) -> None:
    progress: list[tuple[int, int]] = []
    path = Path(jars.class_path(lambda done, total: progress.append((done, total))))
    assert path.is_relative_to(cache)
    assert [hashlib.sha256(path.read_bytes()).hexdigest()] == list(small_lock.values())
    assert jars.class_path(lambda done, total: progress.append((done, total))) == str(path)
    assert progress == [(1, 1)]
    assert list(cache.glob(".restock-*")) == []


def test_a_changed_jar_is_refused(cache: Path, small_lock: dict[str, str]) -> None:
    path = Path(jars.class_path())
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(AnswerIsNo, match=r"jspecify-1\.0\.0\.jar has SHA-256 .*, expected .*: remove the file"):
        jars.class_path()


def test_a_download_that_is_not_the_locked_one_never_reaches_the_cache(
    cache: Path, small_lock: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "lock.json").write_text(json.dumps(dict.fromkeys(small_lock, "0" * 64)))
    with pytest.raises(AnswerIsNo):
        jars.class_path()
    assert list(cache.rglob("*.jar")) == []


def test_an_unreachable_registry_is_reported_in_one_line(
    cache: Path, small_lock: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, NOWHERE)
    with pytest.raises(
        Unreachable, match=r"cannot download org\.jspecify.*ProxyError.*check network and proxy"
    ) as raised:
        jars.class_path()
    assert "\n" not in str(raised.value)
    assert list(cache.rglob("*.jar")) == []


def test_a_cache_that_cannot_be_written_is_wrong_use(
    small_lock: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("M2_REPO", str(tmp_path / "file" / "jars"))
    with pytest.raises(WrongUse, match="set M2_REPO to another folder"):
        jars.class_path()


def test_first_starts_at_the_same_time_share_one_download(cache: Path) -> None:
    environment = {**os.environ, "M2_REPO": str(cache)}
    both = [
        subprocess.Popen([sys.executable, "-c", FETCH], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=120) for process in both]
    jar_count = len(json.loads(jars.LOCK.read_text()))
    assert answers == [(f"{jar_count - 1}\n".encode(), b"")] * 2
    assert len(list(cache.rglob("*.jar"))) == jar_count


def test_every_root_is_locked() -> None:
    locked = json.loads(jars.LOCK.read_text())
    assert set(jars.ROOTS) <= set(locked)
    assert all(len(checksum) == 64 for checksum in locked.values())
