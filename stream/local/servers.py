"""A local Kafka and a local Valkey together: one directory holds their data, ports and logs and survives a restart."""

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from stream.errors import Refused, Unreachable, WrongUse
from stream.local.jars import Progress
from stream.local.kafka import Kafka
from stream.local.ports import free_ports
from stream.local.process import ServerProcess
from stream.local.valkey import Valkey

TRIES = 3


class LocalServers:
    """Both servers of one directory, which nobody else can use meanwhile.

    A first start takes the usual ports if they are free; with `usual_ports=False` any free ones, for tests that run
    beside somebody's own servers. Later starts come back on the same ports.
    """

    def __init__(self, directory: Path, *, usual_ports: bool = True, progress: Progress | None = None) -> None:
        self.directory = directory.absolute()
        self.kafka_process = Kafka(self.directory / "kafka", progress)
        self.redis_process = Valkey(self.directory / "redis")
        self._processes: tuple[ServerProcess, ...] = (self.redis_process, self.kafka_process)
        self._kept = self.directory / "ports.json"
        self._lock: TextIO | None = None
        if not usual_ports:
            for process in self._processes:
                process.ports = dict.fromkeys(process.ports, 0)

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
        """What a client's environment needs."""
        return {"RESTOCK_KAFKA": self.kafka, "RESTOCK_REDIS": self.redis}

    def start(self) -> None:
        """Start both and return once both accept."""
        self._take_directory()
        try:
            self._recall_ports()
            for process in self._processes:
                _start(process)
            self._kept.write_text(json.dumps(self._ports()) + "\n")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End both cleanly and leave the directory to others."""
        for process in reversed(self._processes):
            process.stop()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def holder(self) -> int | None:
        """The process that runs the servers of this directory, if any."""
        try:
            with (self.directory / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return None
        except BlockingIOError:
            return int((self.directory / "lock").read_text())
        return None

    def recall(self) -> None:
        """Learn the ports of servers that another process runs."""
        self._recall_ports()

    def _take_directory(self) -> None:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            lock = (self.directory / "lock").open("a")
        except OSError as error:
            raise WrongUse(f"--dir {self.directory} cannot be used ({error.strerror}): name another") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise Refused(
                f"--dir {self.directory} is in use by a running `restock local`: stop it or name another"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def _recall_ports(self) -> None:
        if self._kept.exists():
            kept = json.loads(self._kept.read_text())
            for process in self._processes:
                process.ports = {name: kept[name] for name in process.ports}

    def _ports(self) -> dict[str, int]:
        return {name: port for process in self._processes for name, port in process.ports.items()}


def _start(process: ServerProcess) -> None:
    """Start on the ports of last time, or on others if they are taken, even between the choice and the start."""
    for _ in range(TRIES):
        process.ports = free_ports(process.ports)
        try:
            return process.start()
        except Unreachable:
            if free_ports(process.ports) == process.ports:
                raise
    return process.start()
