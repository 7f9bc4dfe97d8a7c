"""`restock dead-letters`: what was refused and why, one by one, and published again once the cause is mended.

What was redriven or discarded is marked on the topic itself, so that everybody who looks sees what is left to do.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from agents.cli.terminal import bold, print_table, progress, warn
from agents.cli.times import moment_ms
from schemas.dead_letter_mark import STATES
from schemas.refusal import Reason
from stream.errors import AnswerIsNo, WrongUse
from stream.setting_sources import load
from stream.settings import Settings

if TYPE_CHECKING:
    from schemas.dead_letter_mark import MarkState
    from stream.kafka.dead_letters import FiledDeadLetter
    from stream.kafka.topic_reader import TopicReader

    Chosen = Iterator[tuple[FiledDeadLetter, MarkState | None]]

REASONS = [reason.value for reason in Reason]
TOPICS = ("orders", "stock", "catalog")
MANY = 10
"""More than that are published again, or discarded, only after a question."""
EXAMPLES = """examples:
  restock dead-letters list --reason unknown_item --since 1d --state open
  restock dead-letters show 3/17
  restock dead-letters redrive 3/17
  restock dead-letters redrive --reason unknown_item --yes      ids are kept: what was applied already is not again
  restock dead-letters discard 3/17                             it stays, marked, and no filter redrives it"""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "dead-letters",
        help="list, show, redrive, discard what was refused",
        description="Works on refused events; a place such as 3/17 is partition and offset on the topic. What was "
        "redriven or discarded stays there, marked.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=["list", "show", "redrive", "discard"])
    parser.add_argument("places", nargs="*", metavar="PLACE", help="these letters")
    parser.add_argument("--reason", choices=REASONS, metavar="REASON", help=", ".join(REASONS))
    parser.add_argument("--topic", choices=TOPICS, help="of this source")
    parser.add_argument("--since", metavar="WHEN", help="refused since a moment (2026-03-01) or for so long (7d)")
    parser.add_argument(
        "--state",
        choices=["open", *STATES],
        help="only these; default: list shows all, redrive and discard take the open",
    )
    parser.add_argument("--all", action="store_true", help="redrive, discard: every open one, when no filter is given")
    parser.add_argument("--yes", action="store_true", help=f"redrive, discard: do not ask, even for more than {MANY}")
    parser.add_argument("--json", action="store_true", help="for programs: a JSON line each")


def run(args: argparse.Namespace) -> int:
    """Do what `action` says."""
    from stream.kafka.topic_reader import TopicReader

    settings = load(args.config)
    changes = args.action in {"redrive", "discard"}
    if args.action == "show" and not args.places:
        raise WrongUse("dead-letters show needs a place: give one such as 3/17, from `restock dead-letters list`")
    if changes and not (args.places or args.reason or args.topic or args.since or args.all):
        raise WrongUse(
            f"dead-letters {args.action} needs to know which: give places, --reason, --topic, --since or --all"
        )
    with TopicReader(settings) as reader:
        chosen = _chosen(reader, settings, args)
        if args.action == "list":
            return _list(chosen, as_json=args.json)
        if args.action == "show":
            return _show(reader, chosen, as_json=args.json)
        letters = [filed for filed, state in chosen if args.places or args.state or state is None]
        return (
            _redrive(reader, settings, letters, args) if args.action == "redrive" else _discard(settings, letters, args)
        )


def _chosen(reader: "TopicReader", settings: Settings, args: argparse.Namespace) -> "Chosen":
    """The letters that were asked for, each with its mark."""
    from stream.kafka.dead_letter_marks import read_marks
    from stream.kafka.dead_letters import DeadLetterPlace, Filter, letter_at, letters
    from stream.kafka.topic_reader import whole

    topic = settings.topic("dead-letters")
    bounds = reader.bounds(topic)
    if args.places:
        places = sorted(DeadLetterPlace.of(place) for place in args.places)
        # A mark lies behind its letter: from the first of these places on.
        stretches = {p: (offset, bounds[p][1]) for p, offset in reversed(places) if p in bounds}
        found = [letter_at(reader, settings, place) for place in places]
        marks = read_marks(reader, settings, stretches)
        yield from ((filed, marks.of(filed)) for filed in found)
        return
    stretches = reader.since(topic, moment_ms("--since", args.since)) if args.since else bounds
    marks = read_marks(reader, settings, stretches)
    with progress(f"reading {topic}", whole(stretches)) as progressed:
        for filed in letters(reader, settings, Filter(args.reason, args.topic), stretches, progressed):
            state = marks.of(filed)
            if args.state in {None, state or "open"}:
                yield filed, state


def _list(chosen: "Chosen", *, as_json: bool) -> int:
    from agents.inspection.dead_letter import COLUMNS, row

    if as_json:
        for filed, state in chosen:
            print(json.dumps(row(filed, state), ensure_ascii=False))
        return 0
    rows = sorted((row(filed, state) for filed, state in chosen), key=lambda row: str(row["refused_at"]))
    heads = [column.replace("_", " ") for column in COLUMNS]
    print_table(heads, [[row[column] or "" for column in COLUMNS] for row in rows])
    return 0


def _show(reader: "TopicReader", chosen: "Chosen", *, as_json: bool) -> int:
    from agents.inspection.dead_letter import whole
    from stream.kafka.dead_letters import original

    for filed, state in chosen:
        found = original(reader, filed.letter)
        shown = whole(filed, state, found)
        if as_json:
            print(json.dumps(shown, ensure_ascii=False))
            continue
        print(bold(f"{shown['place']}: {shown['reason']}"))
        for key, text in shown.items():
            print(f"  {key:<12} {text if text is not None else ''}")
        if found is None:
            print(f"  {'':<12} the source no longer holds the original bytes")
    return 0


def _redrive(
    reader: "TopicReader", settings: Settings, chosen: "list[FiledDeadLetter]", args: argparse.Namespace
) -> int:
    """Exit code 1 when something cannot be published again."""
    from stream.kafka.dead_letter_marks import mark
    from stream.kafka.dead_letters import destination, original
    from stream.kafka.event_publisher import EventPublisher

    events = {(f.letter.origin.topic, f.letter.origin.partition, f.letter.origin.offset): f for f in chosen}
    if len(events) > MANY and not args.yes:
        _ask(f"Publish {len(events)} events again?", f"{len(events)} events would be published again")
    sent, gone = [], 0
    with EventPublisher(settings) as publisher, progress("redriving", len(events)) as progressed:
        for number, ((topic, partition, offset), filed) in enumerate(events.items(), 1):
            found = original(reader, filed.letter)
            target = destination(settings, filed.letter, found.value) if found else None
            if found is None or target is None:
                gone += 1
                warn(
                    f"{filed.place}: {topic}/{partition}/{offset} no longer holds the original: publish the event anew"
                )
                continue
            publisher.send(target, found.key, found.value, tuple(found.headers or ()))
            sent.append(filed)
            progressed(number)
    mark(settings, "redriven", sent)
    redriven = publisher.acknowledged.total()
    in_words = f"{redriven:,} events published again under their ids"
    print(json.dumps({"redriven": redriven, "gone": gone}) if args.json else in_words)
    return 1 if gone else 0


def _discard(settings: Settings, chosen: "list[FiledDeadLetter]", args: argparse.Namespace) -> int:
    from stream.kafka.dead_letter_marks import mark

    if len(chosen) > MANY and not args.yes:
        _ask(f"Discard {len(chosen)} dead letters?", f"{len(chosen)} dead letters would be discarded")
    mark(settings, "discarded", chosen)
    in_words = f"{len(chosen):,} dead letters marked as discarded; they stay on the topic, and can be redriven by place"
    print(json.dumps({"discarded": len(chosen)}) if args.json else in_words)
    return 0


def _ask(question: str, otherwise: str) -> None:
    if not sys.stdin.isatty():
        raise WrongUse(f"{otherwise}: say --yes where nobody can be asked")
    if input(f"{question} [y/N] ").strip().lower() not in {"y", "yes"}:
        raise AnswerIsNo("nothing was done")
