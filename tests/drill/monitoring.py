"""A real Prometheus and a real Alertmanager over the project's own rules and routes, and whoever they notify.

Both are taken from PATH: Debian's packages `prometheus` and `prometheus-alertmanager`, unpacked, are enough. All
durations of rules and routes are divided by one factor, so that a drill takes minutes; numbers and shares stay.
"""

import json
import math
import re
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import yaml

from stream.local.free_ports import LOOPBACK, free_ports
from tests.chaos.system import await_true

DEPLOY = Path(__file__).parents[2] / "deploy"
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
SCRAPE_SECONDS = 1
PEOPLE = {"pager", "team"}
"""The receivers that somebody reads."""


@dataclass(frozen=True)
class Notified:
    """One alert in one message to a receiver."""

    at: float
    receiver: str
    name: str
    fingerprint: str
    """Of its labels: an alert of one name may fire for several."""
    firing: bool


@dataclass(frozen=True)
class Series:
    """One line of an answer of Prometheus."""

    labels: dict[str, str]
    points: list[tuple[float, float]]
    """Moments and values."""


def shortened(text: str, factor: float) -> str:
    """A text of PromQL or of a route with its durations divided.

    >>> shortened("sum(increase(up[15m] offset 1d)) == 0", 10)
    'sum(increase(up[90000ms] offset 8640000ms)) == 0'
    """
    return re.sub(
        r"\b(\d+)([smhd])\b", lambda found: f"{int(found[1]) * SECONDS[found[2]] * 1000 / factor:.0f}ms", text
    )


def rules(factor: float) -> dict[str, Any]:
    """The rules, with ranges and waits divided."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus/rules/restock.yml").read_text(encoding="utf-8"))
    for group in found["groups"]:
        for rule in group["rules"]:
            rule["expr"] = shortened(rule["expr"], factor)
            if "for" in rule:
                rule["for"] = shortened(rule["for"], factor)
    return found


def routes(factor: float, webhook: str) -> dict[str, Any]:
    """The configuration of Alertmanager, with a webhook for each receiver and its waits divided."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "alertmanager/alertmanager.yml").read_text(encoding="utf-8"))
    for route in (found["route"], *found["route"]["routes"]):
        for name in ("group_wait", "group_interval", "repeat_interval"):
            if name in route:
                route[name] = shortened(route[name], factor)
    for receiver in found["receivers"]:
        receiver["webhook_configs"] = [{"url": f"{webhook}/{receiver['name']}", "send_resolved": True}]
    return found


def _alertmanager() -> list[str]:
    """The command of Debian's Alertmanager, which reads its templates from /usr/share.

    One that is only unpacked finds its own there, in a mount namespace of its own.
    """
    found = shutil.which("prometheus-alertmanager")
    if found is None:
        raise FileNotFoundError("prometheus-alertmanager is not in PATH")
    assets = Path(found).parents[1] / "share/prometheus/alertmanager"
    if not assets.exists() or assets.is_relative_to("/usr/share"):
        return [found]
    share = 'mount -t tmpfs none /usr/share && mkdir /usr/share/prometheus && ln -s "$0" /usr/share/prometheus'
    return ["unshare", "-rm", "sh", "-c", f'{share} && exec "$@"', str(assets), found]


class Monitoring:
    """Watches workers, and remembers every notification."""

    def __init__(self, home: Path, targets: list[str], factor: float) -> None:
        self.notifications: list[Notified] = []
        self._home, self._targets, self._factor = home, targets, factor
        self._ports = free_ports({"prometheus": 0, "alertmanager": 0})
        self._receiver = ThreadingHTTPServer((LOOPBACK, 0), self._handler())
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        """Start all three, and return once the watchdog's first notification has come."""
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _begin(self) -> None:
        threading.Thread(target=self._receiver.serve_forever, daemon=True).start()
        webhook = f"http://{LOOPBACK}:{self._receiver.server_port}"
        alertmanager, prometheus = self._address("alertmanager"), self._address("prometheus")
        self._start(
            *_alertmanager(),
            f"--config.file={self._write('alertmanager.yml', routes(self._factor, webhook))}",
            f"--storage.path={self._home / 'alertmanager'}",
            f"--web.listen-address={alertmanager}",
            "--cluster.listen-address=",
        )
        self._write("rules.yml", rules(self._factor))
        configuration = {
            "global": {"scrape_interval": f"{SCRAPE_SECONDS}s", "evaluation_interval": f"{SCRAPE_SECONDS}s"},
            "rule_files": ["rules.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
            "scrape_configs": [{"job_name": "restock", "static_configs": [{"targets": self._targets}]}],
        }
        self._start(
            "prometheus",
            f"--config.file={self._write('prometheus.yml', configuration)}",
            f"--storage.tsdb.path={self._home / 'prometheus'}",
            f"--web.listen-address={prometheus}",
            "--rules.alert.resend-delay=2s",
        )
        await_true(lambda: self.firing("RestockWatchdog"), 60, lambda: f"no watchdog: see the logs in {self._home}")

    def __exit__(self, *_: object) -> None:
        """End all three."""
        for process in self._processes:
            process.terminate()
            process.wait(30)
        self._receiver.shutdown()
        self._receiver.server_close()

    def firing(self, name: str, since: float = 0.0) -> bool:
        """Whether an alert fires, as the notifications since a moment say."""
        last = {each.fingerprint: each for each in list(self.notifications) if each.name == name and each.at >= since}
        return any(each.firing for each in last.values())

    def open(self) -> set[str]:
        """The alerts of which people were notified, and of whose end not yet."""
        last = {each.fingerprint: each for each in list(self.notifications) if each.receiver in PEOPLE}
        return {each.name for each in last.values() if each.firing}

    def people_notified(self, since: float) -> list[str]:
        """The alerts of which the pager or the team was notified since a moment, in their order."""
        told = [each for each in self.notifications if each.at >= since and each.firing]
        return list(dict.fromkeys(each.name for each in told if each.receiver in PEOPLE))

    def silenced(self) -> set[str]:
        """The alerts that fire and are inhibited now."""
        with urllib.request.urlopen(f"http://{self._address('alertmanager')}/api/v2/alerts", timeout=5) as answer:
            alerts = json.load(answer)
        return {alert["labels"]["alertname"] for alert in alerts if alert["status"]["inhibitedBy"]}

    def ask(self, expr: str, began: float, ended: float, step_seconds: float) -> list[Series]:
        """What Prometheus answers to an expression over some time, without what is no number; it must not complain."""
        asked = urllib.parse.urlencode({"query": expr, "start": began, "end": ended, "step": step_seconds})
        try:
            with urllib.request.urlopen(f"http://{self._address('prometheus')}/api/v1/query_range?{asked}") as answer:
                told = json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expr}: {error.read().decode()}") from error
        assert "warnings" not in told, f"{expr}: {told['warnings']}"
        found = [
            Series(each["metric"], [(at, float(value)) for at, value in each["values"] if math.isfinite(float(value))])
            for each in told["data"]["result"]
        ]
        return [series for series in found if series.points]

    def alerts(self, state: str, seconds: float) -> set[str]:
        """The alerts that were in a state (pending, firing) at any time of the last seconds, as Prometheus says."""
        now = time.time()
        expr = f'count by (alertname) (count_over_time(ALERTS{{alertstate="{state}"}}[{seconds:.0f}s]))'
        return {series.labels["alertname"] for series in self.ask(expr, now, now, SCRAPE_SECONDS)}

    def _address(self, name: str) -> str:
        return f"{LOOPBACK}:{self._ports[name]}"

    def _write(self, name: str, content: Any) -> Path:
        (self._home / name).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return self._home / name

    def _start(self, *words: str) -> None:
        with (self._home / f"monitoring-{len(self._processes)}.log").open("wb") as log:
            self._processes.append(subprocess.Popen(words, cwd=self._home, stdout=log, stderr=subprocess.STDOUT))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        notifications = self.notifications

        class PeopleWebhook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for alert in message["alerts"]:
                    name, firing = alert["labels"]["alertname"], alert["status"] == "firing"
                    receiver, fingerprint = self.path.strip("/"), alert["fingerprint"]
                    notifications.append(Notified(time.time(), receiver, name, fingerprint, firing))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the server uses
                """Log nothing."""

        return PeopleWebhook
