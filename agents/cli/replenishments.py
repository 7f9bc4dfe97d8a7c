"""`restock replenishments`: what was ordered, and what is still to come."""

import argparse
import json
from collections.abc import Iterator
from typing import Any

from agents.cli.items import every_item
from agents.cli.terminal import print_table, progress
from agents.cli.times import moment_ms
from stream.setting_sources import load
from stream.settings import Settings

EXAMPLES = """examples:
  restock replenishments --open
  restock replenishments --open --supplier acme --json
  restock replenishments --since 7d"""
COLUMNS = ("replenishment_id", "item", "quantity", "received", "status", "supplier", "decided_at", "due")


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "replenishments",
        help="list replenishments",
        description="Lists what was requested or proposed, as far back as the topic reaches; --open: what is to come.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--open", action="store_true", help="only those that are not yet received, declined or cancelled"
    )
    parser.add_argument("--supplier", help="only of this supplier")
    parser.add_argument("--since", metavar="WHEN", help="published since a moment (2026-03-01) or for so long (7d)")
    parser.add_argument("--json", action="store_true", help="for programs: a JSON line each")


def run(args: argparse.Namespace) -> int:
    """List; an empty list is an answer too."""
    settings = load(args.config)
    open_ones = {row["replenishment_id"]: row for row in _open(settings)}
    rows = list(open_ones.values()) if args.open else list(_published(settings, args.since, open_ones))
    rows = [row for row in rows if args.supplier in {None, row["supplier"]}]
    rows.sort(key=lambda row: (row["decided_at"], row["replenishment_id"]))
    if args.json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return 0
    table = [["" if row[column] is None else row[column] for column in COLUMNS] for row in rows]
    print_table([column.replace("_", " ") for column in COLUMNS], table, right=("quantity", "received"))
    return 0


def _open(settings: Settings) -> Iterator[dict[str, Any]]:
    from agents.inspection.item import open_orders, order_as_json

    for name, item in every_item(settings):
        for order in open_orders(item):
            yield {**order_as_json(order), "item": name}


def _published(settings: Settings, since: str | None, open_ones: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Everything the topic holds, each id once; what is not open any more is closed."""
    from schemas.codec import decode_output
    from schemas.outbound import Replenishment
    from schemas.quantities import instant
    from stream.kafka.topic_reader import TopicReader, whole

    topic = settings.topic("replenishments")
    seen: set[str] = set()
    with TopicReader(settings) as reader:
        stretches = reader.since(topic, moment_ms("--since", since)) if since else reader.bounds(topic)
        with progress(f"reading {topic}", whole(stretches)) as progressed:
            for number, message in enumerate(reader.read(topic, stretches), 1):
                output = decode_output(message.value() or b"")
                body = output.body
                progressed(number)
                if not isinstance(body, Replenishment) or body.replenishment_id in seen:
                    continue
                seen.add(body.replenishment_id)
                yield open_ones.get(body.replenishment_id) or {
                    "replenishment_id": body.replenishment_id,
                    "quantity": body.quantity,
                    "received": None,
                    "status": "closed",
                    "due": body.need_by,
                    "supplier": body.supplier,
                    "decided_at": instant(output.time_ms),
                    "item": output.item,
                }
