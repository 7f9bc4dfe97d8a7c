"""A local Kafka and a local Valkey together: one directory holds their data, ports and logs and survives a restart."""

from pathlib import Path
from types import TracebackType
from typing import Self

from stream.errors import Unreachable
from stream.local.directory import Directory
from stream.local.free_ports import free_ports, is_listening
from stream.local.jars import Progress
from stream.local.kafka_server import Kafka
from stream.local.process import ServerProcess
from stream.local.valkey_server import Valkey

TRIES = 3


class LocalServers:
    """Both servers of one directory, which no other process can use meanwhile.

    A first start takes the usual ports if they are free; with `usual_ports=False` any free ones, for tests that run
    beside somebody's own servers. Later starts come back on the same ports.
    """

    def __init__(self, directory: Path, *, usual_ports: bool = True, progress: Progress | None = None) -> None:
        self._directory = Directory(directory)
        self.directory = self._directory.path
        self.kafka_process = Kafka(self.directory / "kafka", progress)
        self.redis_process = Valkey(self.directory / "redis")
        self._processes: tuple[ServerProcess, ...] = (self.redis_process, self.kafka_process)
        if not usual_ports:
            for process in self._processes:
                process.ports = dict.fromkeys(process.ports, 0)
        self.recall_ports()

    @property
    def kafka(self) -> str:
        """The broker's address, the value of `RESTOCK_KAFKA`."""
        return self.kafka_process.address

    @property
    def redis(self) -> str:
        """The store's URL, the value of `RESTOCK_REDIS`."""
        return self.redis_process.url

    @property
    def settings(self) -> dict[str, str]:
        """The environment variables that a client needs."""
        return {"RESTOCK_KAFKA": self.kafka, "RESTOCK_REDIS": self.redis}

    def start(self) -> None:
        """Start both and return once both accept."""
        self._directory.hold()
        try:
            self.recall_ports()
            for process in self._processes:
                _start(process)
            ports = {name: port for process in self._processes for name, port in process.ports.items()}
            self._directory.remember(ports)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End both cleanly and leave the directory to others."""
        for process in reversed(self._processes):
            process.stop()
        self._directory.release()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def ended(self) -> list[ServerProcess]:
        """Those of our processes that are not running."""
        return [process for process in self._processes if not process.running]

    def fetch(self) -> None:
        """Download what a start needs, if it is not there yet."""
        self.kafka_process.fetch()

    def holder(self) -> int | None:
        """The process, ours or another, that runs the servers of this directory, if any."""
        return self._directory.holder()

    def ready(self) -> bool:
        """Whether the holder has started both, and both listen."""
        self.recall_ports()
        started = self.holder() is not None and self._directory.read().ready
        return started and all(is_listening(process.port) for process in self._processes)

    def recall_ports(self) -> None:
        """Read which ports the last start used."""
        kept = self._directory.read().ports
        for process in self._processes:
            process.ports = {name: kept.get(name, port) for name, port in process.ports.items()}


def _start(process: ServerProcess) -> None:
    """Start on the ports of last time, or on others if they are taken, even if that happens just before the start."""
    for _ in range(TRIES):
        process.ports = free_ports(process.ports)
        try:
            return process.start()
        except Unreachable:
            if free_ports(process.ports) == process.ports:
                raise
    return process.start()
