"""`restock notify`: tell people of alerts and of proposals that wait."""

import argparse
import logging
import signal
import threading
import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from agents.worker import logs
from stream.errors import AnswerIsNo, Unreachable, WrongUse
from stream.faults import BrokerDown, Fenced
from stream.setting_sources import load
from stream.settings import Settings

if TYPE_CHECKING:
    from agents.notify.matters import KnownItem
    from agents.notify.metrics import MetricsServer
    from agents.notify.process import NotifyProcess

logger = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
"""Between two looks at the topics."""
TRIES = 5
"""How often `--once` tries to tell somebody who refuses."""
EXAMPLES = """examples:
  restock notify             until it is asked to stop
  restock notify --once      what is due now, for cron"""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "notify",
        help="tell people of alerts and of proposals that wait",
        description="Tells the recipients of [notify] in restock.toml: what is critical at once, the rest in digests.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--once", action="store_true", help="send what is due now, and end")


def run(args: argparse.Namespace) -> int:
    """Tell; with `--once` the exit code is 1 when somebody could not be told."""
    from agents.notify.metrics import MetricsServer
    from agents.notify.process import NotifyProcess, counts_of
    from agents.notify.remembered import Remembered
    from agents.notify.settings import load_notify

    settings, table = load(args.config), load_notify(args.config)
    if not table.recipients:
        raise WrongUse("notify.to names nobody: add a [[notify.to]] to restock.toml, as restock.example.toml shows")
    logs.set_up(settings)
    finder, counts = ItemFinder(settings), counts_of(table)
    stopped, metrics = threading.Event(), MetricsServer(table.metrics, counts)
    try:
        if args.once:
            with NotifyProcess(settings, table, finder, counts) as process:
                return _once(process)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        remembered = Remembered()
        while not stopped.is_set():
            metrics.listen()
            try:
                with NotifyProcess(settings, table, finder, counts, remembered) as process:
                    _for_good(process, metrics, stopped)
            except (Unreachable, BrokerDown) as error:
                logger.warning("%s; trying again", error)
                stopped.wait(EVERY_SECONDS)
    except Fenced:
        raise AnswerIsNo(
            f"another `restock notify` of RESTOCK_APP={settings.app} has taken over: one is enough, and this one ends"
        ) from None
    finally:
        metrics.close()
    return 0


def _for_good(process: "NotifyProcess", metrics: "MetricsServer", stopped: threading.Event) -> None:
    while not stopped.is_set():
        metrics.listen()
        process.round(_now_ms())
        stopped.wait(EVERY_SECONDS)


def _once(process: "NotifyProcess") -> int:
    process.round(_now_ms())
    while process.waiting and max(process.waiting.values()) < TRIES:
        time.sleep(max(0, process.next_try_ms - _now_ms()) / 1_000)
        process.round(_now_ms())
    for mailing, times in process.waiting.items():
        logger.error("%s could not be told (%d tries): the next run sends it under the same key", mailing, times)
    return 1 if process.waiting else 0


class ItemFinder:
    """What the checkpoints say of items; without Redis people are told without it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._warned = False

    def __call__(self, items: Collection[str]) -> "dict[str, KnownItem]":
        """Those of these items that a checkpoint knows."""
        from agents.cli.cards import stored_cards

        try:
            found = {name: _known(card) for name, card in stored_cards(self._settings, dict.fromkeys(items)) if card}
        except Unreachable as error:
            if not self._warned:
                logger.warning("suppliers and classes are not known: %s", error)
            self._warned = True
            return {}
        self._warned = False
        return found


def _known(card: Any) -> "KnownItem":
    from agents.notify.matters import KnownItem

    proposals = frozenset(order.id for order in card.item.orders if order.status == "proposed")
    return KnownItem(card.terms({}).supplier, card.item.abc, proposals)


def _now_ms() -> int:
    return int(time.time() * 1_000)
