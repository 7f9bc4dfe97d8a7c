"""A shard with spans: of each movement that is folded, each review, and each output until it is published.

A movement's span continues the one that its ledger record names in a header; without a header there is none. A review
begins a trace, linked to the orders since the last one. What is replayed makes no spans. The span of an output ends
when its transaction is committed, and its name goes along in a header: no output says another thing for being traced.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from opentelemetry.trace import Link, Span, SpanKind

from schemas.journal import Point
from schemas.ledger import Movement, Placed, Record, Ticked
from stream.observability.tracing import Tracing, inside, parent_of, traceparent
from stream.ports import Output
from stream.shard.dependencies import Ports
from stream.shard.shard import Shard


class TracedShard(Shard):
    """A shard of a worker that makes spans."""

    def __init__(self, tracing: Tracing, partition: int, ports: Ports, version: str) -> None:
        super().__init__(partition, ports, version)
        self._tracing = tracing
        self._unpublished: dict[Point, Span] = {}
        """The spans of outputs, by the outputs' points."""

    def _fold_some(self, records: Iterator[Any], end: int) -> tuple[Record | None, Iterable[Output | None]]:  # noqa: ARG002 - each record by itself
        return self._fold_next(records)

    def _fold(self, record: Record, raw: Any) -> Iterable[Output | None]:
        replayed = raw.offset < self.published.offset
        if type(record) is Ticked and not replayed:
            return self._wake(super()._fold(record, raw))
        parent = None if replayed else parent_of(raw.headers)
        if parent is None:
            return super()._fold(record, raw)
        attributes: dict[str, str | int] = {"restock.shard": self.partition, "restock.ledger.offset": raw.offset}
        if isinstance(record, Movement):
            attributes["restock.item"], attributes["restock.change"] = record.item, type(record.change).__name__
        span = self._tracing.start("fold", SpanKind.INTERNAL, self._name("fold", raw.offset), parent, attributes)
        if isinstance(record, Movement) and isinstance(record.change, Placed):
            self._tracing.ordered(record.item, span)
        return self._follow(super()._fold(record, raw), span)

    def _follow(self, outputs: Iterable[Output | None], span: Span) -> Iterator[Output | None]:
        """Pass on what a movement causes."""
        for output in outputs:
            if output is None:
                yield None
                continue
            decided = output.topic == "replenishments"
            yield self._announce(output, span, self._tracing.links(output.item) if decided else ())
        span.end()

    def _wake(self, outputs: Iterable[Output | None]) -> Iterator[Output | None]:
        """Pass on what reviews and other wake-ups cause: one span for each."""
        span: Span | None = None
        review, began = None, time.time_ns()
        for output in outputs:
            if output is None:
                yield None
                began = time.time_ns()
                continue
            if span is None or output.review != review:
                if span is not None:
                    span.end(began)
                review = output.review
                span = self._begin_wake_up(output, began)
            if output.topic == "reviews":
                span.update_name("review")
                self._tracing.reviewed(output.item)
            yield self._announce(output, span) if span.is_recording() else output
            began = time.time_ns()
        if span is not None:
            span.end(began)

    def _begin_wake_up(self, output: Output, began_ns: int) -> Span:
        cause = self._name("wake-up", output.at.offset, *(output.review or ()))
        attributes: dict[str, str | int] = {"restock.shard": self.partition, "restock.item": output.item}
        links = self._tracing.links(output.item)
        return self._tracing.start("wake-up", SpanKind.INTERNAL, cause, None, attributes, links, began_ns)

    def _announce(self, output: Output, parent: Span, links: Sequence[Link] = ()) -> Output:
        """Begin the span of an output, and let the output name it."""
        identity = getattr(output.event, "id", None) or self._name("output", output.at.offset, output.at.step)
        attributes = {
            "messaging.system": "kafka",
            "messaging.operation.type": "send",
            "messaging.destination.name": output.topic,
            "restock.item": output.item,
            "restock.output.id": identity,
        }
        name = f"publish {output.topic}"
        span = self._tracing.start(name, SpanKind.PRODUCER, identity, inside(parent), attributes, links)
        self._unpublished[output.at] = span
        return msgspec.structs.replace(output, traceparent=traceparent(span))

    async def _publish(self, outputs: Sequence[Output], end: Point, done: tuple[int, str] | None) -> None:
        await super()._publish(outputs, end, done)
        for output in outputs:
            if (span := self._unpublished.pop(output.at, None)) is not None:
                span.end()

    def _name(self, kind: str, *place: object) -> str:
        """Name a cause in this shard's ledger."""
        return "/".join(map(str, (kind, self._view.id, self.partition, *place)))
