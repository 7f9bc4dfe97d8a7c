"""Injects faults into a real system, and shows which alert comes, when, what it silences, when it ends: `make drill`.

Some workers of one application run on a Kafka and a Valkey of their own, and a shop goes on selling. Every fault waits
until its alert was notified, lets what follows from it fire too, is mended, and waits until the alert's end was
notified. A calm run has no faults but what belongs to every week: restarts and a rolling deploy, of which nobody may
be notified.
"""

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException

from stream.local import LocalServers
from stream.local.free_ports import LOOPBACK
from tests.chaos.arena import behind_proxies
from tests.drill.evidence import Onlooker, told_by
from tests.drill.faults import FAULTS, DrilledFault
from tests.drill.monitoring import Monitoring
from tests.drill.people import People
from tests.drill.shop import ITEMS
from tests.drill.stage import Stage, drilled_system
from tests.fakes.access_rules import with_access_rules

PATIENCE_SECONDS = 480.0


@dataclass(frozen=True)
class Result:
    """What came of a fault."""

    fault: DrilledFault
    fired_seconds: float
    cleared_seconds: float
    silenced: list[str]
    notified: list[str]
    """Of whatever people were notified beside the alert that had to come."""
    health: list[str]
    """What else told of it: health, readiness, `restock doctor`."""


def drilled(fault: DrilledFault, stage: Stage, monitoring: Monitoring, factor: float) -> Result:
    """Inject a fault, and measure."""
    began = stage.struck = time.time()
    silenced: set[str] = set()
    with fault.inject(stage), Onlooker(stage.ports, stage.struck) as onlooker:
        came = _comes_true(lambda: monitoring.firing(fault.alert, began))
        fired = time.time() - stage.struck
        health = [*onlooker.told, *(told_by(stage.system, command, stage.struck) for command in fault.asked)]
        until = time.time() + came * fault.holds_minutes * 60 / factor
        while time.time() < until:
            silenced |= monitoring.silenced()
            time.sleep(0.5)
        silenced |= monitoring.silenced()
    if not came:  # said only now: what follows needs the fault mended
        raise TimeoutError(f"{fault.alert} did not come; the rest said: {health}")
    mended = time.monotonic()
    _await(lambda: not monitoring.firing(fault.alert), f"{fault.alert} did not end")
    cleared = time.monotonic() - mended
    stage.await_ready()
    _await(lambda: not monitoring.open(), "other alerts did not end")
    beside = [name for name in monitoring.people_notified(began) if name != fault.alert]
    return Result(fault, fired, cleared, sorted(silenced), beside, health)


def calm(stage: Stage, monitoring: Monitoring, seconds: float) -> bool:
    """Restart workers one by one with pauses, then all in a row, and print what fired; whether nothing did."""
    began, numbers = time.time(), range(len(stage.workers))
    pause = seconds / (len(numbers) + 2)
    for number in numbers:
        time.sleep(max(0.0, began + (number + 1) * pause - time.time()))
        stage.restart(number)
    time.sleep(max(0.0, began + (len(numbers) + 1) * pause - time.time()))
    for number in numbers:
        stage.restart(number)
    time.sleep(max(0.0, began + seconds - time.time()))
    took = time.time() - began
    told, fired = monitoring.people_notified(began), monitoring.alerts("firing", took) - {"RestockWatchdog"}
    pending = monitoring.alerts("pending", took) - fired
    print(f"{took:.0f} s of healthy load, {len(numbers)} restarts, a rolling deploy of {len(numbers)} workers")
    print(_freshness(monitoring, took))
    for what, names in {"notified": told, "fired": sorted(fired), "pending": sorted(pending)}.items():
        print(f"{what}: {', '.join(names) or 'nothing'}", flush=True)
    return not told and not fired


def _freshness(monitoring: Monitoring, seconds: float) -> str:
    """How much was reviewed and published in the last seconds, and which share of it came late."""
    now = time.time()

    def increase(series: str) -> float:
        found = monitoring.ask(f"sum(increase({series}[{seconds:.0f}s]))", now, now, 1)
        return found[0].points[-1][1] if found else 0.0

    published = increase("restock_decision_latency_seconds_count")
    late = published - increase('restock_decision_latency_seconds_bucket{le="1.0"}')
    reviews = increase("restock_reviews_total")
    return f"{reviews:.0f} reviews, {published:.0f} latencies measured, {late:.0f} of them beyond a second"


def _await(condition: Callable[[], bool], otherwise: str) -> None:
    if not _comes_true(condition):
        raise TimeoutError(otherwise)


def _comes_true(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def main() -> int:
    """Print a line a fault; 1 when an alert did not come, did not end, or a healthy system had one."""
    parser = argparse.ArgumentParser(description="Injects faults and shows which alert comes, and when.")
    parser.add_argument("--factor", type=float, default=10.0, help="durations of rules and routes are divided by it")
    parser.add_argument("--healthy", type=float, default=60.0, help="seconds of healthy load before the first fault")
    parser.add_argument("--calm", type=float, help="seconds of healthy load with restarts and a deploy, and no fault")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", help="faults whose name contains one of these, separated by commas")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="restock-drill-") as folder:
        home = Path(folder)
        local = LocalServers(home / "servers", usual_ports=False)
        _, proxy = behind_proxies(local)
        with_access_rules(local)
        with (
            local as servers,
            drilled_system(servers, home, args.factor) as system,
            People(system, home) as people,
        ):
            stage = Stage(servers, system, people, args.workers, proxy)
            stage.begin()
            stage.await_ready()
            stage.shop.open()
            targets = [*(f"{LOOPBACK}:{port}" for port in stage.ports), people.metrics]
            with Monitoring(home, targets, args.factor) as monitoring:
                print(
                    f"durations of rules and routes divided by {args.factor:g}; {args.workers} workers, {ITEMS} items"
                )
                sys.stdout.flush()
                if args.calm is not None:
                    failed = not calm(stage, monitoring, args.calm)
                else:
                    failed = not _faults_shown(stage, monitoring, args)
            stage.shop.closed.set()
    return int(failed)


def _faults_shown(stage: Stage, monitoring: Monitoring, args: argparse.Namespace) -> bool:
    """Print what came of a while of health and of every chosen fault; whether all was as it should be."""
    began = time.time()
    time.sleep(args.healthy)
    notified = monitoring.people_notified(began)
    print(f"{args.healthy:g} s of healthy load: {', '.join(notified) or 'nobody is notified'}", flush=True)
    print("fault | alert | s to fire | s to clear | silenced | notified beside")
    chosen = [
        fault for fault in FAULTS if args.only is None or any(word in fault.name for word in args.only.split(","))
    ]
    shown = [_shown(fault, stage, monitoring, args.factor) for fault in chosen]
    return all(shown) and not notified


def _shown(fault: DrilledFault, stage: Stage, monitoring: Monitoring, factor: float) -> bool:
    """Drill one fault and print what came of it; whether that was as it should be."""
    try:
        done = drilled(fault, stage, monitoring, factor)
    except (AssertionError, KafkaException, TimeoutError) as error:
        print(f"{fault.name} | {fault.alert} | FAILED: {error}", flush=True)
        traceback.print_exc()
        return False
    lists = f"{', '.join(done.silenced) or '-'} | {', '.join(done.notified) or '-'}"
    print(f"{fault.name} | {fault.alert} | {done.fired_seconds:.0f} | {done.cleared_seconds:.0f} | {lists}", flush=True)
    for line in done.health:
        print(f"  {line}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
