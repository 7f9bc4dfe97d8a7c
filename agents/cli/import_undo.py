"""`restock import undo RUN` and `restock import runs`: taking imports back, and which there are."""

import argparse
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from agents.cli.import_publish import event_in, limits_of, publish_pending, send_all
from agents.cli.terminal import print_table, progress, warn
from agents.imports.events import Ready, items_of, ready
from agents.imports.report import Report
from agents.imports.runs import ImportRun, RunEntry, RunStore, StateBefore
from agents.imports.undo import Corrections, Refused, UndoReport
from schemas.codec import Event
from schemas.inbound import ItemConfigured, OrderCancelled, ReturnReceived, StockCounted
from stream.errors import AnswerIsNo
from stream.setting_sources import load
from stream.settings import Settings

if TYPE_CHECKING:
    from agents.inventory.card import Card

STAYS = (
    "what was ordered and alerted meanwhile stays: see `restock replenishments --open`, and cancel what is too much; "
    "demand of the last 400 periods is forgotten at the next review"
)


def list_runs(args: argparse.Namespace) -> int:
    """Every run of the directory; no server is asked."""
    rows = [
        {
            "run": run.run,
            "state": run.state,
            "what": run.what,
            "events": run.events,
            "published": run.published,
            "undone": run.undone,
            "begun": run.begun,
            "files": run.files,
        }
        for run in RunStore(args.runs, "").every()
    ]
    if args.json:
        print("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
        return 0
    columns = ("run", "state", "what", "events", "undone", "begun", "files")
    cells = [[", ".join(row[c]) if c == "files" else str(row[c]) for c in columns] for row in rows]  # type: ignore[arg-type]
    print_table(columns, cells, right=("events", "undone"))
    return 0


def undo(args: argparse.Namespace) -> int:
    """Take a run back; done already, it changes nothing."""
    from stream.kafka.ledger_state import ledger_id

    settings, name = load(args.config), str(args.file)
    store = RunStore(args.runs, ledger_id(settings))
    run = store.get(name)
    if run.undoing is None and run.undone == run.events:
        return _print(
            args, run, UndoReport(), [], f"run {name} is taken back already ({run.changed}): nothing to publish"
        )
    if run.undoing is not None:
        warn(f"run {name} is half undone: going on")
        report, drafts = UndoReport(), []
    else:
        if not args.dry_run:
            _finish(settings, store, run)
        report, corrections = _corrections(settings, store, run)
        drafts = _judged(corrections, run, settings)
        print_report = report.lines(corrections)
        if not args.json:
            print("\n".join([*print_report, STAYS]), flush=True)
        if args.dry_run:
            return _print(args, run, report, drafts, "dry run: nothing was published")
        at = int(time.time() * 1_000)
        store.plan_undo(run, [RunEntry(at, msgspec.Raw(event.value)) for event in drafts])
    count = _publish(settings, store, run)
    return _print(args, run, report, drafts, f"run {name} is taken back: {count:,} events acknowledged")


def _print(args: argparse.Namespace, run: ImportRun, report: UndoReport, drafts: list[Ready], line: str) -> int:
    if args.json:
        events: dict[str, int] = {}
        for event in drafts:
            kind = msgspec.json.decode(event.value)["type"]
            events[kind] = events.get(kind, 0) + 1
        stays = {reason: count for reason, count in report.stays.items() if count}
        print(json.dumps({"run": run.run, "state": run.state, "events": events, "stays": stays}))
    else:
        warn(line)
    return 0


def _finish(settings: Settings, store: RunStore, run: ImportRun) -> None:
    """Publish what a stopped import left, so that nothing is taken back that never came."""
    if run.published == run.events:
        return
    age_ms = (datetime.now(UTC) - datetime.fromisoformat(run.changed)).total_seconds() * 1_000
    if age_ms > settings.duplicate_window_ms:
        raise AnswerIsNo(
            f"run {run.run} was stopped half way, longer ago than RESTOCK_DUPLICATE_WINDOW: nobody can tell any more "
            f"which of its events {run.published + 1:,} and later came; correct its items by counts"
        )
    warn(
        f"run {run.run} was stopped half way: publishing the rest first, so that nothing is taken back that never came"
    )
    publish_pending(settings, store, run)


def _corrections(settings: Settings, store: RunStore, run: ImportRun) -> tuple[UndoReport, Any]:
    from agents.cli.cards import stored_cards, watermarks

    events = list(_events(settings, store, run))
    wanted = {
        name
        for event, _ in events
        if isinstance(event.data, OrderCancelled | ReturnReceived | StockCounted | ItemConfigured)
        for name in items_of(event.data)
    }
    cards: dict[str, Card | None] = dict(stored_cards(settings, dict.fromkeys(wanted))) if wanted else {}
    marks = watermarks(settings) if wanted else {}
    corrections = Corrections(
        settings.currency,
        cards,
        lambda name: marks.get(settings.place(name)),
        _refused(settings, run),
        datetime.now(UTC),
    )
    drafts = corrections.of(events)
    return corrections.report, drafts


def _events(settings: Settings, store: RunStore, run: ImportRun) -> Iterator[tuple[Event, StateBefore | None]]:
    for entry in store.entries(run, run.undone):
        yield event_in(bytes(entry.event), settings), entry.before


def _refused(settings: Settings, run: ImportRun) -> Refused:
    """What the dead letters hold of a run, without what was redriven since."""
    from stream.kafka.dead_letter_marks import read_marks
    from stream.kafka.dead_letters import Filter, letters
    from stream.kafka.topic_reader import TopicReader

    found: set[tuple[str | None, str | None]] = set()
    begun_ms = int(datetime.fromisoformat(run.begun).timestamp() * 1_000)
    with TopicReader(settings) as reader:
        stretches = reader.since(settings.topic("dead-letters"), begun_ms)
        marks = read_marks(reader, settings, stretches)
        for filed in letters(reader, settings, Filter(), stretches):
            if filed.event.source == run.source and marks.of(filed) != "redriven":
                found.add((filed.event.id, getattr(filed.record, "item", None)))
    return lambda id_, item: not found.isdisjoint({(id_, item), (id_, None)})


def _judged(corrections: Any, run: ImportRun, settings: Settings) -> list[Ready]:
    report = Report()
    events = ready(corrections, run.source, limits_of(settings), report)
    if report.refused:
        raise AnswerIsNo(f"run {run.run} cannot be taken back with these settings: {report.refused}")
    return events


def _publish(settings: Settings, store: RunStore, run: ImportRun) -> int:
    from stream.kafka.event_publisher import EventPublisher

    if run.undoing is None:
        return 0
    left = run.undoing.events - run.undoing.published
    with EventPublisher(settings) as publisher, progress("taking back", left) as progressed:

        def published(count: int) -> None:
            if run.undoing is not None:
                run.undoing.published += count
                store.save(run)
                progressed(run.undoing.published)

        send_all(settings, publisher, [bytes(entry.event) for entry in store.undo_entries(run)], published)
    run.undone, run.undoing = run.undoing.upto, None
    store.save(run)
    return publisher.acknowledged.total()
