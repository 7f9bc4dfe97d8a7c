"""A system with topics and a begun ledger, and the environment that points commands at it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from confluent_kafka import Message

from agents import cli
from stream.kafka import ledger_state, topics
from stream.kafka.topic_reader import TopicReader
from stream.settings import Settings, as_environment

Run: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture
def settings(
    kafka: str, redis_url: str, app: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    settings = Settings(kafka=kafka, redis=redis_url, app=app, topic_prefix=topic_prefix, partitions=3)
    for key, value in as_environment(settings).items():
        monkeypatch.setenv(key, value)
    monkeypatch.chdir(tmp_path)
    return settings


@pytest.fixture
def begun(settings: Settings) -> Settings:
    topics.create(settings)
    ledger_state.begin(settings)
    return settings


@pytest.fixture
def restock(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process: its exit code, standard output, standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        try:
            exit_code = cli.main([str(word) for word in words])
        except SystemExit as end:
            exit_code = int(end.code or 0)
        return exit_code, *capsys.readouterr()

    return run


@pytest.fixture
def published(begun: Settings) -> Callable[[str], list[Message]]:
    """Everything a topic holds, partition by partition."""

    def read(topic: str) -> list[Message]:
        name = begun.topic(topic)
        with TopicReader(begun) as reader:
            messages = list(reader.read(name, reader.bounds(name)))
        return sorted(messages, key=lambda message: (message.partition() or 0, message.offset() or 0))

    return read
