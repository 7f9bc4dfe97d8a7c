"""Spans of OpenTelemetry: what became of one event, from its producer through intake and its shard to the outputs.

Only a worker whose settings ask for traces imports this module. A span is a function of its cause, as an output is: its
id is a hash of the cause's place in Kafka. So what a worker reads or folds again after a crash makes the same span once
more and not another one, and whether a trace is kept does not depend on who asks.

>>> header = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
>>> parent = parent_of([("traceparent", header)])
>>> f"{trace.get_current_span(parent).get_span_context().trace_id:032x}"
'0af7651916cd43dd8448eb211c80319c'
>>> parent_of([("traceparent", b"?")]) is None
True
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import xxhash
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_ON,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes, AttributeValue

from schemas.envelope import Headers
from stream import VERSION

HEADER = "traceparent"
MOST_LINKS = 32
"""Orders that a decision is linked to: the newest since the item's last review."""
MOST_ITEMS = 10_000
"""Items whose orders are remembered for that."""
_w3c = TraceContextTextMapPropagator()


class CausedIds(IdGenerator):
    """Ids of spans and traces, made from what causes them."""

    cause = ""

    def generate_span_id(self) -> int:
        """The id of the cause's span."""
        return xxhash.xxh3_64_intdigest(self.cause.encode()) or 1

    def generate_trace_id(self) -> int:
        """The id of the trace that begins here."""
        return xxhash.xxh3_128_intdigest(self.cause.encode()) or 1


class _ShareOrLinked(Sampler):
    """Keeps a share of the traces that begin here, and every review of an item with an order whose trace is kept."""

    def __init__(self, by_share: Sampler) -> None:
        self._by_share = by_share

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide whether a trace is kept."""
        linked = any(link.context.trace_flags.sampled for link in links or ())
        sampler = ALWAYS_ON if linked else self._by_share
        return sampler.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """Name the sampler."""
        return f"linked, or {self._by_share.get_description()}"


class Tracing:
    """Makes the spans of one worker."""

    def __init__(self, processor: SpanProcessor, service: str, share: float) -> None:
        self._ids = CausedIds()
        self._by_share = TraceIdRatioBased(share)
        resource = Resource.create({"service.name": service, "service.version": VERSION})
        self._provider = TracerProvider(
            sampler=ParentBased(_ShareOrLinked(self._by_share)),
            resource=resource,
            id_generator=self._ids,
            shutdown_on_exit=False,  # the worker does it, and gives up in time
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("restock", VERSION)
        self._orders: OrderedDict[str, dict[int, SpanContext]] = OrderedDict()
        """Per item the spans of its newest orders since its last review."""

    def begins(self, cause: str) -> bool:
        """Whether a trace that begins with this cause is kept: a quick look, for the many that are not."""
        self._ids.cause = cause
        asked = self._by_share.should_sample(None, self._ids.generate_trace_id(), "")
        return asked.decision is Decision.RECORD_AND_SAMPLE

    def start(
        self,
        name: str,
        kind: SpanKind,
        cause: str,
        parent: Context | None,
        attributes: Mapping[str, AttributeValue],
        links: Sequence[Link] = (),
        began_ns: int | None = None,
    ) -> Span:
        """Begin a span, in a trace of its own if it has no parent; one that nobody ends is never exported."""
        self._ids.cause = cause
        return self._tracer.start_span(name, parent or Context(), kind, attributes, links, began_ns)

    def ordered(self, item: str, span: Span) -> None:
        """Remember an order of an item until the item's next review."""
        orders = self._orders.setdefault(item, {})
        self._orders.move_to_end(item)
        context = span.get_span_context()
        orders[context.span_id] = context
        if len(orders) > MOST_LINKS:
            del orders[next(iter(orders))]
        if len(self._orders) > MOST_ITEMS:
            self._orders.popitem(last=False)

    def links(self, item: str) -> list[Link]:
        """Links to the orders of an item since its last review."""
        return [Link(context) for context in self._orders.get(item, {}).values()]

    def reviewed(self, item: str) -> None:
        """Forget the orders before a review."""
        self._orders.pop(item, None)

    def close(self) -> None:
        """Export what has not been exported."""
        self._provider.shutdown()


def parent_of(headers: Headers, attribute: str | None = None) -> Context | None:
    """The span that a record names as its parent: in a W3C header, else in the event's own attribute."""
    given = next((value for name, value in headers or () if name == HEADER), None)
    text = given.decode("latin-1") if given is not None else attribute
    if not text:
        return None
    found = _w3c.extract({HEADER: text}, Context())
    return found if trace.get_current_span(found).get_span_context().is_valid else None


def traceparent(span: Span) -> str:
    """Name a span as W3C writes it."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags & 1:02x}"


def inside(span: Span) -> Context:
    """The context of whatever happens within a span."""
    return trace.set_span_in_context(span, Context())
