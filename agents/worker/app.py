"""The composition root: everything a worker is made of is put together here, and nowhere else."""

from collections.abc import Callable
from typing import Any

from faust.types import TP

from agents.controller import agent as controller
from agents.intake import agent as intake_agent
from agents.intake.intake import Intake
from agents.worker.faust_app import FaustApp
from agents.worker.resources import SOURCES, Resources
from agents.worker.ticker import Ticker
from agents.worker.worker import Worker
from schemas.codec import Limits
from stream import VERSION
from stream.consumer.feeds import SourceFeed
from stream.consumer.readers import Readers
from stream.consumer.transport import Consumer
from stream.kafka.clients import producer_config
from stream.kafka.ledger_state import LedgerState
from stream.kafka.ledger_writer import LedgerWriter
from stream.observability.health import Health
from stream.observability.metrics import Metrics
from stream.settings import Settings
from stream.shard.owner import Owner


def put_together(settings: Settings, ledger: LedgerState, roles: frozenset[str]) -> Worker:
    """Make a worker of these roles; nothing is connected before it runs."""
    resources = Resources(settings, ledger)
    app = FaustApp(settings, settings.app)

    def consumer() -> Consumer:
        """The consumer of this app, which Faust makes when it starts."""
        assert isinstance(app.consumer, Consumer)  # noqa: S101 - our transport makes no other
        return app.consumer

    intake = _intake(settings, resources)
    ingests = "intake" in roles
    makers: dict[str, Callable[[TP], Any]] = {}
    if ingests:
        makers |= dict.fromkeys(map(settings.topic, SOURCES), _feed_maker(resources, consumer))
    if "controller" in roles:
        makers[settings.topic("ledger")] = _owner_maker(settings, resources, consumer)
    readers = app.readers = Readers(makers)
    if ingests:
        intake_agent.declare(app, [settings.topic(name) for name in SOURCES], readers, intake)
    if "controller" in roles:
        controller.declare(app, settings.topic("ledger"), readers)
    ticker = Ticker(
        readers=readers,
        intake=intake if ingests else None,
        consumer=consumer,
        feed_names=resources.feeds.every,
        fold_settings=ledger.settings,
        seconds=settings.tick_ms / 1000,
        wall_clock=settings.clock == "wall",
    )
    metrics = Metrics(resources.instruments, readers, intake, consumer)
    health = Health(settings.metrics, metrics)
    return Worker(
        resources=resources,
        app=app,
        consumer=consumer,
        readers=readers,
        intake=intake if ingests else None,
        ticker=ticker,
        health=health,
    )


def _intake(settings: Settings, resources: Resources) -> Intake:
    return Intake(
        instruments=resources.instruments,
        writer=LedgerWriter(producer_config(settings), settings.topic("ledger"), resources.threads),
        logical=lambda topic: topic.removeprefix(settings.topic_prefix),
        dead_letters=settings.topic("dead-letters"),
        partitions=resources.state.partitions,
        limits=Limits(settings.max_event_bytes, settings.currency),
        privacy_key=settings.privacy_key_file,
    )


def _feed_maker(resources: Resources, consumer: Callable[[], Consumer]) -> Callable[[TP], SourceFeed]:
    def make(tp: TP) -> SourceFeed:
        return SourceFeed(tp, resources.feeds.of, consumer(), resources.instruments)

    return make


def _owner_maker(settings: Settings, resources: Resources, consumer: Callable[[], Consumer]) -> Callable[[TP], Owner]:
    ports, seconds = resources.ports(), settings.checkpoint_ms / 1000

    def make(tp: TP) -> Owner:
        return Owner(tp.partition, ports, VERSION, seconds, lambda offset: consumer().move(tp, offset))

    return make
