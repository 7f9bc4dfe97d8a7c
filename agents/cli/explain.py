"""`restock explain`: one decision, its inputs, what the baseline would have ordered, and what caused it."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from agents.cli.terminal import bold
from stream.errors import AnswerIsNo, WrongUse
from stream.setting_sources import load
from stream.settings import Settings

if TYPE_CHECKING:
    from agents.inspection.decision import Found, Name

EXAMPLES = """examples:
  restock explain rep-k3f9-4-181223-0
  restock explain rep-k3f9-4-181223-0 --json"""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "explain",
        help="why a replenishment was ordered",
        description="Reads the decision from the journal, and from the ledger what it followed.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("replenishment_id", metavar="REPLENISHMENT_ID", help="as in replenishment.requested")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when nobody decided that."""
    from agents.inspection.decision import Name, as_json, sentences

    name = Name.of(args.replenishment_id)
    if name is None:
        raise WrongUse(f"{args.replenishment_id} is no replenishment of ours: give an id such as rep-k3f9-4-181223-0")
    found = _find(load(args.config), args.replenishment_id, name)
    if args.json:
        print(json.dumps(as_json(found), ensure_ascii=False))
    else:
        print(bold(args.replenishment_id))
        print("\n".join(sentences(found)))
    return 0


def _find(settings: Settings, replenishment_id: str, name: "Name") -> "Found":
    from agents.inspection.decision import Found
    from schemas.journal import Decided
    from schemas.ledger import decode_record
    from stream.kafka.journal_search import published_at
    from stream.kafka.topic_reader import TopicReader

    with TopicReader(settings) as reader:
        told = published_at(reader, settings, name.partition, name.point)
        decisions = [entry for entry in told.entries if isinstance(entry, Decided)] if told else []
        decided = next((entry for entry in decisions if entry.replenishment == replenishment_id), None)
        if told is None or decided is None:
            raise AnswerIsNo(
                f"{replenishment_id} is in no journal of {settings.topic_prefix or settings.app}: check the id, and "
                "RESTOCK_KAFKA, RESTOCK_TOPIC_PREFIX; or retention has cut it off"
            )
        cause = reader.one(settings.topic("ledger"), name.partition, name.point.offset)
    record = decode_record(cause.value() or b"") if cause is not None else None
    appended_ms = cause.timestamp()[1] if cause is not None else None
    return Found(decided, record, appended_ms, _now(settings, decided.item, replenishment_id), told.version)


def _now(settings: Settings, item: str, replenishment_id: str) -> dict[str, Any] | None:
    from agents.cli.item import seen_items

    for _, seen in seen_items(settings, [item]):
        for order in seen["open_replenishments"] if seen else ():
            if order["replenishment_id"] == replenishment_id:
                return dict(order)
    return None
