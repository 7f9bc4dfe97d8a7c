"""Faust's transport with two changes: a message is a whole record batch, and readers decide from where to read.

One fetch of one partition becomes one Faust message whose value is a `Batch`. Faust drops fetched records around
rebalances, so a reader that gets a batch which does not start where the last one ended seeks back. Nothing is read from
a partition before its reader wants it: a slow shard holds back only itself.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aiokafka.errors import IllegalStateError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from stream.consumer.batch import Batch, Committed
from stream.consumer.consumer_thread import FAUST, ConsumerThread, readers_of


class _NoReadOffsets(dict[TP, int | None]):
    """Remembers no offset: Faust would drop records that it believes to have read, but readers decide that."""

    def __getitem__(self, key: TP) -> None:
        return None

    def __setitem__(self, key: TP, value: int | None) -> None:
        return None


class Consumer(driver.Consumer):
    """Hands batches to the readers, and asks them for positions."""

    logger = FAUST

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _NoReadOffsets()
        self._positioning: set[asyncio.Task[None]] = set()

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: Batch) -> ConsumerMessage:
        readers_of(self.app).of(tp).handed()
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
        return readers_of(self.app).of(tp).committable

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        """Return every partition that is ours: around rebalances Faust forgets some that have offsets to commit."""
        return (tp for tp in self.assignment() if topics is None or tp in topics or tp.topic in topics)

    def _should_commit(self, tp: TP, offset: int) -> bool:
        """Commit any new offset, even one below the last: in a topic made anew offsets start again."""
        return bool(offset != self._committed_offset[tp])

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:  # noqa: FBT001, FBT002 - Faust's signature
        """Forget offsets whose commit failed, so that the next interval tries again: Faust counts them as done."""
        done = await super()._commit_offsets(offsets, start_new_transaction)
        if not done:
            for tp in offsets:
                self._committed_offset.pop(tp, None)
        return bool(done)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Ignore gaps: batches, markers and aborted records make them all the time."""

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Let the readers of lost partitions go first: Faust seeks only when partitions were added."""
        await readers_of(self.app).kept(frozenset(assigned))
        await super().on_partitions_assigned(assigned, generation_id)

    async def verify_all_partitions_active(self) -> None:
        """Check nothing: a partition without commits looks stuck to Faust, and the ledger's never has any."""

    async def perform_seek(self) -> None:
        """Let the readers seek what was assigned, and go on reading when that takes long.

        If this took longer than one answer of a broker may, Faust would stop reading for good, without a log line.
        What is read from a wrong position meanwhile is rejected by its reader, which seeks back.
        """
        positioning = asyncio.create_task(readers_of(self.app).assigned(frozenset(self.assignment())))
        self._positioning.add(positioning)
        positioning.add_done_callback(self._positioned)
        seconds = self.app.conf.broker_request_timeout / 4
        await asyncio.wait([positioning], timeout=seconds)
        if not positioning.done():
            self.log.warning("Some partitions are not positioned %g s after a rebalance: reading goes on", seconds)

    def _positioned(self, positioning: asyncio.Task[None]) -> None:
        self._positioning.discard(positioning)
        if not positioning.cancelled() and (bug := positioning.exception()) is not None:
            self.app._crash(bug)

    async def seek_to_committed(self) -> dict[TP, int]:
        """Do the same as `perform_seek`: Faust calls either."""
        await self.perform_seek()
        return {}

    def next_offset(self, partition: TP) -> int | None:
        """The offset that is read next, None where it is not known."""
        state = self._state(partition)
        return state.position if state is not None and state.has_valid_position else None

    def end(self, partition: TP) -> int | None:
        """The end of what may be read, as the last fetch found it; None where there was none."""
        state = self._state(partition)
        return None if state is None else state.lso

    async def committed(self, partition: TP) -> Committed | None:
        """What this group has committed for a partition."""
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
        """Ask the broker for the ends of these partitions now."""
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


class Transport(driver.Transport):
    """The transport of our Faust app."""

    Consumer = Consumer
    client_options: Mapping[str, Any]
    fetch_wait_ms: int = 20
