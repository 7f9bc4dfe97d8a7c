"""A shard: all items of one ledger partition, and the loop that loads, folds, publishes, checkpoints.

Publish first, then checkpoint: Redis never holds the effect of something that was not told. K is the point up to which
the journal says that outputs were published, R the offset up to which Redis remembers. After any doubt the shard is
taken anew, and what lies between R and K is replayed from the journal without deciding anything.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterable, Sequence
from time import monotonic

import msgspec

from schemas.journal import Point, Published, Sealed
from schemas.ledger import Movement, Record, Ticked, decode_record
from stream.checkpoint.store import LAYOUT
from stream.consumer.transport import Batch
from stream.failpoints import failpoint
from stream.faults import Parked, Torn
from stream.kafka.ledger import checksum
from stream.observability.instruments import Instruments
from stream.ports import (
    Cursor,
    Held,
    Journal,
    JournalView,
    LedgerPort,
    LedgerView,
    Output,
    Publisher,
    Replay,
    ShardCore,
    Store,
    Tables,
)
from stream.retry import until_answered
from stream.shard.lineage import ANEW, refuse_strange, same_history
from stream.shard.replay import JournalReplay

logger = logging.getLogger(__name__)

CHUNK = 2000
"""Outputs of one transaction, unless one item has more."""
TURN_SECONDS = 0.02
"""How long a shard folds before others get their turn."""
WORTH = 20
"""Records that a shard with a backlog folds for each item that it encodes: of very many items, nearly every record
would else be encoded with its item, again and again."""
MOST_SECONDS = 60.0
"""Between two checkpoints whatever they cost: what is lost with a crash is folded again."""
NOTHING_TOLD = Replay(entries=(), whole=True)


class Ports(msgspec.Struct, frozen=True):
    """What a shard leans on."""

    core: Callable[[int], ShardCore]
    store: Store
    publisher: Callable[[int], Publisher]
    journal: Journal
    ledger: LedgerPort
    watch: Instruments


class Shard:
    """One owner's hold on a shard, from taking it to losing it; made anew each time."""

    def __init__(self, partition: int, ports: Ports, version: str) -> None:
        self.partition = partition
        self.token = uuid.uuid4().hex
        self.core = ports.core(partition)
        self.next = 0
        """The offset of the next record to fold."""
        self.saved = -1
        """R: where the checkpoint stands; -1 where there is none."""
        self.published = Point(0)
        """K: everything before it has been told."""
        self.movements = 0
        """Records folded that are no ticks."""
        self.saved_at = monotonic()
        self._encoded = 0
        """Items in the last checkpoint."""
        self._ports = ports
        self._watch = ports.watch
        self._version = version
        self._publisher = ports.publisher(partition)
        self._retelling = JournalReplay(ports.journal, partition, 0, 0, 0)
        self._caused: list[int] = []
        """Append times of the events whose outputs are not yet told."""
        self._last: bytes | None = None
        self._checksum = 0
        self._view = LedgerView("", 0, 0, 0)
        self._saving: asyncio.Task[None] | None = None

    # Taking -------------------------------------------------------------------------------------------------------

    async def take(self, *, anew: bool = False) -> None:
        """Become the only owner, and stand where the last one's checkpoint stands; or at the start, if asked to."""
        logger.info("Taking shard %d", self.partition)
        await self._publisher.open()  # fences the old publisher
        failpoint("take.fenced_publisher")
        held = await self._ports.store.acquire(self.partition, self.token)  # fences the old writer
        failpoint("take.acquired")
        cursor = held.cursor if held else None
        journal = await self._look(cursor)
        self._view = await self._ports.ledger.view(self.partition)  # last: the others may be ahead of an older one
        self.published = journal.last.end if journal.last else Point(0)
        refuse_strange(self.partition, self._view, cursor, journal)
        failpoint("take.read_journal")
        known = held is not None and not anew and await self._trusts(held, journal) and await self._load(held.cursor)
        self._remember(journal if known else await self._start_over())
        failpoint("take.before_seal")
        await self._publisher.publish((), self._seal())
        failpoint("take.sealed")
        logger.info(
            "Took shard %d: checkpoint %d, published %s, ledger ends %d",
            self.partition, self.next, self.published.offset, self._view.end,
        )  # fmt: skip

    async def _trusts(self, held: Held, journal: JournalView) -> bool:
        """Whether the checkpoint is whole, ours to read, and part of the history that the journal tells."""
        cursor = held.cursor
        self._watch.counts["torn"] += not held.whole
        whole = held.whole and journal.whole
        if not whole or cursor.layout != LAYOUT or not same_history(cursor, journal):
            logger.warning("Shard %d: the checkpoint is torn or of another history; rebuilding", self.partition)
            return False
        if cursor.next == self._view.start:  # retention took what was applied, and nothing else
            return True
        if await self._ports.ledger.checksum(self.partition, cursor.next - 1) != cursor.checksum:
            raise Parked(
                f"shard {self.partition}: ledger record {cursor.next - 1} is not the one that was applied: "
                f"restore the ledger, or accept it as it is with `restock rebuild --shard {self.partition}`"
            )
        return True

    async def _start_over(self) -> JournalView:
        whole = await self._look(None)
        if self._view.start > 0 or not whole.whole:
            raise Parked(
                f"shard {self.partition}: there is no checkpoint and ledger or journal no longer reach back to their "
                f"start: restore a Redis snapshot of it, or {ANEW}"
            )
        await self._ports.store.reset(self.partition, self.token)  # only now: it may be the last there is
        self.core, self.next, self.saved = self._ports.core(self.partition), 0, -1
        failpoint("take.reset")
        return whole

    async def _look(self, cursor: Cursor | None) -> JournalView:
        since, writer = (cursor.next, cursor.token) if cursor else (0, None)
        return await self._ports.journal.look(self.partition, since, writer)

    async def _load(self, cursor: Cursor) -> bool:
        """Read the checkpoint; False when it was emptied meanwhile, and half of it is of no use."""
        self.core = self._ports.core(self.partition)
        async for tables in self._ports.store.load(self.partition):
            self.core.load(tables)
        held = await self._ports.store.acquire(self.partition, self.token)
        if held is not None and held.whole and held.cursor != cursor:
            raise Torn(f"shard {self.partition}: there is another checkpoint than the one that was read")
        if held is None or not held.whole:
            logger.warning("Shard %d: the checkpoint changed while it was read; rebuilding", self.partition)
            return False
        self.next = self.saved = cursor.next
        self._checksum = cursor.checksum
        return True

    def _remember(self, journal: JournalView) -> None:
        """Know where to find what was told about the records that will be folded again."""
        self._retelling = JournalReplay(self._ports.journal, self.partition, journal.start, journal.end, self.next)

    def _seal(self) -> Sealed:
        return Sealed(self.token, max(self.saved, 0), self._view.id, self._version, self.published)

    # Working ------------------------------------------------------------------------------------------------------

    def continuation(self, batch: Batch) -> Batch | None:
        """The part of a batch that comes next, None if there is none: the ledger's offsets are dense."""
        if not batch.start <= self.next < batch.end or len(batch.records) != batch.end - batch.start:
            return None
        return batch._replace(start=self.next, records=batch.records[self.next - batch.start :])

    async def work(self, batch: Batch) -> None:
        """Fold a batch and tell what came of it."""
        self._watch.batch.observe(len(batch.records))
        outputs: list[Output] = []
        replaying, turn = batch.start < self.published.offset, monotonic()
        if batch.start <= self.published.offset:
            await until_answered(lambda: self._retelling.reach(batch.end))
        for raw in batch.records:
            record = decode_record(raw.value)
            self._last = raw.value
            for output in self._fold(record, raw.offset, raw.timestamp):
                if output is None:
                    await asyncio.sleep(0)
                    continue
                if len(outputs) >= CHUNK and _cause(output) != _cause(outputs[-1]):
                    await self._tell(outputs, output.at, outputs[-1].review if output.at.step else None)
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
            await self._tell(outputs, Point(self.next), None)

    def _fold(self, record: Record, offset: int, appended: int) -> Iterable[Output | None]:
        published = self.published
        if offset > published.offset or (offset == published.offset and published.step == 0):
            return self.core.fold(record, offset, appended, None)
        self._watch.counts["replayed"] += 1
        told = self._retelling.pop(offset)
        if offset < published.offset:
            replay = Replay(told, whole=True) if told else NOTHING_TOLD
        else:
            replay = Replay(told, whole=False, done=self._retelling.done, step=published.step)
        return self.core.fold(record, offset, appended, replay)

    async def _tell(self, outputs: Sequence[Output], end: Point, done: tuple[int, str] | None) -> None:
        told = tuple(output.entry for output in outputs if output.entry is not None)
        entry = Published(self.published, end, done, self._view.id, self._version, self.token, told)
        failpoint("work.before_publish")
        with self._watch.stage("publish"):
            await self._publisher.publish(outputs, entry)
        self.published = end
        self._watch.told(self._caused)
        self._caused = []
        failpoint("work.after_publish")

    # Checkpoints --------------------------------------------------------------------------------------------------

    @property
    def unsaved(self) -> bool:
        """Whether something was folded that no checkpoint holds."""
        return self.next != self.saved

    @property
    def worth_saving(self) -> bool:
        """Whether a checkpoint would cost little beside what was folded, or is late: asked where there is a backlog."""
        folded = self.next - max(self.saved, 0)
        return folded >= WORTH * self._encoded or monotonic() - self.saved_at >= MOST_SECONDS

    def save(self) -> asyncio.Task[None] | None:
        """Encode what has changed and write it while folding goes on; one at a time."""
        if self._saving is not None and not self._saving.done():
            return self._saving
        if self._saving is not None:
            self._saving.result()  # Fenced or Torn, if it was
        if not self.unsaved:
            return None
        if self._last is not None:
            self._checksum = checksum(self._last)
        cursor = Cursor(
            token=self.token,
            next=self.next,
            published=self.published,
            ledger=self._view.id,
            partitions=self._view.partitions,
            checksum=self._checksum,
            layout=LAYOUT,
            version=self._version,
        )
        changes = self.core.changes()
        self._encoded = len(changes.get("items", ()))
        self._saving = asyncio.create_task(self._save(cursor, changes))
        return self._saving

    async def save_all(self) -> None:
        """Checkpoint until nothing is left to save."""
        while (saving := self.save()) is not None:
            await saving

    async def _save(self, cursor: Cursor, changes: Tables) -> None:
        failpoint("checkpoint.before")
        since = self.saved
        with self._watch.stage("checkpoint"):
            await until_answered(lambda: self._ports.store.checkpoint(self.partition, cursor, since, changes))
        self.saved = cursor.next
        self.saved_at = monotonic()
        failpoint("checkpoint.after")

    async def close(self) -> None:
        """Let go without a word: whoever takes the shard next finds its way from the journal."""
        if self._saving is not None:
            self._saving.cancel()
            await asyncio.gather(self._saving, return_exceptions=True)
            self._saving = None  # its fault holds this very shard, and the two would wait for the collector of cycles
        await self._publisher.close()


def _cause(output: Output) -> tuple[int, tuple[int, str] | None]:
    """What an output belongs to: transactions are cut only between these."""
    return output.at.offset, output.review
