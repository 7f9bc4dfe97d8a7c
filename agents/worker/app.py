"""The composition root: everything a worker is made of is put together here, and nowhere else."""

from collections.abc import Callable
from typing import Any

from faust.types import TP

from agents.controller import agent as controller
from agents.intake import agent as intake_agent
from agents.intake.intake import Intake
from agents.worker.faust_app import FaustApp
from agents.worker.resources import SOURCES, Resources
from agents.worker.start import Start
from agents.worker.ticker import Ticker
from agents.worker.tracing import TracedParts, parts_of
from agents.worker.worker import Worker
from schemas.codec import Limits
from stream import VERSION
from stream.consumer.feeds import SourceFeed
from stream.consumer.readers import Readers
from stream.consumer.transport import Consumer
from stream.kafka.clients import client_config, producer_config
from stream.kafka.ledger_state import LedgerState
from stream.kafka.partition_ends import PartitionEnds
from stream.observability.liveness import Liveness
from stream.observability.metrics import Metrics
from stream.observability.probe import Probe
from stream.observability.readiness import Readiness
from stream.settings import Settings
from stream.shard.owner import Owner


def put_together(settings: Settings, ledger: LedgerState, roles: frozenset[str], start: Start) -> Worker:
    """Make a worker of these roles; nothing is connected before it runs."""
    parts = parts_of(settings)
    resources = Resources(settings, ledger, start.instruments, parts.close)
    app = FaustApp(settings, settings.app)

    def consumer() -> Consumer:
        """The consumer of this app, which Faust makes when it starts."""
        assert isinstance(app.consumer, Consumer)  # noqa: S101 - our transport makes no other
        return app.consumer

    intake = _intake(settings, resources, parts)
    ingests = "intake" in roles
    makers: dict[str, Callable[[TP], Any]] = {}
    if ingests:
        makers |= dict.fromkeys(map(settings.topic, SOURCES), _feed_maker(resources, consumer))
    if "controller" in roles:
        makers[settings.topic("ledger")] = _owner_maker(settings, resources, consumer, parts)
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
    probe = Probe(
        start.answers,
        readers,
        [TP(settings.topic("ledger"), number) for number in range(ledger.partitions)],
        PartitionEnds(client_config(settings)).of,
        resources.store.ping,
    )
    Metrics(resources.instruments, intake, probe)
    liveness = Liveness(probe, settings.stuck_ms / 1000, lambda: intake.letters_refused)
    start.health.why_not_alive = liveness.why_not
    start.health.why_not_ready = Readiness(probe, settings.ready_lag, lambda: intake.letters_refused).why_not
    return Worker(
        resources=resources,
        app=app,
        consumer=consumer,
        readers=readers,
        intake=intake if ingests else None,
        ticker=ticker,
        watch=lambda: probe.keep_asking(liveness.look),
        health=start.health,
    )


def _intake(settings: Settings, resources: Resources, parts: TracedParts) -> Intake:
    return parts.intake(
        instruments=resources.instruments,
        writer=parts.ledger_writer(producer_config(settings), settings.topic("ledger"), resources.threads),
        logical=lambda topic: topic.removeprefix(settings.topic_prefix),
        dead_letters=settings.topic("dead-letters"),
        partitions=resources.state.partitions,
        alike=resources.state.settings.unknown_items == "ask",
        limits=Limits(settings.max_event_bytes, settings.currency),
        privacy_key=settings.privacy_key_file,
    )


def _feed_maker(resources: Resources, consumer: Callable[[], Consumer]) -> Callable[[TP], SourceFeed]:
    def make(tp: TP) -> SourceFeed:
        return SourceFeed(tp, resources.feeds.of, consumer(), resources.instruments)

    return make


def _owner_maker(
    settings: Settings, resources: Resources, consumer: Callable[[], Consumer], parts: TracedParts
) -> Callable[[TP], Owner]:
    ports, seconds = resources.ports(), settings.checkpoint_ms / 1000

    def make(tp: TP) -> Owner:
        return Owner(tp.partition, ports, VERSION, seconds, lambda offset: consumer().move(tp, offset), parts.shard)

    return make
