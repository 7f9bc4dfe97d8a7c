"""Real servers for every test that asks: one Kafka and one Valkey a process, and names of its own for each test."""

import itertools
import os
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import hypothesis
import pytest
import redis
from confluent_kafka.admin import AdminClient

from stream.local import LocalServers

_numbers = itertools.count(1)

# A busy machine makes an example slow, not wrong.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


LEFT_OUT = pytest.StashKey[Counter[str]]()
"""Tests that did not run, by kind; with several processes the first one adds up the counts of all."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--nothing-skipped`: a test that does not run fails the run."""
    parser.addoption("--nothing-skipped", action="store_true", help="fail when any test is skipped or deselected")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count."""
    config.stash[LEFT_OUT] = Counter()


@pytest.hookimpl(trylast=True)
def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Count tests that are not chosen: pytest-xdist does not pass them on."""
    if items:
        items[0].config.stash[LEFT_OUT]["deselected"] += len(items)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each of several processes begin with its share of the longest tests: none is left with them in the end."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    longest = [item for item in items if "end_to_end" in item.path.parts]
    others = [item for item in items if "end_to_end" not in item.path.parts]
    items[:] = [
        item for share in range(processes) for tests in (longest, others) for item in part(tests, share, processes)
    ]


def part(tests: Sequence[pytest.Item], number: int, parts: int) -> Sequence[pytest.Item]:
    """One of several parts of the same length, in order."""
    return tests[len(tests) * number // parts : len(tests) * (number + 1) // parts]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist left out; all of them collect the same."""
    node.config.stash[LEFT_OUT] |= getattr(node, "workeroutput", {}).get("left_out", {})


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn a run that left tests out into a failed one."""
    left_out = session.config.stash[LEFT_OUT]
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = dict(left_out)
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        left_out.update({kind: len(reporter.stats.get(kind, ())) for kind in ("skipped", "xfailed", "xpassed")})
    if session.config.getoption("--nothing-skipped") and left_out.total() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say why a run fails although all of its tests passed."""
    kinds = [kind for kind, number in config.stash[LEFT_OUT].items() if number]
    if kinds and config.getoption("--nothing-skipped"):
        terminalreporter.ensure_newline()
        terminalreporter.write_line(f"failed, because tests were {', '.join(kinds)}", red=True)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServers]:
    """Kafka and Valkey for all tests of this process; a test that stops one of them starts it again."""
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


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_counts() -> None:
    """Tests and what they start hear Ctrl-C also in a background job, for which a shell has it ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
