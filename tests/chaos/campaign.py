"""The campaign: rounds of faults under load on servers of its own, each round judged from outside; a table in the end.

    .venv/bin/python tests/chaos/campaign.py --minutes 10 [--seed N] [--only NAME,…] [--hours H]

Every round is one application: faults one after the other (each alone in the first rounds, then two at a time), then
everything heals and the checker has its say. The seed is printed; with it the same faults come in the same order.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psutil

from stream.local import LocalServers
from tests.chaos.faults import FAULTS, Arena
from tests.chaos.proxy import Proxy
from tests.chaos.run import Run

FAULTS_A_ROUND = 8


@dataclass
class Tally:
    """What the campaign has seen."""

    injected: Counter[str] = field(default_factory=Counter)
    recovery: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    rounds: int = 0

    def table(self) -> str:
        rows = [f"{'fault':32} {'times':>5} {'median':>8} {'worst':>8}   seconds until all was worked off"]
        for name, times in sorted(self.injected.items()):
            took = self.recovery.get(name, [])
            median, worst = (statistics.median(took), max(took)) if took else (float("nan"), float("nan"))
            rows.append(f"{name:32} {times:5} {median:8.1f} {worst:8.1f}")
        everything = [each for took in self.recovery.values() for each in took]
        if everything:
            rows.append(
                f"{'all':32} {self.injected.total():5} {statistics.median(everything):8.1f} {max(everything):8.1f}"
            )
        told = ", ".join(f"{number:,} {name}" for name, number in self.counts.items())
        rows += [f"{self.rounds} rounds: {told}", f"violations: {len(self.violations)}"]
        if self.memory:
            rows.append(f"a worker's memory: {self.memory[0]:.0f} MB at first, {self.memory[-1]:.0f} MB in the end")
        return "\n".join(rows)


def campaign(directory: Path, seconds: float, seed: int, names: list[str], *, least_rounds: int = 1) -> Tally:
    """Rounds until the time is over."""
    tally, chance, end = Tally(), random.Random(seed), time.monotonic() + seconds
    waiting: list[str] = []
    with LocalServers(directory, usual_ports=False) as servers:
        for number in count():
            if number >= least_rounds and time.monotonic() > end:
                return tally
            while len(waiting) < FAULTS_A_ROUND:
                waiting += chance.sample(names, len(names))
            chosen, waiting = waiting[:FAULTS_A_ROUND], waiting[FAULTS_A_ROUND:]
            _round(servers, directory, f"c{seed}-{number}", seed + number, chosen, tally, end)
    return tally


def _round(
    servers: LocalServers, home: Path, name: str, seed: int, chosen: list[str], tally: Tally, end: float
) -> None:
    proxy = Proxy(servers.redis_process.port)
    with Run(servers.kafka, servers.redis, name, home, seed) as run:
        run.system.environment["RESTOCK_REDIS"] = f"redis://127.0.0.1:{proxy.port}/0"
        run.repeats_letters = True
        arena = Arena(servers, run, proxy, random.Random(seed))
        arena.crowd()
        run.open()
        arena.work(6)
        tally.memory.append(_memory(arena))
        for fault in chosen:
            if time.monotonic() > end:
                break
            _one(arena, fault, tally)
        tally.memory.append(_memory(arena))
        report = run.finish(180)
    proxy.close()
    tally.rounds += 1
    tally.counts.update(report.counts)
    tally.violations += [f"{name} ({', '.join(chosen)}): {violation}" for violation in report.violations]
    print(f"{name}: {len(report.violations)} violations after {', '.join(chosen)}", flush=True)
    for violation in report.violations[:10]:
        print(f"    {violation}", flush=True)


def _one(arena: Arena, name: str, tally: Tally) -> None:
    """Let a fault happen under load, and wait until everything is worked off."""
    print(f"    {name} …", end=" ", flush=True)
    try:
        for worker in arena.run.system.alive():
            worker.await_joined()
        arena.work(2)
        FAULTS[name](arena)
        healed = time.monotonic()
        arena.crowd()
        arena.work(2)
        arena.run.system.settle(90)
        took = time.monotonic() - healed
    except AssertionError as error:
        tally.violations.append(f"{name}: {error}")
        print(error, flush=True)
        for worker in arena.run.system.alive():
            print(f"    {worker.name}: {worker.tail(8)}", flush=True)
    else:
        tally.recovery[name].append(took)
        print(f"worked off after {took:.1f} s", flush=True)
    tally.injected[name] += 1


def _memory(arena: Arena) -> float:
    alive = arena.run.system.alive()
    return max((psutil.Process(worker.process.pid).memory_info().rss for worker in alive), default=0) / 1e6


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--hours", type=float)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    parser.add_argument("--only", default="", help="names of faults, separated by commas")
    parser.add_argument("--dir", type=Path, help="where servers and logs live; a temporary directory by default")
    args = parser.parse_args()
    names = [name for name in FAULTS if not args.only or name in args.only.split(",")]
    print(f"seed {args.seed}, {len(names)} faults", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        directory = args.dir or Path(scratch)
        directory.mkdir(parents=True, exist_ok=True)
        seconds = args.hours * 3600 if args.hours else args.minutes * 60
        tally = campaign(directory, seconds, args.seed, names)
    print(tally.table())
    return 1 if tally.violations else 0


if __name__ == "__main__":
    sys.exit(main())
