"""A server as a child process: its start ends when it accepts connections, and it never outlives its parent."""

import contextlib
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

from stream.errors import Unreachable

# Waits for the end of a pipe that only our process holds open. It comes when we end, however that happens, and then
# the guard kills its own process group, which the server belongs to. The group's number cannot be given to somebody
# else while the guard lives.
GUARD = ("/bin/sh", "-c", "read _; kill -9 0")
START_SECONDS = 60
STOP_SECONDS = 20
# Variables with which Java starts differently on another person's machine.
UNWANTED = ("CLASSPATH", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")


def clean_environment() -> dict[str, str]:
    """Our environment without the variables that would change how a server starts."""
    return {name: value for name, value in os.environ.items() if name not in UNWANTED}


class ServerProcess(ABC):
    """One server on loopback, with its data and its log in `home`, both kept between starts.

    `ports` holds the usual ones until others are chosen; the first of them is the one that clients use.
    """

    name: str
    ports: dict[str, int]

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = home / "log"
        self._child: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """Prepare what the server needs, and return its command line."""

    @abstractmethod
    def accepts(self) -> bool:
        """Whether this very process, not another server on the same port, answers."""

    @property
    def port(self) -> int:
        """Where clients connect."""
        return next(iter(self.ports.values()))

    @property
    def pid(self) -> int:
        """The process id of a started server."""
        if self._child is None:
            message = f"{self.name} is not started"
            raise RuntimeError(message)
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the process is there (stopped by SIGSTOP counts as there)."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start on the same ports and data as before, and return once it accepts connections."""
        if self.running:
            return
        self._end_guard()
        self.home.mkdir(parents=True, exist_ok=True)
        command = self.command()
        self._guard = subprocess.Popen(
            GUARD, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0
        )
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                command,
                cwd=self.home,
                env=clean_environment(),
                process_group=self._guard.pid,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_until_it_accepts()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End it cleanly, and by force when it takes too long."""
        if self._child is not None and self.running:
            self._child.send_signal(signal.SIGCONT)  # a stopped process would not hear the next one
            self._child.terminate()
            try:
                self._child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()
        self._end()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._child is not None and self.running:
            self._child.kill()
        self._end()

    def _end(self) -> None:
        if self._child is not None:
            # An interrupted call may have left the process's lock taken: go on all the same.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(STOP_SECONDS)
        self._end_guard()

    def _end_guard(self) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait()
            self._guard = None

    def _wait_until_it_accepts(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.accepts():
            if not self.running:
                raise Unreachable(f"{self.name} ended while starting on port {self.port}: {self.last_words()}")
            if time.monotonic() > deadline:
                raise Unreachable(
                    f"{self.name} does not answer on port {self.port} after {START_SECONDS} s: see {self.log}"
                )
            time.sleep(0.02)

    def last_words(self) -> str:
        """The path of the log, and its last line."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return f"see {self.log} ({lines[-1].strip()[:200]})" if lines else f"see {self.log}"
