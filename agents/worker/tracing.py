"""The parts of a worker that differ when it makes spans; without traces nothing of OpenTelemetry is imported."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from agents.intake.intake import Intake
from stream.errors import WrongUse
from stream.kafka.ledger_writer import LedgerWriter
from stream.settings import Settings, mask
from stream.shard.dependencies import Ports
from stream.shard.shard import Shard

if TYPE_CHECKING:
    from stream.observability.tracing import Tracing


class TracedParts(NamedTuple):
    """How the parts of a worker are made that may make spans, and how the spans come to an end."""

    intake: Callable[..., Intake] = Intake
    ledger_writer: type[LedgerWriter] = LedgerWriter
    shard: Callable[[int, Ports, str], Shard] = Shard
    close: Callable[[], None] = lambda: None


def parts_of(settings: Settings) -> TracedParts:
    """The parts that these settings ask for."""
    if settings.traces is None:
        return TracedParts()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        from stream.observability.tracing import Tracing  # noqa: PLC0415
    except ImportError:
        raise WrongUse(
            f"RESTOCK_TRACES={mask(settings.traces)} needs OpenTelemetry: install restock with its extra `otel`"
        ) from None
    exporter = OTLPSpanExporter(f"{settings.traces.rstrip('/')}/v1/traces")
    return with_spans(Tracing(BatchSpanProcessor(exporter), settings.app, settings.trace_share))


def with_spans(tracing: "Tracing") -> TracedParts:
    """The parts that make spans."""
    from agents.intake.traced_intake import TracedIntake  # noqa: PLC0415
    from stream.kafka.traced_ledger_writer import TracedLedgerWriter  # noqa: PLC0415
    from stream.shard.traced_shard import TracedShard  # noqa: PLC0415

    return TracedParts(partial(TracedIntake, tracing), TracedLedgerWriter, partial(TracedShard, tracing), tracing.close)
