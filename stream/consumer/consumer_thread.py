"""Faust's consumer thread with one change: it reads whole record batches, and only where a reader wants them.

A batch states the offsets where it starts and ends, transaction markers and aborted records included, so that its
reader can distinguish missing records from offsets without any.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from time import monotonic
from typing import Any

import aiokafka
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from stream.consumer.batch import Batch
from stream.consumer.readers import Readers

FAUST = logging.getLogger("faust.transport")
"""Faust's services log under Faust's name."""
POLL_SECONDS = 0.02
"""How soon a partition is looked at again whose reader had no room."""
METADATA_MS = 10_000
"""How old the client's knowledge of topics may get: a topic that was made anew is noticed within this time."""


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Reads batches, in the thread where Faust keeps its consumer."""

    logger = FAUST

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._joining = ExitStack()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Count the client as alive until it has joined the group: it reads nothing meanwhile, and would give up."""
        self._joining.close()
        self._joining.enter_context(self._ensure_consumer()._subscription.fetch_context())
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Let the client watch again whether anything is read."""
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
            auto_offset_reset="earliest",  # a first guess: readers check every batch and seek
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
        fetcher, readers = consumer._fetcher, readers_of(self.app)
        deadline = monotonic() + (timeout or 0.0)
        while self.consumer.flow_active:
            if consumer._closed or fetcher._closed:
                raise ConsumerStoppedError
            consumer._coordinator.check_errors()  # after an error it rests until somebody asks
            if fetcher._fetch_task.done():
                fetcher._fetch_task.result()
            with fetcher._subscriptions.fetch_context():  # counts as alive, also while nothing is wanted
                batches = await _take(fetcher, {tp for tp in active_partitions if readers.wanted(tp)}, max_records)
            left = deadline - monotonic()
            if batches or left <= 0:
                return batches
            waiter = fetcher._create_fetch_waiter()
            await asyncio.wait([waiter], timeout=min(left, POLL_SECONDS))
            waiter.cancel()
        return {}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        consumer, of = self._ensure_consumer(), readers_of(self.app).of
        try:
            mine = consumer.assignment()
            named = {aiokafka.TopicPartition(*tp): (at, of(tp).name) for tp, at in offsets.items() if tp in mine}
            await consumer.commit(named)
        except (KafkaError, IllegalStateError) as error:
            self.log.info("Offsets stay uncommitted for now: %s", error)  # tried again at the next interval
            return False
        return True


def readers_of(app: Any) -> Readers:
    """The readers of our own Faust app; Faust's type of apps has none."""
    readers: Readers = app.readers
    return readers


async def _take(fetcher: Any, wanted: set[TP], max_records: int | None) -> dict[TP, list[Batch]]:
    """Take what has been fetched of these partitions; without waiting, so that no position moves in between."""
    subscriptions = fetcher._subscriptions
    if subscriptions.reassignment_in_progress:
        return {}
    states = {
        tp: subscriptions.subscription.assignment.state_value(tp) for tp in wanted if subscriptions.is_assigned(tp)
    }
    starts = {tp: state.position for tp, state in states.items() if state.has_valid_position}
    if not starts:
        return {}
    for tp in starts:
        _keep_records_as_they_are(fetcher._records.get(tp))
    records = await fetcher.fetched_records(starts.keys(), timeout=0, max_records=max_records)
    return {
        tp: [_batch(start, states[tp], records.get(tp, ()))]
        for tp, start in starts.items()
        if states[tp].position != start
    }


def _keep_records_as_they_are(fetched: Any) -> None:
    """Have what was fetched handed out as the client's decoder made it: its copy of each record costs more than that.

    A record has an offset, a timestamp, a key, a value and headers, as ours are read; topic and partition it lacks.
    """
    of_partition = getattr(fetched, "_partition_records", None)
    if of_partition is not None:
        of_partition._consumer_record = _itself


def _itself(_: Any, record: Any) -> Any:
    return record


def _batch(start: int, state: Any, records: Sequence[Any]) -> Batch:
    end: int = state.position
    return Batch(start, end, tuple(records), max(0, (state.lso or 0) - end))
