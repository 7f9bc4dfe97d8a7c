"""Intake with spans: one for each event, between its producer's and that of the shard that folds it.

The span's name travels to the shard in a header of the ledger's record: what the ledger says stays as it is without
traces. A span ends when the batch is acknowledged; those of an attempt that failed are dropped.
"""

from collections import defaultdict
from typing import Any

from faust.types import TP
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode

from agents.intake.intake import BatchDraft, Intake
from schemas.codec import Event
from schemas.refusal import Refusal
from stream.consumer.batch import Batch, SourceRecord
from stream.consumer.feeds import SourceFeed
from stream.kafka.ledger_writer import LedgerHeaders
from stream.observability.tracing import HEADER, Tracing, parent_of, traceparent


class TracedIntake(Intake):
    """Intake of a worker that makes spans."""

    def __init__(self, tracing: Tracing, **parts: Any) -> None:
        super().__init__(**parts)
        self._tracing = tracing
        self._spans: list[Span] = []
        """Of the attempt that is underway."""

    async def _attempt(self, feed: SourceFeed, name: str, batch: Batch) -> BatchDraft:
        self._spans = []
        draft = await super()._attempt(feed, name, batch)
        for span in self._spans:
            span.end()
        return draft

    def _read(self, record: SourceRecord, topic: str, draft: BatchDraft) -> Event | Refusal | None:
        before, draft.lines = draft.lines, defaultdict(list)
        verdict = super()._read(record, topic, draft)
        trace = verdict.trace if isinstance(verdict, Event) else None
        parent, cause = parent_of(record.headers, trace), f"{draft.feed}/{record.offset}"
        headers: LedgerHeaders | None = None
        if parent is not None or self._tracing.begins(cause):
            span = self._begin(record.offset, draft.tp, verdict, cause, parent)
            headers = [(HEADER, traceparent(span).encode())]
        for partition, lines in draft.lines.items():
            before[partition] += [(key, value, headers) for key, value, _ in lines] if headers else lines
        draft.lines = before
        return verdict

    def _begin(self, offset: int, tp: TP, verdict: Event | Refusal | None, cause: str, parent: Context | None) -> Span:
        span = self._tracing.start(
            f"process {self._logical(tp.topic)}",
            SpanKind.CONSUMER,
            cause,
            parent,
            {
                "messaging.system": "kafka",
                "messaging.operation.type": "process",
                "messaging.destination.name": tp.topic,
                "messaging.destination.partition.id": str(tp.partition),
                "messaging.kafka.offset": offset,
            },
        )
        if isinstance(verdict, Event):
            span.set_attributes({"restock.event.type": verdict.type, "restock.event.id": verdict.id})
        elif isinstance(verdict, Refusal):
            span.set_attribute("restock.refused", verdict.reason.value)
            span.set_status(StatusCode.ERROR, verdict.reason.value)
        self._spans.append(span)
        return span
