"""`restock explain`: why an item was ordered or was not, now or at a past moment; or why one replenishment was."""

import argparse
import json
import time
from typing import TYPE_CHECKING, Any

from agents.cli.terminal import bold
from stream.errors import AnswerIsNo, WrongUse
from stream.setting_sources import load
from stream.settings import Settings

if TYPE_CHECKING:
    from agents.inspection.decision import Found, Name
    from agents.inspection.item import CheckpointedItem

EXAMPLES = """examples:
  restock explain TEA-01@BER1                          why it is, or is not, ordered now, and what would change that
  restock explain TEA-01@BER1 --at 2026-03-12T08:00    the same as things stood then; --at 2d is two days ago
  restock explain rep-k3f9-4-181223-0 --json           one decision: its inputs, its counterfactual, what caused it"""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "explain",
        help="why an item was ordered, or was not; why a replenishment was",
        description="Of an item: what was decided, what holds an order back, and what would bring one, as its "
        "checkpoint has it, or at a past moment, for which its shard is folded again. Of a replenishment: the decision "
        "from the journal, and from the ledger what it followed.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", metavar="ITEM|REPLENISHMENT_ID", help="such as TEA-01@BER1 or rep-k3f9-4-181223-0")
    parser.add_argument("--at", metavar="TIME", help="an item at a moment (2026-03-12T08:00:00Z), or so long ago (2d)")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when nobody decided that, or the item was not known."""
    from agents.inspection.decision import Name

    settings, name = load(args.config), Name.of(args.what)
    if name is None and "@" not in args.what:
        raise WrongUse(
            f"{args.what} is neither an item nor a replenishment of ours: write TEA-01@BER1 or rep-k3f9-4-181223-0"
        )
    if name is None:
        return _explain_item(settings, args)
    if args.at is not None:
        raise WrongUse("--at is for items: a replenishment was decided at one moment")
    return _explain_decision(settings, args, name)


def _explain_item(settings: Settings, args: argparse.Namespace) -> int:
    from agents.inspection.explanation import as_json, explain, sentences
    from agents.inspection.loaded_item import load_item
    from agents.inspection.wording import on

    stored, moment = _present(settings, args.what) if args.at is None else _past(settings, args.what, args.at)
    loaded = load_item(stored, moment)
    if loaded is None:
        raise _unknown(args.what)
    explanation = explain(loaded)
    if args.json:
        place = {"partition": stored.partition, "offset": stored.next}
        print(json.dumps(as_json(explanation) | {"as_of": place}, ensure_ascii=False))
    else:
        print(bold(f"{args.what} at {on(loaded.moment)} (ledger partition {stored.partition}, offset {stored.next})"))
        print("\n".join(sentences(explanation)))
    return 0


def _present(settings: Settings, item: str) -> tuple["CheckpointedItem", int | None]:
    from agents.cli.item import checkpointed
    from agents.inspection.item import fields_of
    from stream.checkpoint.reader import CheckpointReader

    with CheckpointReader(settings) as reader:
        stored = checkpointed(reader, settings, item, {**fields_of(item), "shared": None})
    if stored is None:
        raise _unknown(item)
    return stored, None


def _past(settings: Settings, item: str, at: str) -> tuple["CheckpointedItem", int | None]:
    from agents.cli.past_item import past_item
    from agents.cli.times import moment_ms

    moment = moment_ms("--at", at)
    if moment > time.time() * 1_000:
        raise WrongUse(f"--at={at} is yet to come: give a moment that has been")
    return past_item(settings, item, moment)


def _unknown(item: str) -> AnswerIsNo:
    from agents.cli.item import UNKNOWN

    return AnswerIsNo(f"{item} is unknown: {UNKNOWN}")


def _explain_decision(settings: Settings, args: argparse.Namespace, name: "Name") -> int:
    from agents.inspection.decision import as_json, sentences

    found = _find(settings, args.what, name)
    if args.json:
        print(json.dumps(as_json(found), ensure_ascii=False))
    else:
        print(bold(args.what))
        print("\n".join(sentences(found)))
    return 0


def _find(settings: Settings, replenishment_id: str, name: "Name") -> "Found":
    from agents.inspection.decision import Found
    from schemas.journal import Decided
    from schemas.ledger import decode_record
    from stream.kafka.journal_search import published_at
    from stream.kafka.topic_reader import TopicReader

    with TopicReader(settings) as reader:
        published = published_at(reader, settings, name.partition, name.point)
        decisions = [entry for entry in published.entries if isinstance(entry, Decided)] if published else []
        decided = next((entry for entry in decisions if entry.replenishment == replenishment_id), None)
        if published is None or decided is None:
            raise AnswerIsNo(
                f"{replenishment_id} is in no journal of {settings.topic_prefix or settings.app}: check the id, and "
                "RESTOCK_KAFKA, RESTOCK_TOPIC_PREFIX; or retention has cut it off"
            )
        cause = reader.one(settings.topic("ledger"), name.partition, name.point.offset)
    record = decode_record(cause.value() or b"") if cause is not None else None
    appended_ms = cause.timestamp()[1] if cause is not None else None
    now = _now(settings, decided.item, replenishment_id)
    return Found(decided, record, appended_ms, now, published.version)


def _now(settings: Settings, item: str, replenishment_id: str) -> dict[str, Any] | None:
    from agents.cli.item import seen_items

    for _, seen in seen_items(settings, [item]):
        for order in seen["open_replenishments"] if seen else ():
            if order["replenishment_id"] == replenishment_id:
                return dict(order)
    return None
