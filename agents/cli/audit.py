"""`restock audit`: fold the ledger anew and compare with Redis."""

import argparse
import asyncio
import json
from typing import Any

from agents.cli.terminal import progress
from stream.setting_sources import load
from stream.settings import Settings

EPILOG = """examples:
  restock audit             every shard; a worker may run meanwhile
  restock audit --shard 4   one of them
exit code 0 only when Redis holds what ledger and journal say"""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser = subparsers.add_parser(
        "audit",
        help="fold the ledger anew and compare with Redis",
        description="Folds the ledger anew and compares the outcome with Redis, field by field.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--shard", type=int, metavar="N", help="this shard alone")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    """Compare, and print the first difference of every shard that differs."""
    settings = load(args.config)
    verdicts = asyncio.run(_audit(settings, args.shard))
    equal = all(verdict.equal for verdict in verdicts)
    if args.json:
        shards = [
            {name: getattr(verdict, name) for name in ("partition", "offset", "equal", "first_difference")}
            for verdict in verdicts
        ]
        print(json.dumps({"equal": equal, "shards": shards}))
    else:
        for verdict in verdicts:
            if not verdict.equal:
                print(f"shard {verdict.partition}: {verdict.first_difference}")
        different = sum(not verdict.equal for verdict in verdicts)
        print(
            f"{len(verdicts)} shards compared, {different} differ" if different else f"{len(verdicts)} shards are equal"
        )
    return 0 if equal else 1


async def _audit(settings: Settings, shard: int | None) -> list[Any]:
    from agents.core.core import Core
    from agents.worker.resources import Resources, chosen
    from stream.shard.audit import audit

    tools = Resources(settings)
    shards = chosen(shard, tools.state.partitions)
    verdicts = []
    with progress("shards", len(shards)) as progressed:
        for done, partition in enumerate(shards, 1):
            core = Core(partition, tools.state.ledger)
            verdicts.append(await audit(partition, core, tools.store, tools.ledger, tools.journal))
            progressed(done)
    await tools.close()
    return verdicts
