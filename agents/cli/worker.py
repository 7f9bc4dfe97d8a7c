"""`restock worker`: run a worker until it is asked to stop."""

import argparse
import asyncio
import logging
import os
from typing import Any, NoReturn

from agents.worker import logs
from agents.worker.process_memory import bound_arenas
from agents.worker.stack_dump import dump_threads_on_signal
from stream import VERSION
from stream.errors import RestockError, WrongUse
from stream.setting_sources import load

logger = logging.getLogger(__name__)

ROLES = ("intake", "controller")
FAILED = 70
"""Exit code on which a supervisor starts the worker again."""


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
    """Verify topics, ledger and Redis, which are waited for, then work."""
    dump_threads_on_signal()
    bound_arenas()
    settings = load(args.config)
    roles = frozenset(args.role.split(","))
    if not roles <= set(ROLES):
        raise WrongUse(f"--role {args.role} is not a worker's: give intake, controller, or intake,controller")
    logs.set_up(settings)
    logger.info("restock %s, application %s: looking at topics, ledger and Redis", VERSION, settings.app)

    # Only now: importing Faust and the learners takes seconds, in which the log would be silent.
    from agents.kernel.__main__ import compile_all
    from agents.kernel.code_cache import nothing_kept
    from agents.worker.app import put_together
    from agents.worker.start import Start

    if nothing_kept():
        logger.info("compiling what learns, which takes most of a minute; `python -m agents.kernel` does it beforehand")
    compile_all()

    async def work() -> None:
        start = Start(settings)
        try:
            await start.health.start()
            ledger = await start.verify(patient=args.exit_when_idle is None)
            if ledger is not None:
                await put_together(settings, ledger, roles, start).run(args.exit_when_idle)
        except RestockError:
            raise
        except Exception:
            logger.critical("The worker ended before its time", exc_info=True)
            _leave(FAILED)
        _leave(0)

    asyncio.run(work())
    return 0


def _leave(code: int) -> NoReturn:
    """End the process now: our work is done, and threads of clients that still wait must not delay it."""
    logging.shutdown()
    os._exit(code)
