"""Finds free loopback ports: the preferred ones where they are free, others where they are not."""

import contextlib
import random
import socket
from collections.abc import Iterator, Mapping

LOOPBACK = "127.0.0.1"
# Below the range from which systems take the ports of outgoing connections. A client that keeps dialling a port of
# that range while its server is down can end up connected to itself, and then the server cannot come back.
OTHERS = range(20_000, 30_000)


def free_ports(wished: Mapping[str, int]) -> dict[str, int]:
    """A port for every name that a server can bind, all different: the preferred one if it is free; 0 prefers none."""
    with contextlib.ExitStack() as held:
        return {name: _hold(held, wish) for name, wish in wished.items()}


def is_listening(port: int) -> bool:
    """Whether somebody listens on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def _hold(held: contextlib.ExitStack, wish: int) -> int:
    for port in _candidates(wish):
        sock = held.enter_context(socket.socket())
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            sock.bind((LOOPBACK, port))
            return port
    message = f"no free port on {LOOPBACK}"
    raise OSError(message)


def _candidates(wish: int) -> Iterator[int]:
    if wish:
        yield wish
    yield from random.sample(OTHERS, k=len(OTHERS))
