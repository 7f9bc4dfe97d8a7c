"""Asks the workers how they are while a fault goes on, and keeps each answer whose status changes."""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Self

from stream.local.free_ports import LOOPBACK


class Onlooker:
    """Asks every worker for its health and readiness twice a second."""

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
                for path in ("/healthz", "/readyz"):
                    self._note(number, path, _answer(f"http://{LOOPBACK}:{port}{path}"))

    def _note(self, number: int, path: str, answer: str) -> None:
        status = answer.split(" ", 1)[0]
        if self._last.get((number, path), "200") != status:
            self.told.append(f"{time.time() - self._since:.0f} s: worker {number} {path} {answer}")
        self._last[number, path] = status


def _answer(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - loopback
            return f"{response.status} {response.read().decode().strip()}"
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read().decode().strip()}"
    except OSError:
        return "does not answer"
