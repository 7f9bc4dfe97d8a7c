"""Where the demo lives: one directory with local servers, the settings as a file, topics, and a real worker process."""

import http.client
import os
import shutil
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from stream.errors import AnswerIsNo, WrongUse
from stream.kafka import ledger_state, topics
from stream.local import LocalServers
from stream.local.free_ports import LOOPBACK, free_ports
from stream.local.jars import Progress
from stream.local.process import ServerProcess
from stream.setting_sources import load
from stream.settings import Settings

OURS = frozenset({"kafka", "redis", "worker", "lock", "log", "state.json", "restock.toml"})
"""What a demo's directory may hold: anything else was not made by a demo, and is not swept away."""
SETTINGS = {
    "app": "demo",
    "partitions": "2",
    "clock": "events",
    "tick": "20ms",
    "lateness": "0s",
    "log": "warning",
}
"""Time comes from the simulated events alone, and ticks come quickly, so that a day takes a moment."""


class WorkerProcess(ServerProcess):
    """`restock worker`, as anybody would start it."""

    name = "the worker"

    def __init__(self, home: Path, config: Path) -> None:
        super().__init__(home)
        self.ports = {"metrics": 9477}
        self._config = config

    @property
    def metrics(self) -> str:
        """Where its metrics are."""
        return f"http://{LOOPBACK}:{self.port}/metrics"

    def command(self) -> list[str]:
        """The worker's command line."""
        return [*restock(self._config), "worker"]

    def accepts(self) -> bool:
        """Whether it has taken its shards."""
        return self.get("/readyz")[0] == http.HTTPStatus.OK

    def get(self, path: str) -> tuple[int, str]:
        """Ask it something; status 0 while nobody listens."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()


class DemoSystem:
    """Servers, topics and worker of one demo; nothing of it runs on when the demo ends, and its data stays."""

    def __init__(self, directory: Path, progress: Progress) -> None:
        self.directory = directory
        self.config = directory / "restock.toml"
        self.servers = LocalServers(directory, progress=progress)
        self.worker = WorkerProcess(directory.absolute() / "worker", self.config.absolute())

    def __enter__(self) -> Self:
        """Start the servers on empty data, and make the topics."""
        self._sweep()
        self.servers.start()
        try:
            self.settings = self._settle()
            topics.create(self.settings)
            ledger_state.begin(self.settings)
        except BaseException:
            self.servers.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End everything; after an error or Ctrl-C without letting the worker finish."""
        try:
            self.worker.stop() if error is None else self.worker.kill()
        finally:
            self.servers.stop()

    def _sweep(self) -> None:
        """Begin anew: what an earlier demo left is removed."""
        if self.servers.holder() is not None:
            raise AnswerIsNo(f"--dir {self.directory} is in use: restock local stop --dir {self.directory}")
        there = {path.name for path in self.directory.iterdir()} if self.directory.exists() else set()
        if strangers := sorted(there - OURS):
            raise WrongUse(f"--dir {self.directory} holds {strangers[0]}, which no demo made: name another directory")
        for name in there & {"kafka", "redis", "worker"}:
            shutil.rmtree(self.directory / name)

    def _settle(self) -> Settings:
        """Write the settings where later commands find them, and nothing of the caller's own."""
        for name in [name for name in os.environ if name.startswith("RESTOCK_")]:
            del os.environ[name]
        self.worker.ports = free_ports(self.worker.ports)
        values = SETTINGS | {
            "kafka": self.servers.kafka,
            "redis": self.servers.redis,
            "metrics": f"{LOOPBACK}:{self.worker.port}",
        }
        self.config.write_text("".join(f'{name} = "{value}"\n' for name, value in values.items()))
        return load(self.config)


def restock(config: Path) -> list[str]:
    """The command line of `restock` with these settings; the verb is still to come."""
    return [sys.executable, "-c", "import sys; from agents.cli import main; sys.exit(main())", "--config", str(config)]
