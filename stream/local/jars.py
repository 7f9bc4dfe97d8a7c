"""The jars of the broker: fetched once from Maven Central into the cache of jgo, and verified at every start.

`jars.lock.json` names every jar with its SHA-256, so nothing is resolved at run time and nothing unknown is executed.
To move to another Kafka, change `ROOTS`, run `python stream/local/jars.py`, and commit the lock file it writes.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from stream.errors import AnswerIsNo, Unreachable, WrongUse

try:
    import jgo
    import requests
    from jgo.config import GlobalSettings
    from jgo.maven import Artifact, MavenContext
except ModuleNotFoundError as missing:
    raise WrongUse(f"local servers need {missing.name}: install the extra restock[local]") from missing

KAFKA_VERSION = "4.3.1"
ROOTS = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    f"org.apache.kafka:kafka-clients:{KAFKA_VERSION}",  # named, or an old client is resolved
    "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3",  # Kafka speaks slf4j 1.7, not 2
    "org.apache.logging.log4j:log4j-core:2.24.3",
)
LOCK = Path(__file__).with_name("jars.lock.json")
TRIES = 3

Progress = Callable[[int, int], None]  # jars fetched so far, jars to fetch


def class_path(progress: Progress | None = None) -> str:
    """The class path of the broker, every jar on it present and equal to the lock file's."""
    checksums: Mapping[str, str] = json.loads(LOCK.read_text())
    cache = GlobalSettings.load().repo_cache
    jars = [_artifact(coordinate, cache) for coordinate in checksums]
    if any(not _place(jar).exists() for jar in jars):
        with _alone(cache):
            _fetch([jar for jar in jars if not _place(jar).exists()], checksums, cache, progress)
    for jar in jars:
        _verify(_place(jar), checksums[_coordinate(jar)])
    return os.pathsep.join(str(_place(jar)) for jar in jars)


def _fetch(jars: list[Artifact], checksums: Mapping[str, str], cache: Path, progress: Progress | None) -> None:
    """Download beside the cache, verify, and move there: a download that is killed leaves no half jar."""
    with tempfile.TemporaryDirectory(prefix=".restock-", dir=cache) as scratch, ThreadPoolExecutor(8) as pool:
        fetching = {pool.submit(_download, _artifact(_coordinate(jar), Path(scratch))): jar for jar in jars}
        try:
            for done, fetched in enumerate(as_completed(fetching), start=1):
                jar = fetching[fetched]
                _verify(fetched.result(), checksums[_coordinate(jar)])
                _place(jar).parent.mkdir(parents=True, exist_ok=True)
                fetched.result().replace(_place(jar))
                if progress:
                    progress(done, len(jars))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _download(jar: Artifact) -> Path:
    for attempt in range(1, TRIES + 1):
        try:
            return Path(jar.resolve())
        except (requests.RequestException, RuntimeError, OSError) as error:
            _place(jar).unlink(missing_ok=True)
            if attempt == TRIES:
                raise Unreachable(
                    f"cannot download {_coordinate(jar)} from Maven Central ({type(error).__name__}): "
                    "check network and proxy (HTTPS_PROXY), then try again"
                ) from error
    raise AssertionError


def _verify(path: Path, expected: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise AnswerIsNo(
            f"{path} has SHA-256 {found[:12]}…, expected {expected[:12]}…: remove the file and start again"
        )


@contextlib.contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Let one process download while others wait."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock = (cache / ".restock.lock").open("w")
    except OSError as error:
        raise WrongUse(
            f"M2_REPO={cache} cannot be written ({error.strerror}): set M2_REPO to another folder"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _artifact(coordinate: str, cache: Path) -> Artifact:
    group, name, version = coordinate.split(":")
    return MavenContext(repo_cache=cache).project(group, name).at_version(version).artifact()


def _coordinate(jar: Artifact) -> str:
    return f"{jar.groupId}:{jar.artifactId}:{jar.version}"


def _place(jar: Artifact) -> Path:
    path = jar.cached_path
    assert path is not None  # noqa: S101  (only a context without a cache has none)
    return path


def _write_lock() -> None:
    resolved = {_coordinate(jar): jar.resolve() for jar in jgo.resolve("+".join(ROOTS))}
    checksums = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in sorted(resolved.items())}
    LOCK.write_text(json.dumps(checksums, indent=2) + "\n")


if __name__ == "__main__":
    _write_lock()
