"""`restock validate`: the contract's verdict on every line of a file, without any broker."""

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from agents.cli.known_items import HELP, NONE, known_items
from agents.cli.spellings import Spellings
from agents.cli.terminal import progress, warn
from agents.core.cause import RESPELT
from agents.intake.movements import movements_of
from schemas.codec import Event, Limits, decode, topic_for
from schemas.inbound import INBOUND, ItemConfigured, SupplierConfigured
from schemas.refusal import Reason, Refusal
from stream.errors import WrongUse
from stream.setting_sources import load
from stream.settings import Settings

if TYPE_CHECKING:
    from agents.cli.stated_terms import StatedTerms

EXAMPLES = """examples:
  restock validate orders.jsonl
  restock schema order.placed --example | restock validate -
  restock validate --json *.jsonl | jq 'select(.verdict == "refused")'"""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "validate",
        help="the contract's verdict line by line, without any broker",
        description="Says for each line, one CloudEvent in structured mode, ok, or reason, field and what to do. "
        "Warns of terms under which never ordering is cheapest, and of items that are spelt almost like one that is "
        "known or came before; with RESTOCK_UNKNOWN_ITEMS=ask these are refused. Currency and largest size are those "
        "of the settings. A time may be a day ahead of now.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="JSON Lines; - is standard input")
    topics = sorted({kind.topic for kind in INBOUND.values()})
    parser.add_argument("--topic", choices=topics, help="as if everything was published here; default: by type")
    parser.add_argument("--known-items", metavar="WHERE", default=NONE, help=f"{HELP}; default: {NONE}")
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when a line was refused."""
    settings = load(args.config)
    limits = Limits(settings.max_event_bytes, settings.currency)
    accepted = refused = warned = 0
    stated, spellings = _Stated(settings), Spellings(known_items(args.known_items, settings)[0])
    for name in args.files:
        shown = name if len(args.files) > 1 else ""
        with _opened(name) as file, _progress(name) as report:
            for number, decoded, read in _verdicts(file, args.topic, limits):
                verdict, warning = decoded, None
                if isinstance(decoded, Event):
                    warning = stated.warning(decoded)
                    verdict, respelt = _spelt(decoded, spellings, asks=settings.unknown_items == "ask")
                    warning = respelt or warning
                accepted += isinstance(verdict, Event)
                refused += isinstance(verdict, Refusal)
                warned += warning is not None
                line = _as_json if args.json else _as_text
                print(line(shown, number, verdict, warning))
                report(read)
    if not args.json:
        warn(f"{accepted:,} ok, {refused:,} refused" + (f", {warned:,} with a warning" if warned else ""))
    return 1 if refused else 0


def _spelt(event: Event, spellings: Spellings, *, asks: bool) -> tuple[Event | Refusal, str | None]:
    """The verdict on the names of an event's items, and a warning."""
    names = [name for name, _ in movements_of(event.data)]
    alike = next(spellings.alike(names), None)
    if alike is None:
        return event, None
    name, nearest = alike
    if isinstance(event.data, ItemConfigured):
        spellings.add(names)
    elif asks:
        said = f"is about an item that is spelt almost like {nearest}, which is known"
        return Refusal(Reason.UNKNOWN_ITEM, "data", said, RESPELT.format(nearest)), None
    return event, f"{name} is spelt almost like {nearest}, which is known or came before"


class _Stated:
    """The terms that the files state; what looks at them is imported for the first event that has any."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._terms: StatedTerms | None = None

    def warning(self, event: Event) -> str | None:
        """What is to be said of an event that the contract accepts."""
        if not isinstance(event.data, ItemConfigured | SupplierConfigured):
            return None
        if self._terms is None:
            from agents.cli.stated_terms import StatedTerms

            self._terms = StatedTerms(self._settings.fold_settings())
        return self._terms.take(event.data)


def _verdicts(file: IO[bytes], topic: str | None, limits: Limits) -> Iterator[tuple[int, Event | Refusal | None, int]]:
    """The verdict on each line that is not blank, with its number and the bytes read so far."""
    now_ms = int(time.time() * 1000)
    read = 0
    for number, line in enumerate(file, 1):
        read += len(line)
        value = line.rstrip(b"\r\n")
        if value.strip():
            yield number, decode(topic or topic_for(value), value, None, now_ms, limits), read


def _progress(name: str) -> contextlib.AbstractContextManager[Callable[[int], None]]:
    """A bar, unless the verdicts themselves run over the screen."""
    if sys.stdout.isatty():
        return contextlib.nullcontext(lambda _: None)
    return progress(f"validating {name}", Path(name).stat().st_size if name != "-" else None)


def _as_text(name: str, number: int, verdict: Event | Refusal | None, warning: str | None) -> str:
    where = f"{name}:{number}" if name else str(number)
    if isinstance(verdict, Refusal):
        return f"{where}: {verdict.reason.value}: {verdict}"
    return f"{where}: ok" + (f", but {warning}" if warning else "")


def _as_json(name: str, number: int, verdict: Event | Refusal | None, warning: str | None) -> str:
    shown: dict[str, object] = {"file": name} if name else {}
    shown["line"] = number
    if isinstance(verdict, Refusal):
        shown |= {"verdict": "refused", "reason": verdict.reason, "field": verdict.field, "cure": verdict.cure}
    else:
        shown |= {"verdict": "ok", "reason": None, "field": None, "cure": None}
    return json.dumps(shown | ({"warning": warning} if warning else {}), ensure_ascii=False)


@contextlib.contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - only what opening raises is the user's
    except OSError as error:
        raise WrongUse(f"{name} cannot be read ({error.strerror}): name a file of JSON Lines") from None
    with file:
        yield file
