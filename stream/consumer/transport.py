"""Faust's transport with two changes: a message is a whole record batch, and the application owns the positions.

One fetch of one partition becomes one Faust message whose value is a `Batch`. Every batch says from where to where
it reaches, transaction markers and aborted records included, so that its reader can tell a gap from nothing; Faust
drops fetched records around rebalances, and whoever sees a batch that does not start where the last one ended seeks
back. Nothing is read from a partition before the application wants it: a slow shard holds back only itself.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from time import monotonic
from typing import Any, NamedTuple, Protocol

import aiokafka
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

FAUST = logging.getLogger("faust.transport")
"""What Faust's services say of themselves is Faust's."""
POLL_SECONDS = 0.02
"""How soon a partition that was not wanted is looked at again."""
METADATA_MS = 10_000
"""How old it may get what is known of topics: one that was made anew is missed no longer than this."""


class Batch(NamedTuple):
    """The records of [start, end) of one partition; fewer than end - start where markers or aborted records lie."""

    start: int
    end: int
    records: Sequence[Any]
    """They have an offset, a timestamp, a value; and where a source was read key and headers too."""
    left: int = 0
    """How many offsets there were beyond its end when it was read."""


class Committed(NamedTuple):
    """What a group has committed of a partition."""

    offset: int
    name: str
    """Of the feed it was committed for: under the same topic name it may have been another topic."""


class Positions(Protocol):
    """What the transport asks of the application."""

    async def assigned(self, partitions: frozenset[TP]) -> None:
        """These partitions are ours now: seek those whose position is known, find out about the others."""
        ...

    async def kept(self, partitions: frozenset[TP]) -> None:
        """Whatever is not among these belongs to somebody else now."""
        ...

    def handed(self, partition: TP) -> None:
        """A batch of this partition is on its way."""
        ...

    def wanted(self, partition: TP) -> bool:
        """Whether records of this partition may be handed over now; called from the consumer's thread."""
        ...

    def committable(self, partition: TP) -> int | None:
        """The offset below which everything is safe elsewhere; None where nothing is committed."""
        ...

    def name(self, partition: TP) -> str:
        """What a commit of this partition is marked with."""
        ...


class _NoReadOffsets(dict[TP, int | None]):
    """Faust drops what it believes to have read; positions are the application's, so it shall believe nothing."""

    def __getitem__(self, key: TP) -> None:
        return None

    def __setitem__(self, key: TP, value: int | None) -> None:
        return None


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Reads batches in the thread where Faust keeps its consumer."""

    logger = FAUST

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._joining = ExitStack()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Nothing is read until the group is joined: its client must not take that for idleness and never join."""
        self._joining.close()
        self._joining.enter_context(self._ensure_consumer()._subscription.fetch_context())
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """From here on it is the application's turn to read."""
        self._joining.close()
        await super().on_partitions_assigned(assigned, generation_id)

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        self._assignor = RoundRobinPartitionAssignor
        return aiokafka.AIOKafkaConsumer(
            group_id=conf.id,
            client_id=conf.broker_client_id,
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # a first guess: what is read is checked against the wanted position
            isolation_level="read_committed",
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_wait_ms=transport.fetch_wait_ms,
            metadata_max_age_ms=METADATA_MS,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int((conf.broker_rebalance_timeout or conf.broker_session_timeout) * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            **transport.client_options,
        )

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: Iterable[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - the overridden method's signature
        max_records: int | None = None,
    ) -> dict[TP, list[Batch]]:
        fetcher, positions = consumer._fetcher, _positions(self.app)
        deadline = monotonic() + (timeout or 0.0)
        while self.consumer.flow_active:
            if consumer._closed or fetcher._closed:
                raise ConsumerStoppedError
            consumer._coordinator.check_errors()  # it does nothing more until it is asked
            if fetcher._fetch_task.done():
                fetcher._fetch_task.result()
            with fetcher._subscriptions.fetch_context():  # alive, also while nothing is wanted
                batches = await _take(fetcher, {tp for tp in active_partitions if positions.wanted(tp)}, max_records)
            left = deadline - monotonic()
            if batches or left <= 0:
                return batches
            waiter = fetcher._create_fetch_waiter()
            await asyncio.wait([waiter], timeout=min(left, POLL_SECONDS))
            waiter.cancel()
        return {}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        consumer, name = self._ensure_consumer(), _positions(self.app).name
        try:
            mine = consumer.assignment()
            named = {aiokafka.TopicPartition(*tp): (at, name(tp)) for tp, at in offsets.items() if tp in mine}
            await consumer.commit(named)
        except (KafkaError, IllegalStateError) as error:
            self.log.info("Offsets stay uncommitted for now: %s", error)  # tried again at the next interval
            return False
        return True


def _positions(app: Any) -> Positions:
    """Those of our own app; Faust's apps know of none."""
    positions: Positions = app.positions
    return positions


async def _take(fetcher: Any, wanted: set[TP], max_records: int | None) -> dict[TP, list[Batch]]:
    """Take what was fetched of the wanted partitions, without waiting, so that no position moves in between."""
    subscriptions = fetcher._subscriptions
    if subscriptions.reassignment_in_progress:
        return {}
    states = {
        tp: subscriptions.subscription.assignment.state_value(tp) for tp in wanted if subscriptions.is_assigned(tp)
    }
    starts = {tp: state.position for tp, state in states.items() if state.has_valid_position}
    if not starts:
        return {}
    records = await fetcher.fetched_records(starts.keys(), timeout=0, max_records=max_records)
    return {
        tp: [_batch(start, states[tp], records.get(tp, ()))]
        for tp, start in starts.items()
        if states[tp].position != start
    }


def _batch(start: int, state: Any, records: Sequence[Any]) -> Batch:
    end: int = state.position
    return Batch(start, end, tuple(records), max(0, (state.lso or 0) - end))


class Consumer(driver.Consumer):
    """Hands the application its batches, and asks it for positions."""

    logger = FAUST

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _NoReadOffsets()
        self._positioning: set[asyncio.Task[None]] = set()

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: Batch) -> ConsumerMessage:
        _positions(self.app).handed(tp)
        value: Any = record  # Faust believes in bytes
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            record.end - 1,
            record.records[-1].timestamp / 1000 if record.records else 0.0,
            0,
            None,
            None,
            value,
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    def _new_offset(self, tp: TP) -> int | None:
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return _positions(self.app).committable(tp)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        """Every partition that is ours: Faust forgets around rebalances what was done and not yet committed."""
        return (tp for tp in self.assignment() if topics is None or tp in topics or tp.topic in topics)

    def _should_commit(self, tp: TP, offset: int) -> bool:
        """Whatever is new, also if it is less than before: in a topic made anew offsets start again."""
        return bool(offset != self._committed_offset[tp])

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:  # noqa: FBT001, FBT002 - Faust's signature
        """Faust takes offsets for committed whatever came of it; what was not is tried again at the next interval."""
        done = await super()._commit_offsets(offsets, start_new_transaction)
        if not done:
            for tp in offsets:
                self._committed_offset.pop(tp, None)
        return bool(done)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Gaps are normal: batches, markers, aborted records."""

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Tell the application first what it has lost: Faust seeks only where something was won."""
        await _positions(self.app).kept(frozenset(assigned))
        await super().on_partitions_assigned(assigned, generation_id)

    async def verify_all_partitions_active(self) -> None:
        """Faust takes a partition whose offset it does not commit for a stuck one; the ledger's never is."""

    async def perform_seek(self) -> None:
        """Let the application position what was assigned; what takes long goes on beside the reading.

        Faust waits for it as long as for one answer of a broker. It takes more for its own end and reads nothing any
        more, without a word. What is read meanwhile from a wrong position is sought back.
        """
        positioning = asyncio.create_task(_positions(self.app).assigned(frozenset(self.assignment())))
        self._positioning.add(positioning)
        positioning.add_done_callback(self._positioned)
        seconds = self.app.conf.broker_request_timeout / 4
        await asyncio.wait([positioning], timeout=seconds)
        if not positioning.done():
            self.log.warning("Not everything was positioned within %g s of a rebalance: reading goes on", seconds)

    def _positioned(self, positioning: asyncio.Task[None]) -> None:
        self._positioning.discard(positioning)
        if not positioning.cancelled() and (bug := positioning.exception()) is not None:
            self.app._crash(bug)

    async def seek_to_committed(self) -> dict[TP, int]:
        """Faust's other name for the same."""
        await self.perform_seek()
        return {}

    def stands(self, partition: TP) -> int | None:
        """The offset that will be read next, None where it is not known."""
        state = self._state(partition)
        return state.position if state is not None and state.has_valid_position else None

    def end(self, partition: TP) -> int | None:
        """The end of what may be read, as the last fetch found it."""
        state = self._state(partition)
        return None if state is None else state.lso

    async def committed(self, partition: TP) -> Committed | None:
        """What this group has committed."""
        thread, consumer = self._thread, self._thread._ensure_consumer()
        found = await thread.call_thread(consumer._coordinator.fetch_committed_offsets, [partition])
        at = found.get(partition)
        if at is None or at.offset < 0:
            return None
        return Committed(at.offset, (at.metadata or "").rstrip("\0"))  # confluent-kafka writes the end of a C string

    async def bounds(self, partition: TP) -> tuple[int, int]:
        """The first offset there is, and the one after the last."""
        thread, consumer = self._thread, self._thread._ensure_consumer()
        starts = await thread.call_thread(consumer.beginning_offsets, [partition])
        ends = await thread.call_thread(consumer.end_offsets, [partition])
        return starts[partition], ends[partition]

    async def ends(self, partitions: Iterable[TP]) -> dict[TP, int]:
        """The ends of these partitions, asked of the broker now."""
        thread = self._thread
        found = await thread.call_thread(thread._ensure_consumer().end_offsets, list(partitions))
        return {TP(*tp): offset for tp, offset in found.items()}

    def _state(self, partition: TP) -> Any:
        consumer = self._thread._consumer
        subscriptions = consumer and consumer._subscription
        if not subscriptions or not subscriptions.is_assigned(partition):
            return None
        return subscriptions.subscription.assignment.state_value(partition)

    async def move(self, partition: TP, offset: int) -> None:
        """Read this partition from `offset` on, if it is still ours."""
        if partition in self.assignment():
            try:
                await self.seek_wait({partition: offset})
            except IllegalStateError:
                self.log.info("%s left before it could be positioned", partition)


def batch_of(message: Any) -> tuple[TP, Batch]:
    """What a message of this transport carries, and of which partition."""
    return TP(message.topic, message.partition), message.value


class Transport(driver.Transport):
    """Named by the application as its transport."""

    Consumer = Consumer
    client_options: Mapping[str, Any]
    fetch_wait_ms: int = 20
