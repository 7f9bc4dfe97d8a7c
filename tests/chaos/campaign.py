"""The campaign: rounds of faults under load on servers of its own; each round is judged from outside.

    .venv/bin/python tests/chaos/campaign.py --minutes 10 [--seed N] [--only NAME,…] [--hours H]

Every round is one application: faults happen one after the other, then everything heals and the checker judges. Every
fault comes alone once; in the time that is left two or three come together, the next before the effects of the last are
over. Every second round has traces on; in the others checkpoints are cut small. The seed is printed; with it the same
faults come in the same order. A table in the end shows what happened.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path

from confluent_kafka import KafkaException
from redis.exceptions import RedisError

from stream.local import LocalServers
from tests.chaos.arena import Arena, behind_proxies
from tests.chaos.faults import FAULTS
from tests.chaos.run import Run
from tests.chaos.witness import Witness
from tests.fakes.collector import Collector

FAULTS_A_ROUND = 8
TOGETHER = "two or three together"


@dataclass
class CampaignResult:
    """What the campaign has seen."""

    injected: Counter[str] = field(default_factory=Counter)
    recovery: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    rounds: int = 0
    witness: str = ""

    def table(self) -> str:
        rows = [f"{'fault':32} {'times':>5} {'median':>8} {'worst':>8}   seconds until all was worked off"]
        for name in [*sorted(self.injected), TOGETHER]:
            took = self.recovery.get(name, [])
            times = self.injected[name] or len(took)
            if took:
                rows.append(f"{name:32} {times:5} {statistics.median(took):8.1f} {max(took):8.1f}")
            elif times:
                rows.append(f"{name:32} {times:5} {'–':>8} {'–':>8}")
        everything = [each for took in self.recovery.values() for each in took]
        if everything:
            rows.append(
                f"{'all':32} {self.injected.total():5} {statistics.median(everything):8.1f} {max(everything):8.1f}"
            )
        counts = ", ".join(f"{number:,} {name}" for name, number in self.counts.items())
        rows += [f"{self.rounds} rounds: {counts}", self.witness, f"violations: {len(self.violations)}"]
        return "\n".join(rows + [f"    {violation}" for violation in self.violations[:20]])


def campaign(directory: Path, seconds: float, seed: int, names: list[str]) -> CampaignResult:
    """Every fault once, and combinations of them until the time is over."""
    result, end = CampaignResult(), time.monotonic() + seconds
    faults = _drawn(random.Random(seed), names, end)
    servers = LocalServers(directory, usual_ports=False)
    proxies = behind_proxies(servers)
    with servers, Collector() as collector:
        witness = Witness(servers, f"w{seed}", directory, seed, seconds)
        witness.start()
        try:
            for number in count():
                chosen = list(islice(faults, FAULTS_A_ROUND))
                if not chosen:
                    break
                traces = {"traces": collector.url, "trace_share": "1"} if number % 2 else {}
                with Run(servers.kafka, servers.redis, f"c{seed}-{number}", directory, seed + number, **traces) as run:
                    run.system.usual = "small_slices" if number % 2 == 0 else ""
                    _round(Arena(servers, run, *proxies, random.Random(seed + number)), chosen, result)
                result.counts["spans"] += len(collector.spans)
                if traces and not collector.spans:
                    result.violations.append(f"{run.system.name}: no span of it came")
                collector.spans.clear()
                result.witness = witness.table()
                (directory / "table").write_text(result.table())  # for people who look before the end
        finally:
            report = witness.finish()
        result.violations += [f"witness: {violation}" for violation in report.violations]
        result.witness = witness.table()
    return result


def _drawn(chance: random.Random, names: list[str], end: float) -> Iterator[tuple[str, ...]]:
    for name in chance.sample(names, len(names)):
        yield (name,)
    while time.monotonic() < end:
        yield tuple(chance.sample(names, min(len(names), chance.choice((2, 2, 3)))))


def _round(arena: Arena, chosen: list[tuple[str, ...]], result: CampaignResult) -> None:
    run = arena.run
    run.system.environment |= {
        "RESTOCK_REDIS": f"redis://127.0.0.1:{arena.store_proxy.port}/0",
        "RESTOCK_KAFKA": f"127.0.0.1:{arena.kafka_proxy.port}",
    }
    run.repeats_letters = True
    arena.crowd()
    run.open()
    arena.work(6)
    for names in chosen:
        _one(arena, names, result)
    report = run.finish(180)
    result.rounds += 1
    result.counts.update(report.counts)
    happened = ", ".join(" + ".join(names) for names in chosen)
    result.violations += [f"{run.system.name} ({happened}): {violation}" for violation in report.violations]
    print(f"{run.system.name}: {len(report.violations)} violations after {happened}", flush=True)
    for violation in report.violations[:10]:
        print(f"    {violation}", flush=True)
    arena.clear()


def _one(arena: Arena, names: tuple[str, ...], result: CampaignResult) -> None:
    """Let faults happen under load, and wait until all work is done."""
    print(f"    {' + '.join(names)} …", end=" ", flush=True)
    try:
        for worker in arena.run.system.alive():
            worker.await_joined()
        arena.work(2)
        for name in names:
            FAULTS[name](arena)
        healed = time.monotonic()
        arena.crowd()
        arena.work(2)
        arena.run.system.settle(120)
        took = time.monotonic() - healed
    except (AssertionError, RedisError, KafkaException) as error:
        result.violations.append(f"{' + '.join(names)}: {error}")
        print(error, flush=True)
        for worker in arena.run.system.alive():
            with suppress(AssertionError):
                worker.ask()
            print(f"    {worker.name}: {worker.tail(300)}", flush=True)
    else:
        result.recovery[names[0] if len(names) == 1 else TOGETHER].append(took)
        print(f"worked off after {took:.1f} s", flush=True)
    result.injected.update(names)


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
        result = campaign(directory, seconds, args.seed, names)
    print(result.table())
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main())
