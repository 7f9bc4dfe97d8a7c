"""What else tells of a fault: health and readiness of every worker while it goes on, and `restock doctor`."""

import json
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Self

from stream.local.free_ports import LOOPBACK
from tests.chaos.system import System

GOOD = {"/healthz": " alive", "/readyz": " ready"}


class Onlooker:
    """Asks every worker for its health and readiness twice a second, and keeps what is new but for its numbers."""

    def __init__(self, ports: Sequence[int], since: float) -> None:
        self.told: list[str] = []
        """Seconds since the fault, the worker's number, the path and the answer."""
        self._ports, self._since = ports, since
        self._closed = threading.Event()
        self._last: dict[tuple[int, str], str] = {}
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        """Begin to ask."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ask no more."""
        self._closed.set()
        self._thread.join()

    def _listen(self) -> None:
        while not self._closed.wait(0.5):
            for number, port in enumerate(self._ports):
                for path in GOOD:
                    self._note(number, path, _answer(f"http://{LOOPBACK}:{port}{path}"))

    def _note(self, number: int, path: str, answer: str) -> None:
        kind = re.sub(r"\d+", "", answer.removeprefix("200"))
        if self._last.get((number, path), GOOD[path]) != kind:
            self.told.append(f"{time.time() - self._since:.0f} s: worker {number} {path} {answer}")
        self._last[number, path] = kind


def _answer(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - loopback
            return f"{response.status} {response.read().decode().strip()}"
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read().decode().strip()}"
    except OSError:
        return "does not answer"


def told_by(system: System, command: str, since: float) -> str:
    """What a command of the product finds amiss, and after how many seconds it was asked."""
    asked = time.time() - since
    if command == "doctor":
        findings = json.loads(system.run("doctor", "--json").stdout)["findings"]
        amiss = [f"{each['what']} {each['verdict']}: {each['found']}" for each in findings if each["verdict"] != "ok"]
    else:
        done = system.run(command)
        amiss = f"{done.stdout}{done.stderr}".strip().splitlines() if done.returncode else []
    return f"{asked:.0f} s: restock {command}: {'; '.join(amiss) or 'all is well'}"
