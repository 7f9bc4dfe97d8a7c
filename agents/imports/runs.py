"""Runs of imports: what each published, event by event, so that it can be finished, not repeated, and taken back.

A run is a name, a small record `RUN.json` and its events in `RUN.jsonl.gz`, written down before the first of them is
published. The events of a run only ever grow: importing more under the same name adds to them. An undo writes what it
is going to publish to `RUN.undo.jsonl.gz` first, for the same reason.
"""

import gzip
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from stream.errors import AnswerIsNo, WrongUse

DIRECTORY = Path(".restock") / "imports"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


class StateBefore(msgspec.Struct, frozen=True, omit_defaults=True):
    """What held of an item before a run changed it."""

    known: bool
    """For a count whether its stock was known, for terms whether anything was."""
    stock: int | None = None
    """For a count: what the stock was taken to be at that moment."""
    terms: dict[str, Any] = {}
    """For terms: those that were stated before, of the ones the run states."""


class RunEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event of a run."""

    at: int
    """When it was written down, in milliseconds since 1970."""
    event: msgspec.Raw
    before: StateBefore | None = None


class Undoing(msgspec.Struct):
    """An undo under way."""

    upto: int
    """So many events of the run are taken back by it."""
    events: int
    """So many corrections it publishes."""
    published: int = 0


class ImportRun(msgspec.Struct):
    """The record of a run; numbers of events count from the first."""

    run: str
    ledger: str
    """Topic id of the ledger that took it: another system's run is another run."""
    what: str
    source: str
    begun: str
    files: list[str] = []
    events: int = 0
    bytes: int = 0
    """How long the file of events is; what lies behind was not finished."""
    published: int = 0
    """The broker holds at least so many for certain."""
    undone: int = 0
    """So many are taken back."""
    undoing: Undoing | None = None
    changed: str = ""

    @property
    def state(self) -> str:
        """In a word."""
        if self.undoing is not None:
            return "half undone"
        if self.undone and self.undone == self.events:
            return "undone"
        return "published" if self.published == self.events else "half published"


_encode = msgspec.json.Encoder().encode
_decode_run = msgspec.json.Decoder(ImportRun).decode
_decode_entry = msgspec.json.Decoder(RunEntry).decode


class RunStore:
    """The runs of one directory, seen from one ledger."""

    def __init__(self, directory: Path, ledger: str) -> None:
        self._directory = directory
        self._ledger = ledger

    def find(self, name: str) -> ImportRun | None:
        """A run by its name; one of another ledger is set aside under a name of its own."""
        run = self._read(self._record(name))
        if run is not None and run.ledger != self._ledger:
            self._set_aside(run)
            return None
        return run

    def get(self, name: str) -> ImportRun:
        """A run that must be there."""
        run = self._read(self._record(name))
        if run is None:
            raise AnswerIsNo(f"{name} is no run in {self._directory}: see `restock import runs`, or name --runs DIR")
        if run.ledger != self._ledger:
            raise AnswerIsNo(
                f"{name} was imported into another ledger than the one of these settings: set RESTOCK_KAFKA and "
                "RESTOCK_TOPIC_PREFIX to those of the import"
            )
        return run

    def every(self) -> list[ImportRun]:
        """All runs of this ledger, the oldest first."""
        found = [self._read(path) for path in sorted(self._directory.glob("*.json"))]
        runs = [run for run in found if run is not None and run.ledger == self._ledger]
        return sorted(runs, key=lambda run: (run.begun, run.run))

    def begin(self, name: str, what: str, source: str) -> ImportRun:
        """A new run, of which nothing is written yet."""
        return ImportRun(run=name, ledger=self._ledger, what=what, source=source, begun=_now())

    def save(self, run: ImportRun) -> None:
        """Write a run's record, all of it or nothing."""
        run.changed = _now()
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            fresh = self._directory / f"{run.run}.json.new"
            fresh.write_bytes(msgspec.json.format(_encode(run), indent=2) + b"\n")
            fresh.replace(self._record(run.run))
        except OSError as error:
            raise self._unwritable(error) from None

    def append(self, run: ImportRun, entries: Sequence[RunEntry]) -> None:
        """Write down more events of a run, before they are published."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            with self._events(run.run).open("ab") as file:
                file.truncate(run.bytes)
                file.write(gzip.compress(b"".join(_encode(entry) + b"\n" for entry in entries), mtime=0))
                file.flush()
                os.fsync(file.fileno())
                run.bytes = file.tell()
        except OSError as error:
            raise self._unwritable(error) from None
        run.events += len(entries)
        self.save(run)

    def entries(self, run: ImportRun, start: int = 0) -> Iterator[RunEntry]:
        """The events of a run from one on."""
        if run.events:
            yield from islice(_lines(self._events(run.run)), start, run.events)

    def plan_undo(self, run: ImportRun, entries: Iterable[RunEntry]) -> None:
        """Write down what an undo of everything so far is going to publish."""
        lines = [_encode(entry) + b"\n" for entry in entries]
        self._undo(run.run).write_bytes(gzip.compress(b"".join(lines), mtime=0))
        run.undoing = Undoing(upto=run.events, events=len(lines))
        self.save(run)

    def undo_entries(self, run: ImportRun) -> Iterator[RunEntry]:
        """What is left to publish of an undo."""
        if run.undoing is not None and run.undoing.events:
            yield from islice(_lines(self._undo(run.run)), run.undoing.published, run.undoing.events)

    def _record(self, name: str) -> Path:
        return self._directory / f"{name}.json"

    def _events(self, name: str) -> Path:
        return self._directory / f"{name}.jsonl.gz"

    def _undo(self, name: str) -> Path:
        return self._directory / f"{name}.undo.jsonl.gz"

    def _set_aside(self, run: ImportRun) -> None:
        aside = f"{run.run}.{hashlib.blake2s(run.ledger.encode()).hexdigest()[:8]}"
        for path in (self._events, self._undo, self._record):
            if path(run.run).exists():
                path(run.run).replace(path(aside))
        self.save(msgspec.structs.replace(run, run=aside))

    def _read(self, path: Path) -> ImportRun | None:
        try:
            return _decode_run(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            raise WrongUse(f"{path} cannot be read as a run ({error}): move it away, or name --runs DIR") from None

    def _unwritable(self, error: OSError) -> WrongUse:
        return WrongUse(
            f"--runs={self._directory} cannot be written ({error.strerror}): name another directory; without it an "
            "import could not be taken back"
        )


def run_name(what: str, file: Path, options: Sequence[object]) -> str:
    """The name of an import that was given none: the same file and options have the same."""
    digest = hashlib.blake2s(repr((what, *options)).encode())
    try:
        with file.open("rb") as content:
            while block := content.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise WrongUse(f"{file} cannot be read ({error.strerror}): name a CSV file") from None
    return f"{what}-{digest.hexdigest()[:8]}"


def checked_name(name: str) -> str:
    """A name that somebody gave."""
    if not _NAME.fullmatch(name):
        raise WrongUse(f"--run={name} is no name: use 1 to 80 letters, digits, dots, dashes")
    return name


def _lines(path: Path) -> Iterator[RunEntry]:
    with gzip.open(path) as file:
        for line in file:
            yield _decode_entry(line)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
