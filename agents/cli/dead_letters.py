"""`restock dead-letters`: what was refused and why, one by one, and published again once the cause is mended."""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from agents.cli.terminal import bold, print_table, progress, warn
from agents.cli.times import moment_ms
from schemas.envelope import Headers
from schemas.quantities import instant
from schemas.refusal import Reason
from stream.errors import AnswerIsNo, WrongUse
from stream.settings import Settings, load

if TYPE_CHECKING:
    from stream.kafka.dead_letters import FiledDeadLetter
    from stream.kafka.topic_reader import TopicReader

REASONS = [reason.value for reason in Reason]
TOPICS = ("orders", "stock", "catalog")
MANY = 10
"""More than that are published again only after a question."""
EXAMPLES = """examples:
  restock dead-letters list --reason unknown_item --since 1d
  restock dead-letters show 3/17
  restock dead-letters redrive 3/17
  restock dead-letters redrive --reason unknown_item --yes      ids are kept: what was applied already is not again"""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "dead-letters",
        help="list, show, redrive what was refused",
        description="Works on refused events; a place such as 3/17 is partition and offset on the topic.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=["list", "show", "redrive"])
    parser.add_argument("places", nargs="*", metavar="PLACE", help="show, redrive: these letters")
    parser.add_argument("--reason", choices=REASONS, metavar="REASON", help=", ".join(REASONS))
    parser.add_argument("--topic", choices=TOPICS, help="of this source")
    parser.add_argument("--since", metavar="WHEN", help="refused since a moment (2026-03-01) or for so long (7d)")
    parser.add_argument("--all", action="store_true", help="redrive: every letter, when no filter is given")
    parser.add_argument("--yes", action="store_true", help=f"redrive: do not ask, even for more than {MANY}")
    parser.add_argument("--json", action="store_true", help="for programs: a JSON line each")


def run(args: argparse.Namespace) -> int:
    """Do what `action` says."""
    from stream.kafka.topic_reader import TopicReader

    settings = load(args.config)
    if args.action == "show" and not args.places:
        raise WrongUse("dead-letters show needs a place: give one such as 3/17, from `restock dead-letters list`")
    if args.action == "redrive" and not (args.places or args.reason or args.topic or args.since or args.all):
        raise WrongUse("dead-letters redrive needs to know which: give places, --reason, --topic, --since or --all")
    with TopicReader(settings) as reader:
        chosen = _chosen(reader, settings, args)
        if args.action == "list":
            return _list(chosen, as_json=args.json)
        if args.action == "show":
            return _show(reader, chosen, as_json=args.json)
        return _redrive(reader, settings, list(chosen), args)


def _chosen(reader: "TopicReader", settings: Settings, args: argparse.Namespace) -> "Iterator[FiledDeadLetter]":
    from stream.kafka.dead_letters import DeadLetterPlace, Filter, letter_at, letters
    from stream.kafka.topic_reader import whole

    if args.places:
        for place in args.places:
            yield letter_at(reader, settings, DeadLetterPlace.of(place))
        return
    topic = settings.topic("dead-letters")
    stretches = reader.since(topic, moment_ms("--since", args.since)) if args.since else reader.bounds(topic)
    with progress(f"reading {topic}", whole(stretches)) as tell:
        yield from letters(reader, settings, Filter(args.reason, args.topic), stretches, tell)


def _list(chosen: "Iterator[FiledDeadLetter]", *, as_json: bool) -> int:
    if as_json:
        for filed in chosen:
            print(json.dumps(_row(filed), ensure_ascii=False))
        return 0
    rows = sorted((_row(filed) for filed in chosen), key=lambda row: str(row["refused_at"]))
    columns = ("place", "refused_at", "reason", "stage", "origin", "item", "message")
    print_table(
        [column.replace("_", " ") for column in columns], [[row[column] or "" for column in columns] for row in rows]
    )
    return 0


def _row(filed: "FiledDeadLetter") -> dict[str, Any]:
    letter, record = filed.letter, filed.record
    origin = letter.origin
    return {
        "place": str(filed.place),
        "refused_at": instant(filed.appended_ms),
        "reason": letter.reason,
        "stage": letter.stage,
        "origin": f"{origin.topic}/{origin.partition}/{origin.offset}",
        "first_seen": instant(origin.appended_ms),
        "item": getattr(record, "item", None),
        "message": letter.message,
    }


def _show(reader: "TopicReader", chosen: "Iterator[FiledDeadLetter]", *, as_json: bool) -> int:
    from stream.kafka.dead_letters import original

    for filed in chosen:
        found = original(reader, filed.letter)
        value = found.value if found else None
        shown = {
            **_row(filed),
            "app_version": filed.letter.app_version,
            "exception": filed.letter.exception,
            "key": _text(found.key if found else None),
            "headers": dict(_headers(found.headers)) if found else None,
            "value": _text(value),
            "bytes": len(value) if value is not None else None,
        }
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
    from stream.kafka.dead_letters import destination, original
    from stream.kafka.event_publisher import EventPublisher

    events = {(f.letter.origin.topic, f.letter.origin.partition, f.letter.origin.offset): f for f in chosen}
    if len(events) > MANY and not args.yes:
        _ask(len(events))
    gone = 0
    with EventPublisher(settings) as publisher, progress("redriving", len(events)) as tell:
        for number, filed in enumerate(events.values(), 1):
            found = original(reader, filed.letter)
            topic = destination(settings, filed.letter, found.value) if found else None
            if found is None or topic is None:
                gone += 1
                warn(f"{filed.place}: {_row(filed)['origin']} no longer holds the original: publish the event anew")
                continue
            publisher.send(topic, found.key, found.value, tuple(found.headers or ()))
            tell(number)
    told = {"redriven": publisher.acknowledged.total(), "gone": gone}
    print(json.dumps(told) if args.json else f"{told['redriven']:,} events published again under their ids")
    return 1 if gone else 0


def _ask(count: int) -> None:
    if not sys.stdin.isatty():
        raise WrongUse(f"{count} events would be published again: say --yes where nobody can be asked")
    if input(f"Publish {count} events again? [y/N] ").strip().lower() not in {"y", "yes"}:
        raise AnswerIsNo("nothing was published")


def _headers(headers: Headers) -> Iterator[tuple[str, str | None]]:
    for name, value in headers or ():
        yield name, _text(value)


def _text(value: bytes | str | None) -> str | None:
    """Bytes for people: what is no UTF-8, and what a terminal would obey, is escaped."""
    if value is None:
        return None
    text = value if isinstance(value, str) else value.decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
