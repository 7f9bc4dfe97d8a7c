"""A shard: all items of one ledger partition, and the loop that folds, publishes and saves checkpoints.

Publish first, then checkpoint: Redis never holds the effect of something that was not published. K is the point up to
which the journal says that outputs were published, R the offset up to which Redis holds the state. After any doubt the
shard is taken again. What lies between R and K is then replayed from the journal, and nothing of it is decided again.
"""

import asyncio
import uuid
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Any

from schemas.journal import Point, Published
from schemas.ledger import Movement, Record, Ticked, decode_record
from stream.checkpoint.store import LAYOUT
from stream.consumer.batch import Batch
from stream.failpoints import failpoint
from stream.kafka.ledger import checksum
from stream.observability.output_lines import log_outputs
from stream.ports import Cursor, LedgerView, Output, Replay, ShardCore
from stream.retry import until_answered
from stream.shard.checkpointing import CheckpointWriter
from stream.shard.dependencies import Ports
from stream.shard.replay import JournalReplay
from stream.shard.takeover import Takeover

CHUNK = 2000
"""Outputs of one transaction, unless one item has more."""
TURN_SECONDS = 0.02
"""How long a shard folds before others get their turn."""
NO_ENTRIES = Replay(entries=(), whole=True)


class Shard:
    """One owner's hold on a shard, from taking it to losing it; every hold is a new object."""

    core: ShardCore

    def __init__(self, partition: int, ports: Ports, version: str) -> None:
        self.partition = partition
        self.token = uuid.uuid4().hex
        self.next = 0
        """The offset of the next record to fold."""
        self.published = Point(0)
        """K: everything before it is published."""
        self.movements = 0
        """How many records other than ticks were folded."""
        self._ports = ports
        self._instruments = ports.instruments
        self._version = version
        self._publisher = ports.publisher(partition)
        self._replay = JournalReplay(ports.journal, partition, 0, 0, 0)
        self._checkpoints = CheckpointWriter(partition, ports.store, ports.instruments, -1)
        self._caused: list[int] = []
        """Append times of the events whose outputs are not yet published."""
        self._last: bytes | None = None
        """The last record that was folded."""
        self._checksum = 0
        self._view = LedgerView("", 0, 0, 0)

    async def take(self, *, anew: bool = False) -> None:
        """Become the only owner, and stand where the last checkpoint stands; or at the start, if asked to."""
        taken = Takeover(self.partition, self.token, self._ports, self._version)
        await taken.run(self._publisher, anew=anew)
        self.core, self.next, self.published = taken.core, taken.next, taken.published
        self._replay, self._view, self._checksum = taken.replay, taken.view, taken.checksum
        self._checkpoints = CheckpointWriter(self.partition, self._ports.store, self._instruments, taken.saved)

    async def close(self) -> None:
        """Let go without writing a checkpoint: the next owner goes on from the last one and the journal."""
        await self._checkpoints.close()
        await self._publisher.close()

    # Working ------------------------------------------------------------------------------------------------------

    def continuation(self, batch: Batch) -> Batch | None:
        """The part of a batch that comes next; None if there is none or a record is missing: offsets are dense."""
        if not batch.start <= self.next < batch.end or len(batch.records) != batch.end - batch.start:
            return None
        return batch._replace(start=self.next, records=batch.records[self.next - batch.start :])

    async def work(self, batch: Batch) -> None:
        """Fold a batch and publish its outputs."""
        self._instruments.batch.observe(len(batch.records))
        outputs: list[Output] = []
        replaying, turn = batch.start < self.published.offset, monotonic()
        if batch.start <= self.published.offset:
            await until_answered(lambda: self._replay.reach(batch.end))
        for raw in batch.records:
            record = decode_record(raw.value)
            self._last = raw.value
            for output in self._fold(record, raw):
                if output is None:
                    await asyncio.sleep(0)
                    continue
                if len(outputs) >= CHUNK and _cause(output) != _cause(outputs[-1]):
                    await self._publish(outputs, output.at, outputs[-1].review if output.at.step else None)
                    outputs = []
                outputs.append(output)
                if type(record) is Movement:
                    self._caused.append(record.appended)
            self.next = raw.offset + 1
            self.movements += type(record) is not Ticked
            if monotonic() - turn > TURN_SECONDS:
                await asyncio.sleep(0)
                turn = monotonic()
        if replaying:
            failpoint("replay.folded")
        failpoint("work.folded")
        if outputs:
            await self._publish(outputs, Point(self.next), None)

    def _fold(self, record: Record, raw: Any) -> Iterable[Output | None]:
        """Fold one record: decide what follows from it, or replay its journal entries if it was published before."""
        published, offset, appended = self.published, raw.offset, raw.timestamp
        if offset > published.offset or (offset == published.offset and published.step == 0):
            outputs = self.core.fold(record, offset, appended, None)
            return self._instruments.timed("review", outputs) if type(record) is Ticked else outputs
        self._instruments.counts["replayed"] += 1
        entries = self._replay.pop(offset)
        if offset < published.offset:
            replay = Replay(entries, whole=True) if entries else NO_ENTRIES
        else:
            replay = Replay(entries, whole=False, done=self._replay.done, step=published.step)
        return self.core.fold(record, offset, appended, replay)

    async def _publish(self, outputs: Sequence[Output], end: Point, done: tuple[int, str] | None) -> None:
        """Publish outputs and their journal entries in one transaction; everything before `end` is published then."""
        entries = tuple(output.entry for output in outputs if output.entry is not None)
        record = Published(self.published, end, done, self._view.id, self._version, self.token, entries)
        failpoint("work.before_publish")
        with self._instruments.stage("publish"):
            await self._publisher.publish(outputs, record)
        self.published = end
        self._instruments.has_published(self.partition)
        self._instruments.observe_latency(self._caused)
        self._caused = []
        log_outputs(outputs)
        failpoint("work.after_publish")

    # Checkpoints --------------------------------------------------------------------------------------------------

    @property
    def saved(self) -> int:
        """R: the offset at which the last checkpoint stands; -1 where there is none."""
        return self._checkpoints.saved

    @property
    def saved_at(self) -> float:
        """When the last checkpoint was written, or the shard was taken."""
        return self._checkpoints.saved_at

    @property
    def unsaved(self) -> bool:
        """Whether something was folded that no checkpoint holds."""
        return self.next != self._checkpoints.saved

    @property
    def worth_saving(self) -> bool:
        """Whether a shard with a backlog should save now: it costs little compared with the folding, or it is late."""
        return self._checkpoints.worth(self.next)

    def save(self) -> asyncio.Task[None] | None:
        """Encode what has changed and write it while folding goes on; None when there is nothing to save.

        One checkpoint is written at a time: while one is underway, that one is returned.
        """
        if (underway := self._checkpoints.underway()) is not None:
            return underway
        if not self.unsaved:
            return None
        return self._checkpoints.write(self._cursor(), self.core.changes())

    async def save_all(self) -> None:
        """Write checkpoints until nothing is left to save."""
        while (saving := self.save()) is not None:
            await saving

    def _cursor(self) -> Cursor:
        if self._last is not None:
            self._checksum = checksum(self._last)
        return Cursor(
            token=self.token,
            next=self.next,
            published=self.published,
            ledger=self._view.id,
            partitions=self._view.partitions,
            checksum=self._checksum,
            layout=LAYOUT,
            version=self._version,
        )


def _cause(output: Output) -> tuple[int, tuple[int, str] | None]:
    """What an output belongs to: transactions are cut only between these."""
    return output.at.offset, output.review
