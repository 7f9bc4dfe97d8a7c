"""`restock rebuild`: make Redis anew from the ledger, with nothing published twice."""

import argparse
import asyncio
from typing import Any

from agents.cli.terminal import progress, warn
from stream.setting_sources import load
from stream.settings import Settings

EPILOG = """examples:
  restock rebuild             every shard
  restock rebuild --shard 4   one of them
a running worker whose shard is rebuilt takes it back and finishes the work itself"""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser = subparsers.add_parser(
        "rebuild",
        help="make Redis anew from the ledger",
        description="Folds ledger and journal from their start and writes the checkpoints anew. Nothing is published.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--shard", type=int, metavar="N", help="this shard alone")


def run(args: argparse.Namespace) -> int:
    """Rebuild the shards that were asked for; exit code 1 when one of them cannot be, with the reason."""
    return 0 if asyncio.run(_rebuild(load(args.config), args.shard)) else 1


async def _rebuild(settings: Settings, shard: int | None) -> bool:
    from agents.worker.resources import Resources, chosen
    from stream import VERSION
    from stream.faults import Parked
    from stream.shard.rebuild import rebuild

    tools, well = Resources(settings), True
    for partition in chosen(shard, tools.state.partitions):
        try:
            with progress(f"shard {partition}", None) as progressed:
                done = await rebuild(partition, tools.ports(), tools.ledger, VERSION, lambda at, _: progressed(at))
        except Parked as fault:  # the others can be made anew all the same
            warn(f"restock rebuild: {fault}")
            well = False
            continue
        warn(f"shard {partition}: {'rebuilt' if done else 'a running worker took it over and rebuilds it'}")
    await tools.close()
    return well
