"""A TCP proxy between workers and a server, in a thread of its own: replies can be dropped, delayed, or never come."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Literal

from stream.local.free_ports import LOOPBACK

Mood = Literal["fine", "slow", "deaf", "half-open", "half-closed"]
SLOW_SECONDS = 0.3


class Proxy:
    """Listens on a free port of loopback and passes everything on, as its mood allows.

    `slow` delays every reply; `deaf` drops replies and then the connection; `half-open` swallows both directions, and
    such a connection never comes back to life; `half-closed` ends what the client hears, while the server hears it on.
    """

    def __init__(self, target: Callable[[], int]) -> None:
        self.mood: Mood = "fine"
        self._target = target
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, socket.create_connection((LOOPBACK, self._target())) as server:
            lost = ended = False
            while True:
                for source in select.select([client, server], [], [])[0]:
                    data = source.recv(1 << 16)
                    if not data:
                        return
                    lost = lost or self.mood == "half-open"
                    if lost or (ended and source is server):
                        continue
                    if source is client:
                        server.sendall(data)
                        continue
                    if self.mood == "deaf":
                        return
                    if self.mood == "half-closed":
                        client.shutdown(socket.SHUT_WR)
                        ended = True
                        continue
                    if self.mood == "slow":
                        time.sleep(SLOW_SECONDS)
                    client.sendall(data)
