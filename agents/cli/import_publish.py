"""Importing orders, items or counts: reported on first, written down as a run, and then published or not at all."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from agents.cli.import_file import drafts_of
from agents.cli.known_items import NONE, SYSTEM, known_items
from agents.cli.terminal import progress, warn
from agents.imports.events import Ready, items_of, ready
from agents.imports.look_alikes import look_alikes
from agents.imports.rejected import write_rejected
from agents.imports.report import Report
from schemas.codec import Event, Limits, decode, topic_for
from schemas.envelope import STRUCTURED_HEADERS
from stream.errors import AnswerIsNo, Unreachable, WrongUse
from stream.setting_sources import load
from stream.settings import Settings

if TYPE_CHECKING:
    from agents.imports.runs import ImportRun, RunStore
    from stream.kafka.event_publisher import EventPublisher

CHUNK = 2_000
"""After so many events everything is acknowledged, and the place written down: a run that is stopped goes on there.

Fewer than the system remembers of an item, so that the events in between may come twice.
"""

STALE_DAYS = 7


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when a row is refused, or when nothing was published because something is to look at."""
    settings, now = load(args.config), datetime.now(UTC)
    publishes = not args.dry_run and args.out is None
    name = _name(args)
    report = Report()
    with drafts_of(args, settings, report, now) as drafts:
        events = ready(drafts, args.source, limits_of(settings), report)
    report.warnings = _warnings(events, settings)
    compare_names(report, args.known_items or (SYSTEM if publishes else NONE), settings, is_dry_run=args.dry_run)
    store = _store(args, settings) if publishes else None
    if store is not None:
        events = _not_yet_published(store, name, events, args, report, now)
    held = bool(report.alarms()) and not args.yes
    lines = [f"run {name}: take it back with `restock import undo {name}`"] if publishes and not held else []
    more = {"run": name, **show_before(args, report, [*lines, *stale(args, report, now)])}
    if held:
        return refuse(args, report, more)
    if args.dry_run:
        warn("dry run: nothing was published")
    elif store is None:
        _write_out(args.out, events)
    else:
        more["published"] = _publish(settings, store, name, events, args)
    if args.json:
        print(json.dumps(report.as_json() | more), file=sys.stderr if args.out == "-" else sys.stdout)
    return 1 if report.rejected else 0


def _warnings(events: Sequence[Ready], settings: Settings) -> list[str]:
    """Of items whose terms make never ordering cheapest."""
    from agents.cli.stated_terms import StatedTerms

    stated, found = StatedTerms(settings.fold_settings()), []
    for event in events:
        warning = stated.take(event.draft.data)
        if warning is not None:
            found.append(f"row {event.draft.rows[0]:,}, {items_of(event.draft.data)[0]}: {warning}")
    return found


def compare_names(report: Report, where: str, settings: Settings, *, is_dry_run: bool) -> None:
    """Look for names that are spelt almost like known ones."""
    known, report.compared_with = known_items(where, settings, report.items)
    if is_dry_run and where == NONE:
        report.compared_with = f"each other; nothing was connected to: --known-items {SYSTEM} asks the workers' store"
    report.look_alikes = look_alikes(report.items, known)


def stale(args: argparse.Namespace, report: Report, now: datetime) -> list[str]:
    """A line on orders that ended some time ago: nobody asks whether the days since then were without demand."""
    age = (now.date() - report.days.last).days if report.days else 0
    if args.what != "orders" or age <= STALE_DAYS:
        return []
    return [f"the last row is {age:,} days old: unless more comes, the days since then count as days without demand"]


def show_before(args: argparse.Namespace, report: Report, lines: Sequence[str]) -> dict[str, Any]:
    """Show the report and write the refused rows to their file; what programs get beside the report."""
    more: dict[str, Any] = {"dry_run": args.dry_run, "published": 0, "rejected_file": None}
    lines = list(lines)
    if report.rejected:
        path = write_rejected(args.file, report.rejected, args.rejected)
        more["rejected_file"] = str(path)
        lines.append(f"refused rows are in {path}: mend them there, and import that file")
    if not args.json:
        to = sys.stderr if args.out == "-" else sys.stdout
        print("\n".join(report.lines(lines)), file=to, flush=True)
    return more


def refuse(args: argparse.Namespace, report: Report, more: dict[str, Any]) -> int:
    """Say that the import stops here, and how it goes on."""
    if args.json:
        print(json.dumps(report.as_json() | more), file=sys.stderr if args.out == "-" else sys.stdout)
    count = len(report.alarms())
    cure = "mend the file, or say --yes if all of it is right"
    what = f"{count} thing{'s' if count > 1 else ''} to look at"
    warn(f"restock import: nothing was {'published' if args.out is None else 'written'}, {what}: {cure}")
    return 1


def publish_pending(settings: Settings, store: "RunStore", imported: "ImportRun") -> int:
    """Publish what a run has written down and not yet published; how many events those were."""
    from stream.kafka.event_publisher import EventPublisher

    pending = imported.events - imported.published
    if not pending:
        return 0
    with EventPublisher(settings) as publisher, progress("publishing", pending) as progressed:

        def published(count: int) -> None:
            imported.published += count
            store.save(imported)
            progressed(pending - (imported.events - imported.published))

        values = [bytes(entry.event) for entry in store.entries(imported, imported.published)]
        send_all(settings, publisher, values, published)
    return publisher.acknowledged.total()


def send_all(
    settings: Settings, publisher: "EventPublisher", values: Sequence[bytes], published: Callable[[int], None]
) -> None:
    """Send events in chunks, and say after each that the broker has it."""
    from stream.kafka.event_publisher import key_of

    for start in range(0, len(values), CHUNK):
        chunk = values[start : start + CHUNK]
        for value in chunk:
            publisher.send(topic_for(value), key_of(event_in(value, settings).data), value)
        publisher.flush()
        published(len(chunk))


def event_in(value: bytes, settings: Settings) -> Event:
    """An event that was written down: the contract took it once."""
    verdict = decode(topic_for(value), value, STRUCTURED_HEADERS, 0, limits_of(settings))
    if not isinstance(verdict, Event):
        raise AnswerIsNo(f"an event of the run is refused with these settings ({verdict}): set them as at the import")
    return verdict


def limits_of(settings: Settings) -> Limits:
    """What a verdict depends on."""
    return Limits(settings.max_event_bytes, settings.currency)


def _name(args: argparse.Namespace) -> str:
    from agents.imports.runs import checked_name, run_name

    if args.run is not None:
        return checked_name(args.run)
    options = (args.map, args.preset, args.location, args.timezone, args.time_format, args.as_of, args.time)
    return run_name(args.what, args.file, (*options, args.source))


def _store(args: argparse.Namespace, settings: Settings) -> "RunStore":
    from agents.imports.runs import RunStore
    from stream.kafka.ledger_state import ledger_id

    return RunStore(args.runs, ledger_id(settings))


def _not_yet_published(
    store: "RunStore", name: str, events: list[Ready], args: argparse.Namespace, report: Report, now: datetime
) -> list[Ready]:
    from agents.imports.earlier import new_events

    found = store.find(name)
    if found is not None and found.undoing is not None:
        raise AnswerIsNo(f"run {name} is half undone: run `restock import undo {name}` again first")
    return new_events(events, store, args.source, report, now)


def _publish(settings: Settings, store: "RunStore", name: str, events: list[Ready], args: argparse.Namespace) -> int:
    from agents.cli.cards import stored_cards
    from agents.imports.before import moments_of, states_before
    from agents.imports.runs import RunEntry

    imported = store.find(name) or store.begin(name, args.what, args.source)
    if imported.published < imported.events:
        warn(f"run {name} was stopped: going on with event {imported.published + 1:,} of it")
    if events:
        try:
            moments = moments_of(events)
            before = states_before(events, dict(stored_cards(settings, moments)) if moments else {})
        except Unreachable as error:
            before = {}
            warn(f"what holds now is not written down, so that an undo could not go back to it: {error}")
        at = int(time.time() * 1_000)
        entries = [RunEntry(at, msgspec.Raw(event.value), before.get(event.draft.id)) for event in events]
        if str(args.file) not in imported.files:
            imported.files.append(str(args.file))
        store.append(imported, entries)
    count = publish_pending(settings, store, imported)
    warn(f"{count:,} events acknowledged")
    return count


def _write_out(out: str, events: Sequence[Ready]) -> None:
    lines = b"".join(event.value + b"\n" for event in events)
    if out == "-":
        sys.stdout.buffer.write(lines)
        return
    try:
        Path(out).write_bytes(lines)
    except OSError as error:
        raise WrongUse(f"--out={out} cannot be written ({error.strerror}): name another file") from None
