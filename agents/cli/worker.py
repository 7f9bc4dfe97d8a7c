"""`restock worker`: run a worker until it is asked to stop."""

import argparse
import asyncio
import logging
from typing import Any

from agents import logs
from stream.settings import load

ROLES = ("intake", "controller")


def register(subparsers: Any) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "worker",
        help="run a worker",
        description="Runs a worker. SIGTERM lets it finish what it holds, checkpoint and leave.",
        epilog="example: restock worker --role intake,controller",
    )
    parser.add_argument("--role", default=",".join(ROLES), help="intake, controller, or both (default)")
    parser.add_argument(
        "--exit-when-idle",
        type=float,
        metavar="SECONDS",
        help="stop when nothing has come for so long and everything is published and checkpointed",
    )


def run(args: argparse.Namespace) -> int:
    """Verify what the worker stands on, then work."""
    from agents.app import Worker
    from stream.preconditions import verify

    settings = load(args.config)
    roles = frozenset(args.role.split(","))
    if not roles <= set(ROLES):
        from stream.errors import WrongUse

        raise WrongUse(f"--role {args.role} is not a worker's: give intake, controller, or intake,controller")
    logs.set_up(settings.log)
    ledger = verify(settings)

    async def work() -> None:
        await Worker(settings, ledger, roles).run(args.exit_when_idle)

    asyncio.run(work())
    logging.shutdown()
    return 0
