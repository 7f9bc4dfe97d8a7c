"""`restock publish`: events from JSON Lines to their topics, validated first, acknowledged, and resumed after a stop.

After every chunk everything is acknowledged, so that the partitions stay close together in event time; then the place
is noted beside the file. A second run goes on from there; what it repeats has the same ids and changes nothing.
"""

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec

from agents.cli.terminal import progress, warn
from schemas.codec import Event, Limits, decode
from schemas.envelope import STRUCTURED_HEADERS
from schemas.inbound import INBOUND
from schemas.refusal import Refusal
from stream.errors import WrongUse
from stream.kafka.event_publisher import EventPublisher, key_of
from stream.kafka.topics import SOURCES
from stream.setting_sources import load
from stream.settings import Settings

CHUNK = 10_000
SHOWN = 20
"""Refused lines that are shown one by one; the rest is counted."""
EXAMPLES = """examples:
  restock publish orders.jsonl
  generate-events | restock publish -
  restock publish --topic orders --no-validate broken.jsonl    to see what becomes of it"""


class EventOfType(msgspec.Struct):
    """As much of an event as routing needs."""

    type: str


class FileLine(NamedTuple):
    """One event of a file."""

    number: int
    value: bytes
    end: int
    """Where the next line begins, in bytes."""


class ResumePoint(msgspec.Struct):
    """How far a file was published."""

    size: int
    line: int
    end: int


_type_of = msgspec.json.Decoder(EventOfType).decode


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "publish",
        help="publish events from JSON Lines",
        description="Publishes CloudEvents, one a line, each to the topic of its type.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="JSON Lines; - is standard input")
    parser.add_argument("--no-validate", action="store_true", help="publish also what will be refused")
    parser.add_argument("--topic", choices=sorted(SOURCES), help="publish everything here, whatever its type")
    parser.add_argument("--restart", action="store_true", help="begin anew where an earlier run stopped in the middle")
    parser.add_argument("--json", action="store_true", help="for programs: the counts as JSON")


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when a line was refused; all others are published."""
    settings = load(args.config)
    refused = 0
    with EventPublisher(settings) as publisher:
        for name in args.files:
            with _opened(name) as file:
                refused += _Run(settings, publisher, args).publish(name, file)
    counts = {topic: publisher.acknowledged[topic] for topic in sorted(SOURCES)}
    if args.json:
        print(msgspec.json.encode({"acknowledged": counts, "refused": refused}).decode())
    else:
        shown = ", ".join(f"{count:,} to {topic}" for topic, count in counts.items() if count)
        print(f"{sum(counts.values()):,} events acknowledged" + (f" ({shown})" if shown else ""))
    return 1 if refused else 0


class _Run:
    """One file on its way."""

    def __init__(self, settings: Settings, publisher: EventPublisher, args: argparse.Namespace) -> None:
        self._publisher = publisher
        self._topic: str | None = args.topic
        self._validate = not args.no_validate
        self._restart = args.restart
        self._limits = Limits(settings.max_event_bytes, settings.currency)
        self._now_ms = int(time.time() * 1000)
        self._refused = 0

    def publish(self, name: str, file: IO[bytes]) -> int:
        """Publish all of it, chunk by chunk; how many lines were refused."""
        notes = _Notes(name)
        place = ResumePoint(0, 0, 0) if self._restart else notes.read()
        if place.end:
            warn(f"{name}: going on at line {place.line + 1:,}, where an earlier run stopped; --restart begins anew")
            file.seek(place.end)
        with progress(f"publishing {name}", notes.size) as progressed:
            for line in _lines(file, place):
                self._send(name, line)
                if line.number % CHUNK == 0:
                    self._publisher.flush()
                    notes.write(line)
                    progressed(line.end)
            self._publisher.flush()
        notes.remove()
        if self._refused > SHOWN:
            warn(f"{name}: {self._refused - SHOWN:,} more lines refused; see them all: restock validate {name}")
        return self._refused

    def _send(self, name: str, line: FileLine) -> None:
        if not line.value.strip():
            return
        topic, key, fault = self._judge(line.value)
        if fault is None:
            self._publisher.send(topic, key, line.value)
            return
        self._refused += 1
        if self._refused <= SHOWN:
            warn(f"{name}:{line.number}: {fault.reason.value}: {fault}")

    def _judge(self, value: bytes) -> tuple[str, str | None, Refusal | None]:
        """The topic, the key, and what speaks against publishing."""
        try:
            kind = INBOUND.get(_type_of(value).type)
        except (msgspec.MsgspecError, ValueError):
            kind = None
        topic = self._topic or (kind.topic if kind else "")
        verdict = decode(topic or "orders", value, STRUCTURED_HEADERS, self._now_ms, self._limits)
        if isinstance(verdict, Event):
            return topic, key_of(verdict.data), None
        return topic, None, verdict if self._validate or not topic else None


class _Notes:
    """How far a file was published, noted beside it while it is under way."""

    def __init__(self, name: str) -> None:
        path = Path(name)
        self._beside = path.with_name(path.name + ".progress") if name != "-" else None
        self.size = path.stat().st_size if self._beside and path.is_file() else None

    def read(self) -> ResumePoint:
        try:
            place = msgspec.json.decode(self._beside.read_bytes(), type=ResumePoint) if self._beside else None
        except (OSError, msgspec.MsgspecError):
            place = None
        return place if place and place.size == self.size else ResumePoint(0, 0, 0)

    def write(self, line: FileLine) -> None:
        if self._beside and self.size is not None:
            with contextlib.suppress(OSError):  # a directory that cannot be written to only costs the place
                self._beside.write_bytes(msgspec.json.encode(ResumePoint(self.size, line.number, line.end)))

    def remove(self) -> None:
        if self._beside:
            self._beside.unlink(missing_ok=True)


@contextlib.contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - only what opening raises is the user's
    except OSError as error:
        raise WrongUse(f"{name} cannot be read ({error.strerror}): name a file of JSON Lines") from None
    with file:
        yield file


def _lines(file: IO[bytes], place: ResumePoint) -> Iterator[FileLine]:
    end = place.end
    for number, value in enumerate(file, place.line + 1):
        end += len(value)
        yield FileLine(number, value.rstrip(b"\r\n"), end)
