"""Asks a real Prometheus every question of the dashboards, and draws its answers: `make dashboards`.

Two workers run under the demo's simulated shop, with some faults on the way, so that there is something to see. It
fails when a query is refused, or has no answer where the description does not say why.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.demo.figures import DemoFigures
from agents.demo.goods import Assortment
from agents.demo.inbox import Inbox
from agents.demo.loop import Loop
from agents.simulation.shop import Shop
from deploy.grafana.dashboards import DASHBOARDS
from deploy.grafana.panel import Dashboard, Panel, filled
from stream.kafka.event_publisher import EventPublisher
from stream.local import LocalServers
from stream.local.free_ports import LOOPBACK
from stream.setting_sources import load
from tests.chaos.system import System
from tests.drill.monitoring import Monitoring, shortened
from tests.drill.people import People
from tests.drill.pictures import QueryAnswer, WatchedFault, draw
from tests.drill.server_faults import store_stopped
from tests.drill.stage import Stage
from tests.drill.worker_faults import worker_killed

PICTURES = Path(__file__).parents[2] / "docs/operations/dashboards"
RATE_INTERVAL = "12s"
"""What Grafana would choose: four times between two readings, at least, and more than a step."""
STEP_SECONDS = 3
DAYS, ITEMS = 500, 60
DAY_SECONDS = 0.8
"""How long a simulated day lasts at least."""


class DemoShop(threading.Thread):
    """Lives through the days of the demo's shop until it is closed."""

    def __init__(self, system: System) -> None:
        super().__init__(daemon=True)
        self.closed = threading.Event()
        self.failure: Exception | None = None
        given = {key: value for key, value in system.environment.items() if key.startswith("RESTOCK_")}
        self._settings = load(environment=given)

    def run(self) -> None:
        assortment = Assortment(Shop(3, ITEMS, DAYS))
        figures = DemoFigures(DAYS, ITEMS, assortment.most_telling.name, "")
        try:
            with EventPublisher(self._settings) as publisher, Inbox(self._settings) as inbox:
                for _ in Loop(assortment, publisher, inbox, figures).run():
                    if self.closed.wait(DAY_SECONDS):
                        return
        except Exception as error:  # noqa: BLE001 - told by whoever waits
            self.failure = error


class FaultyDay:
    """What happens while Prometheus watches: quiet, a fault, quiet, the next."""

    def __init__(self, stage: Stage, shop: DemoShop, quiet_seconds: float) -> None:
        self.faults: list[WatchedFault] = []
        self._stage, self._shop, self._quiet = stage, shop, quiet_seconds

    def live(self) -> None:
        """Live through it."""
        self._wait(2 * self._quiet)
        with self._marked("a worker is killed"), worker_killed(self._stage):
            self._wait(25)
        self._stage.await_ready()
        self._wait(self._quiet)
        with self._marked("records that nobody can read"):
            for _ in range(8):
                self._stage.system.publish([("orders", b"x", b"no JSON")] * 10)
                self._wait(1)
        self._wait(self._quiet)
        with self._marked("Redis is stopped"), store_stopped(self._stage):
            self._wait(12)
        self._stage.await_ready()
        self._wait(self._quiet)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._shop.failure is not None:
                raise self._shop.failure
            time.sleep(0.2)

    @contextmanager
    def _marked(self, what: str) -> Iterator[None]:
        began = time.time()
        yield
        self.faults.append(WatchedFault(what, began, time.time()))


def asked(monitoring: Monitoring, panel: Panel, factor: float, began: float, ended: float) -> list[QueryAnswer]:
    """The answers to a panel's queries, in their order."""
    start = ended if panel.now else began
    return [
        QueryAnswer(
            query, monitoring.ask(filled(shortened(query.expr, factor), RATE_INTERVAL), start, ended, STEP_SECONDS)
        )
        for query in panel.queries
    ]


def main() -> int:
    """Print which queries have no answer, and why; 1 when one has none and should."""
    parser = argparse.ArgumentParser(description="Asks a real Prometheus what dashboards ask, and draws its answers.")
    parser.add_argument("--factor", type=float, default=10.0, help="durations of rules and queries are divided by it")
    parser.add_argument("--quiet", type=float, default=40.0, help="seconds between two faults")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="restock-dashboards-") as folder:
        home = Path(folder)
        with (
            LocalServers(home / "servers", usual_ports=False) as servers,
            _system(servers, home) as system,
            People(system, home) as people,
        ):
            people.webhook.answers = [200, 503, 503]
            stage, shop = Stage(servers, system, people), DemoShop(system)
            stage.begin()
            stage.await_ready()
            workers = [f"{LOOPBACK}:{port}" for port in stage.ports]
            with Monitoring(home, [*workers, people.metrics], args.factor) as monitoring:
                shop.start()
                began = time.time()
                day = FaultyDay(stage, shop, args.quiet)
                day.live()
                ended = time.time()
                answers = {
                    dashboard: [asked(monitoring, panel, args.factor, began, ended) for panel in dashboard.panels]
                    for dashboard in DASHBOARDS
                }
            shop.closed.set()
            shop.join()
    PICTURES.mkdir(parents=True, exist_ok=True)
    for dashboard, found in answers.items():
        draw(PICTURES / f"{dashboard.name}.svg", dashboard, found, day.faults, (began, ended))
    return int(_unanswered(answers))


def _unanswered(answers: dict[Dashboard, list[list[QueryAnswer]]]) -> bool:
    """Print what has no answer; whether one should have had one."""
    every = [answer for found in answers.values() for panel in found for answer in panel]
    silent = [answer for answer in every if not answer.series]
    for answer in silent:
        print(f"{'empty ' + answer.query.empty if answer.query.empty else 'NO ANSWER'}: {answer.query.expr}")
    series = sum(len(answer.series) for answer in every)
    panels = sum(map(len, answers.values()))
    print(f"{panels} panels, {len(every)} queries, {len(every) - len(silent)} with {series} series of answers")
    return any(not answer.query.empty for answer in silent)


def _system(servers: LocalServers, home: Path) -> System:
    return System(servers.kafka, servers.redis, "dashboards", home, clock="events", tick="20ms", lateness="0s")


if __name__ == "__main__":
    sys.exit(main())
