"""`restock local`: real Kafka and Valkey on this machine, for development and tests.

In the foreground it runs until Ctrl-C; with `--detach` it leaves a process behind that `restock local stop` ends. Both
print `export` lines, so that `eval "$(restock local --detach)"` points every other command at the servers.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.errors import AnswerIsNo, Unreachable

if TYPE_CHECKING:
    from stream.local import LocalServers

DEFAULT_DIRECTORY = Path(".restock/local")
OURSELVES = (sys.executable, "-c", "import sys; from agents.cli import main; sys.exit(main())")
STOP_SECONDS = 60
EXAMPLES = """examples:
  restock local                              until Ctrl-C
  eval "$(restock local --detach)"           in the background, with the settings for this shell
  restock local status
  restock local stop"""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "local",
        help="run a local Kafka and Valkey",
        description="Runs a real Kafka and a real Valkey on loopback; data and ports are kept in DIR.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", nargs="?", default="run", choices=["run", "stop", "status"], help="default: run")
    parser.add_argument("--dir", type=Path, default=DEFAULT_DIRECTORY, metavar="DIR", help="default: %(default)s")
    parser.add_argument("--detach", action="store_true", help="run in the background")
    parser.add_argument("--json", action="store_true", help="for programs: status as JSON")


def run(args: argparse.Namespace) -> int:
    """Do what `action` says."""
    from stream.local import LocalServers

    servers = LocalServers(args.dir, progress=fetching())
    match args.action:
        case "stop":
            return _stop(servers)
        case "status":
            return _status(servers, as_json=args.json)
        case _:
            return _detach(servers) if args.detach else _run(servers)


def fetching() -> Callable[[int, int], None]:
    """Tell of the one download there is: a bar on a terminal, a line elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("fetching Kafka, once"), BarColumn(), MofNCompleteColumn(), console=console, transient=True
    )
    task: list[TaskID] = []

    def progressed(done: int, jars: int) -> None:
        if not task:
            task.append(bar.add_task("", total=jars))
            if console.is_terminal:
                bar.start()
            else:
                print(f"fetching Kafka, once: {jars} jars", file=sys.stderr, flush=True)
        bar.update(task[0], completed=done)
        if done == jars:
            bar.stop()

    return progressed


def _run(servers: "LocalServers") -> int:
    """Run until asked to end. A start is interrupted; afterwards a signal is only noted.

    An interrupt in the middle of a look at a server's process would leave that process's lock taken for ever.
    """
    asked: list[int] = []
    endings = [signal.SIGTERM, signal.SIGHUP]
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:  # a shell lets its background jobs ignore it
        endings.append(signal.SIGINT)
    for ending in endings:
        signal.signal(ending, signal.default_int_handler)
    try:
        with servers:
            for ending in endings:
                signal.signal(ending, lambda number, _: asked.append(number))
            print("Kafka and Valkey accept connections; Ctrl-C stops them", file=sys.stderr, flush=True)
            _print_exports(servers)
            while not asked:
                if ended := servers.ended():
                    raise Unreachable(f"{ended[0].name} ended by itself: {ended[0].last_words()}")
                time.sleep(0.1)
    except KeyboardInterrupt:
        pass
    return 0


def _detach(servers: "LocalServers") -> int:
    """Leave a process behind that does what the foreground does; asked again, only print the settings again."""
    child = _background(servers) if servers.holder() is None else None
    while not servers.ready():
        if child is not None and child.poll() is not None:
            sys.stderr.write((servers.directory / "log").read_text())
            return child.returncode
        if child is None and servers.holder() is None:
            raise AnswerIsNo(f"--dir {servers.directory}: its servers ended while we waited for them: try again")
        time.sleep(0.05)
    servers.recall_ports()
    _print_exports(servers)
    return 0


def _background(servers: "LocalServers") -> subprocess.Popen[bytes]:
    servers.fetch()
    servers.directory.mkdir(parents=True, exist_ok=True)
    with (servers.directory / "log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603  (ourselves)
            [*OURSELVES, "local", "--dir", str(servers.directory)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _stop(servers: "LocalServers") -> int:
    if (holder := servers.holder()) is None:
        print(f"no servers run in {servers.directory}", file=sys.stderr)
        return 0
    os.kill(holder, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while servers.holder() == holder:
        if time.monotonic() > deadline:
            raise Unreachable(f"process {holder} does not end within {STOP_SECONDS} s: kill {holder}")
        time.sleep(0.05)
    return 0


def _status(servers: "LocalServers", *, as_json: bool) -> int:
    servers.recall_ports()
    running = servers.ready()
    if as_json:
        print(json.dumps({"running": running, "process": servers.holder(), "settings": servers.settings}))
    elif running:
        _print_exports(servers)
    else:
        print(f"no servers run in {servers.directory}: restock local --dir {servers.directory}", file=sys.stderr)
    return 0 if running else 1


def _print_exports(servers: "LocalServers") -> None:
    print("\n".join(f"export {name}={value}" for name, value in servers.settings.items()), flush=True)
