"""Real servers for every test that asks: one Kafka and one Valkey a session, names of its own for each test."""

import itertools
import os
from collections.abc import Iterator

import pytest
import redis

from stream.local import LocalServers

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServers]:
    """Kafka and Valkey for the whole session; a test that stops one of them starts it again."""
    with LocalServers(tmp_path_factory.mktemp("servers"), usual_ports=False) as running:
        yield running


@pytest.fixture
def kafka(servers: LocalServers) -> str:
    """The bootstrap address of a running broker."""
    return servers.kafka


@pytest.fixture
def redis_url(servers: LocalServers) -> Iterator[str]:
    """The URL of a running store that is empty."""
    with redis.Redis.from_url(servers.redis) as client:
        client.flushall()
        yield servers.redis


@pytest.fixture
def app() -> str:
    """A name that no other test has, for `RESTOCK_APP`."""
    return f"app{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def topic_prefix(app: str) -> str:
    """A prefix that no other test has, for `RESTOCK_TOPIC_PREFIX`."""
    return f"{app}."


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> None:
    """Tests do not see the caller's settings."""
    for name in [name for name in os.environ if name.startswith("RESTOCK_")]:
        del os.environ[name]
