"""Takes a shard over: fences the last owner, finds what it left, and decides from where to go on.

Each attempt is an object of its own. An attempt that fails half-way leaves nothing behind in the shard.
"""

import logging

from schemas.journal import Point, Sealed
from stream.checkpoint.store import READABLE
from stream.failpoints import failpoint
from stream.faults import Parked, Torn
from stream.ports import NOWHERE, Cursor, Held, JournalView, LedgerView, Place, Publisher, ShardCore, Within
from stream.shard.dependencies import Ports
from stream.shard.lineage import ANEW, refuse_strange, same_lineage
from stream.shard.replay import JournalReplay

logger = logging.getLogger(__name__)


class Takeover:
    """One attempt to become the only owner of a shard; its attributes say where the shard then stands."""

    core: ShardCore
    view: LedgerView
    published: Point
    """K: everything before it is published."""

    def __init__(self, partition: int, token: str, ports: Ports, version: str) -> None:
        self.partition = partition
        self.next = 0
        """The offset of the next record to fold."""
        self.within: Within | None = None
        """How far that record is in the state all the same."""
        self.saved = NOWHERE
        """R: where the checkpoint stands."""
        self.checksum = 0
        """The checksum of the last record in the checkpoint."""
        self.replay = JournalReplay(ports.journal, partition, 0, 0, 0)
        self.journal = 0
        """The journal's own offset after our seal."""
        self.journal_start = 0
        """The journal's own offset where replay begins."""
        self._token = token
        self._ports = ports
        self._version = version

    async def run(self, publisher: Publisher, *, anew: bool) -> None:
        """Become the owner and stand where the last checkpoint stands, or at the start of the ledger if asked to."""
        logger.info("Taking shard %d", self.partition)
        await publisher.open()  # fences the old publisher
        failpoint("take.fenced_publisher")
        held = await self._ports.store.acquire(self.partition, self._token)  # fences the old writer
        failpoint("take.acquired")
        cursor = held.cursor if held else None
        self._ports.instruments.found(self.partition, cursor.next if cursor else -1)
        journal = await self._look(cursor)
        # Look at the ledger last: checkpoint and journal may be ahead of an older view of it.
        self.view = await self._ports.ledger.view(self.partition)
        self.published = journal.last.end if journal.last else cursor.published if cursor else Point(0)
        refuse_strange(self.partition, self.view, cursor, journal)
        failpoint("take.read_journal")
        usable = held is not None and not anew and await self._trusts(held, journal) and await self._load(held.cursor)
        self._prepare_replay(journal if usable else await self._start_over())
        failpoint("take.before_seal")
        saved = max(self.saved, Place(0))
        seal = Sealed(self._token, saved.next, self.view.id, self._version, self.published, saved.reviews)
        self.journal = await publisher.publish((), seal)
        self._ports.instruments.has_published(self.partition)
        failpoint("take.sealed")
        logger.info(
            "Took shard %d: checkpoint %d, published %s, ledger ends %d",
            self.partition, self.next, self.published.offset, self.view.end,
        )  # fmt: skip

    async def _look(self, cursor: Cursor | None) -> JournalView:
        """The journal since the place that the checkpoint names; an older version's names none, and all is read."""
        return await self._ports.journal.look(self.partition, max(cursor.journal, 0) if cursor else None)

    async def _trusts(self, held: Held, journal: JournalView) -> bool:
        """Whether the checkpoint is whole, in our layout, and of the lineage that the journal names."""
        cursor = held.cursor
        if cursor.layout > max(READABLE):
            raise Parked(
                f"shard {self.partition}: version {cursor.version} wrote its checkpoint in layout {cursor.layout}, and "
                f"this version knows none after {max(READABLE)}: leave the shard to workers of that version, or make "
                f"its checkpoint anew with `restock rebuild --shard {self.partition}`"
            )
        self._ports.instruments.counts["torn"] += not held.whole
        whole = held.whole and journal.whole
        if not whole or cursor.layout not in READABLE or not same_lineage(cursor, journal):
            logger.warning("Shard %d: the checkpoint is torn or of another lineage; rebuilding", self.partition)
            return False
        if cursor.next == self.view.start:  # retention deleted exactly the records that were applied
            return True
        if await self._ports.ledger.checksum(self.partition, cursor.next - 1) != cursor.checksum:
            raise Parked(
                f"shard {self.partition}: ledger record {cursor.next - 1} is not the one that was applied: "
                f"restore the ledger, or accept it as it is with `restock rebuild --shard {self.partition}`"
            )
        return True

    async def _load(self, cursor: Cursor) -> bool:
        """Read the checkpoint into a new core; False when Redis lost it meanwhile, since half of it is of no use."""
        self.core = self._ports.core(self.partition)
        async for tables in self._ports.store.load(self.partition):
            self.core.load(tables)
        held = await self._ports.store.acquire(self.partition, self._token)
        if held is not None and held.whole and held.cursor != cursor:
            raise Torn(f"shard {self.partition}: there is another checkpoint than the one that was read")
        if held is None or not held.whole:
            logger.warning("Shard %d: the checkpoint changed while it was read; rebuilding", self.partition)
            return False
        self.next, self.within, self.saved = cursor.next, cursor.within, cursor.place
        self.checksum = cursor.checksum
        return True

    async def _start_over(self) -> JournalView:
        """Stand at the start of the ledger with an empty core, and look at the whole journal."""
        whole = await self._look(None)
        missing = [
            f"the {name} begins at {start}"
            for name, start in (("ledger", self.view.start), ("journal", whole.start))
            if start > 0
        ]
        if missing:
            raise Parked(
                f"shard {self.partition}: there is no usable checkpoint, and {' and '.join(missing)} instead of 0: "
                f"restore a Redis snapshot of it, or {ANEW}"
            )
        await self._ports.store.reset(self.partition, self._token)  # only now: it may be the last there is
        self._ports.instruments.forget_checkpoint(self.partition)
        self.core, self.next, self.within, self.saved = self._ports.core(self.partition), 0, None, NOWHERE
        failpoint("take.reset")
        return whole

    def _prepare_replay(self, journal: JournalView) -> None:
        """Prepare to read the journal entries of the records that will be folded again."""
        self.journal_start = journal.start
        self.replay = JournalReplay(self._ports.journal, self.partition, journal.start, journal.end, self.next)
