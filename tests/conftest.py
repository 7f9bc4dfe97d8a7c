"""Real servers for every test that asks: one Kafka and one Valkey a session, names of its own for each test."""

import itertools
import os
from collections.abc import Iterator

import pytest
import redis
from confluent_kafka.admin import AdminClient

from stream.local import LocalServers

_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--nothing-skipped`: a test that does not run fails the run."""
    parser.addoption("--nothing-skipped", action="store_true", help="fail when any test is skipped or deselected")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn a run that left tests out into a failed one."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and session.config.getoption("--nothing-skipped"):
        left_out = [kind for kind in ("skipped", "deselected", "xfailed", "xpassed") if reporter.stats.get(kind)]
        if left_out and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            reporter.ensure_newline()
            reporter.write_line(f"failed, because tests were {', '.join(left_out)}", red=True)


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
def topic_prefix(servers: LocalServers, app: str) -> Iterator[str]:
    """A prefix that no other test has, for `RESTOCK_TOPIC_PREFIX`; its topics go when the test ends."""
    prefix = f"{app}."
    yield prefix
    admin = AdminClient({"bootstrap.servers": servers.kafka})
    if ours := [topic for topic in admin.list_topics(timeout=30).topics if topic.startswith(prefix)]:
        for deleted in admin.delete_topics(ours).values():
            deleted.result(30)


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> None:
    """Tests do not see the caller's settings."""
    for name in [name for name in os.environ if name.startswith("RESTOCK_")]:
        del os.environ[name]
