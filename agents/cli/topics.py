"""`restock topics`: make the topics, begin the ledger, and say what differs from what the settings say."""

import argparse
import json
from typing import Any

from agents.cli.terminal import warn
from schemas.topics import TOPICS
from stream.kafka import ledger_state, topic_check, topics
from stream.kafka.clients import reach
from stream.setting_sources import load
from stream.settings import Settings

EXAMPLES = """examples:
  restock topics create             make what is missing; running it again changes nothing
  restock topics create --repair    also set the configuration of topics that exist
  restock topics check --json       exit code 1 when anything differs"""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "topics",
        help="create and check the topics",
        description="Makes and verifies the topics: partitions, replication, retention, cleanup, time stamps.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=["create", "check"])
    parser.add_argument("--repair", action="store_true", help="create: also set what differs on topics that exist")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    """Do what `action` says."""
    settings = load(args.config)
    made = _create(settings, args) if args.action == "create" else []
    differences = topic_check.check(settings)
    if args.json:
        print(json.dumps({"made": made, "differences": [difference._asdict() for difference in differences]}))
    else:
        for difference in differences:
            print(difference if difference.grave else f"{difference} (a worker starts all the same)")
        if not differences:
            warn(f"{len(TOPICS)} topics are as they should be")
    return 1 if differences else 0


def _create(settings: Settings, args: argparse.Namespace) -> list[str]:
    _, metadata = reach(settings)
    if len(metadata.brokers) == 1 and settings.replication is None:
        warn("one broker: replication is 1, so losing its disk loses everything; RESTOCK_REPLICATION says otherwise")
    made = [topic.name for topic in topics.create(settings)]
    if args.repair:
        for difference in topic_check.repair(settings):
            warn(f"{difference.topic}: {difference.what} was {difference.found}, is now {difference.wanted}")
    begun = ledger_state.begin(settings)
    warn(f"made {len(made)} topics ({', '.join(made)})" if made else "every topic was there")
    if begun:
        state = ledger_state.ledger_state(settings)
        warn(f"began ledger {state.ledger} of {settings.app} in {begun} partitions")
    return made
