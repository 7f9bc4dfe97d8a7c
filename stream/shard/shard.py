"""A shard: all items of one ledger partition, and the loop that folds, publishes and saves checkpoints.

Publish first, then checkpoint: Redis never holds the effect of something that was not published. K is the point up to
which the journal says that outputs were published, R the offset up to which Redis holds the state. After any doubt the
shard is taken again. What lies between R and K is then replayed from the journal, and nothing of it is decided again.
"""

import asyncio
import uuid
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import length_hint
from time import monotonic
from typing import Any

from schemas.journal import Point, Published, Sealed
from schemas.ledger import Movement, Record, Ticked, decode_record
from stream.checkpoint.store import LAYOUT
from stream.consumer.batch import Batch
from stream.failpoints import failpoint
from stream.kafka.ledger import checksum
from stream.observability.output_lines import log_outputs
from stream.ports import NOWHERE, Cursor, LedgerView, Output, Place, Replay, ShardCore, Within
from stream.retry import until_answered
from stream.shard.checkpointing import CheckpointWriter
from stream.shard.dependencies import Ports
from stream.shard.replay import JournalReplay
from stream.shard.takeover import Takeover

CHUNK = 2000
"""With so many outputs a transaction is full."""
MOST_UNSAVED = 4_000
"""With so many kilobytes a checkpoint is full."""
TURN_SECONDS = 0.02
"""How long a shard folds before others get their turn."""
RENEW_SECONDS = 3600.0
"""How old the last record of a shard's journal may become."""
RUN = 64
"""Records that are folded before somebody looks at the time."""
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
        self._within: Within | None = None
        """How far that record is in the state all the same."""
        self._replay = JournalReplay(ports.journal, partition, 0, 0, 0)
        self._checkpoints = CheckpointWriter(partition, ports.store, ports.instruments, NOWHERE)
        self._caused: list[int] = []
        """Append times of the events whose outputs are not yet published."""
        self._last: bytes | None = None
        """The last record that was folded."""
        self._checksum = 0
        self._journal = self._journal_start = 0
        """The journal's own offsets after what we wrote last, and where replay began."""
        self._replayed_at = 0
        """The offset of the first record that no predecessor has published anything of."""
        self._sealed_at = monotonic()
        """When the journal was last written."""
        self._view = LedgerView("", 0, 0, 0)

    async def take(self, *, anew: bool = False) -> None:
        """Become the only owner, and stand where the last checkpoint stands; or at the start, if asked to."""
        taken = Takeover(self.partition, self.token, self._ports, self._version)
        await taken.run(self._publisher, anew=anew)
        self.core, self.next, self._within, self.published = taken.core, taken.next, taken.within, taken.published
        self._replay, self._view, self._checksum = taken.replay, taken.view, taken.checksum
        self._journal, self._journal_start, self._sealed_at = taken.journal, taken.journal_start, monotonic()
        self._replayed_at = taken.published.offset + (taken.published.step > 0)
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
        records = iter(batch.records)
        while self.next < batch.end:
            record, made = self._fold_some(records, batch.end)
            if record is not None:
                await self._collect(batch, record, made, outputs)
                self.next, self._within = self.next + 1, None
                self.movements += type(record) is not Ticked
            await self._save_some(batch, outputs)
            if monotonic() - turn > TURN_SECONDS:
                await asyncio.sleep(0)
                turn = monotonic()
        self._last = batch.records[-1].value
        if replaying:
            failpoint("replay.folded")
        failpoint("work.folded")
        if outputs:
            await self._publish(outputs, Point(self.next), None)

    async def _collect(
        self, batch: Batch, record: Record, made: Iterable[Output | None], outputs: list[Output]
    ) -> None:
        """Add what a record causes to the outputs; where it rests, publish and save what has become much."""
        for output in made:
            if output is not None:
                outputs.append(output)
                if type(record) is Movement:
                    self._caused.append(record.appended)
                continue
            self._within = self.core.within
            await asyncio.sleep(0)
            await self._save_some(batch, outputs)

    async def _save_some(self, batch: Batch, outputs: list[Output]) -> None:
        """Publish and save what has become much: neither a transaction nor a checkpoint may grow without bound."""
        too_much = self.core.unsaved >= MOST_UNSAVED
        if outputs and (too_much or len(outputs) >= CHUNK):
            step, done = (self._within.step, self._within.done) if self._within is not None else (0, None)
            await self._publish(outputs, Point(self.next, step), done if step else None)
            outputs.clear()
        if not too_much or not await self._checkpoints.make_room():
            return
        if self.next > batch.start:
            self._last = batch.records[self.next - 1 - batch.start].value
        self.save()
        if self._within is not None:
            failpoint("checkpoint.within")

    def _fold_some(self, records: Iterator[Any], end: int) -> tuple[Record | None, Iterable[Output | None]]:
        """Fold on, up to a record that may have outputs; answers with that record, which is the next, and with them.

        `records` knows how many are left in it, and the last of them ends at `end`: offsets are dense.
        """
        published = self.published
        if self._within is not None:
            return self._fold_next(records)
        if self.next > published.offset or (self.next == published.offset and published.step == 0):
            most, replay = RUN, None
        else:
            most, replay = min(RUN, published.offset - self.next, self._replay.upcoming - self.next), NO_ENTRIES
        if most <= 0:  # the journal speaks of the next record
            return self._fold_next(records)
        try:
            found = self.core.fold_run(islice(records, most), replay)
        except Exception:
            self.next = end - length_hint(records) - 1  # where it stumbled
            raise
        folded = end - length_hint(records) - self.next
        if replay is not None:
            self._instruments.counts["replayed"] += folded
        if found is None:
            self.next, self.movements = self.next + folded, self.movements + folded
            return None, ()
        self.next, self.movements = self.next + folded - 1, self.movements + folded - 1
        record, outputs = found
        return record, self._instruments.timed("review", outputs) if type(record) is Ticked else outputs

    def _fold_next(self, records: Iterator[Any]) -> tuple[Record, Iterable[Output | None]]:
        """Fold one record."""
        raw = next(records)
        record = decode_record(raw.value)
        return record, self._fold(record, raw)

    def _fold(self, record: Record, raw: Any) -> Iterable[Output | None]:
        """Fold one record: decide what follows from it, or replay its journal entries if it was published before."""
        replay, within = self._replay_of(raw.offset), self._within
        if within is not None:
            outputs = self.core.go_on(record, raw.offset, within, replay)
        else:
            outputs = self.core.fold(record, raw.offset, raw.timestamp, replay)
        return self._instruments.timed("review", outputs) if replay is None and type(record) is Ticked else outputs

    def _replay_of(self, offset: int) -> Replay | None:
        """What the journal says of the record at an offset; None where nothing of it was published."""
        published = self.published
        if offset > published.offset or (offset == published.offset and published.step == 0):
            return None
        self._instruments.counts["replayed"] += 1
        entries = self._replay.pop(offset)
        if offset < published.offset:
            return Replay(entries, whole=True) if entries else NO_ENTRIES
        return Replay(entries, whole=False, done=self._replay.done, step=published.step)

    async def _publish(self, outputs: Sequence[Output], end: Point, done: tuple[int, str] | None) -> None:
        """Publish outputs and their journal entries in one transaction; everything before `end` is published then."""
        entries = tuple(output.entry for output in outputs if output.entry is not None)
        record = Published(self.published, end, done, self._view.id, self._version, self.token, entries)
        failpoint("work.before_publish")
        with self._instruments.stage("publish"):
            self._journal = await self._publisher.publish(outputs, record)
        self.published, self._sealed_at = end, monotonic()
        self._instruments.has_published(self.partition)
        self._instruments.observe_latency(self._caused)
        self._caused = []
        log_outputs(outputs)
        failpoint("work.after_publish")

    # Checkpoints --------------------------------------------------------------------------------------------------

    @property
    def saved(self) -> Place:
        """R: where the last checkpoint stands, or NOWHERE."""
        return self._checkpoints.saved

    @property
    def saved_at(self) -> float:
        """When the last checkpoint was written, or the shard was taken."""
        return self._checkpoints.saved_at

    @property
    def unsaved(self) -> bool:
        """Whether something was folded that no checkpoint holds."""
        return self._place() != self._checkpoints.saved

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

    async def renew_seal(self) -> None:
        """Write to a journal that was quiet for long: retention must not delete all of it, which says what K is."""
        if monotonic() - self._sealed_at < RENEW_SECONDS:
            return
        saved = max(self.saved, Place(0))
        seal = Sealed(self.token, saved.next, self._view.id, self._version, self.published, saved.reviews)
        self._journal, self._sealed_at = await self._publisher.publish((), seal), monotonic()

    def _place(self) -> Place:
        return Place(self.next, self._within.count if self._within is not None else 0)

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
            journal=self._journal if self.next >= self._replayed_at else self._journal_start,
            within=self._within,
        )
