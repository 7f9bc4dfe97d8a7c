"""A worker process as a load balancer and Prometheus see it: over HTTP."""

import re
import urllib.error
import urllib.request
from typing import NamedTuple

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.chaos.system import SystemWorker, await_true


class Answered(NamedTuple):
    """A status and a text; 0 for a process that does not answer."""

    status: int
    text: str


class Watched:
    """Asks one worker."""

    def __init__(self, worker: SystemWorker) -> None:
        self.worker = worker

    def get(self, path: str) -> Answered:
        try:
            with urllib.request.urlopen(f"{self._address()}{path}", timeout=5) as response:  # noqa: S310 - loopback
                return Answered(response.status, response.read().decode())
        except urllib.error.HTTPError as error:
            return Answered(error.code, error.read().decode())
        except OSError as error:
            return Answered(0, repr(error))

    def families(self) -> list[Metric]:
        status, text = self.get("/metrics")
        return list(text_string_to_metric_families(text)) if status else []

    def value(self, name: str, **labels: str) -> float | None:
        """A metric's value, summed over the labels that are not given; None where there is none."""
        values = [
            sample.value
            for family in self.families()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(values) if values else None

    def await_answer(self, path: str, status: int, begins: str, seconds: float = 60.0) -> None:
        """Wait until the worker answers so."""
        await_true(
            lambda: (found := self.get(path)).status == status and found.text.startswith(begins), seconds,
            lambda: f"{path} is {self.get(path)}\n{self.worker.tail()}",
        )  # fmt: skip

    def await_value(self, name: str, wanted: float, seconds: float = 60.0, **labels: str) -> None:
        """Wait until a metric has this value."""
        await_true(
            lambda: self.value(name, **labels) == wanted, seconds,
            lambda: f"{name}{labels} is {self.value(name, **labels)}, not {wanted}\n{self.worker.tail()}",
        )  # fmt: skip

    def _address(self) -> str:
        found = re.search(r"Metrics and health at (http://[\d.:]+)/", self.worker.log.read_text(errors="replace"))
        if found is None:
            raise ConnectionError("the worker does not listen yet")
        return found[1]
