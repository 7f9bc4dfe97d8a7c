"""The directory of local servers: which process holds it, and which ports the servers had last time."""

import contextlib
import fcntl
import os
import time
from pathlib import Path
from typing import TextIO

import msgspec

from stream.errors import AnswerIsNo, WrongUse

HOLDER_SECONDS = 0.5


class ServersRecord(msgspec.Struct):
    """What the directory remembers; `process` and `ready` are about the holder, and hold only while there is one."""

    ports: dict[str, int] = {}
    process: int = 0
    ready: bool = False


class Directory:
    """A directory that one process at a time can hold; the operating system lets go of it when that process ends."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._state = self.path / "state.json"
        self._held: TextIO | None = None

    def hold(self) -> None:
        """Hold it; raises AnswerIsNo while another process does."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / "lock").open("a")
        except OSError as error:
            raise WrongUse(f"--dir {self.path} cannot be used ({error.strerror}): name another") from error
        deadline = time.monotonic() + HOLDER_SECONDS  # `holder` of another process holds it for a moment
        while not _lock(lock):
            if time.monotonic() > deadline:
                lock.close()
                raise AnswerIsNo(f"--dir {self.path} is in use by other local servers: stop them or name another")
            time.sleep(0.01)
        self._held = lock
        self._write(ServersRecord(ports=self.read().ports, process=os.getpid()))

    def release(self) -> None:
        """Let other processes hold it; the ports stay remembered."""
        if self._held is not None:
            self._write(ServersRecord(ports=self.read().ports))
            self._held.close()
            self._held = None

    def holder(self) -> int | None:
        """The process that holds it, if any."""
        with contextlib.suppress(OSError), (self.path / "lock").open() as lock:
            if not _lock(lock):
                return self.read().process
        return None

    def read(self) -> ServersRecord:
        """What it remembers."""
        try:
            return msgspec.json.decode(self._state.read_bytes(), type=ServersRecord)
        except (OSError, msgspec.MsgspecError):
            return ServersRecord()

    def remember(self, ports: dict[str, int]) -> None:
        """Keep the ports of servers that are ready."""
        self._write(ServersRecord(ports=ports, process=os.getpid(), ready=True))

    def _write(self, state: ServersRecord) -> None:
        fresh = self._state.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(state))
        fresh.replace(self._state)


def _lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
