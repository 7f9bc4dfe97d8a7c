"""Owns a shard while its partition is assigned to this process: takes it, feeds it, and takes it again after a fault.

No fault of one shard reaches another. A server that is away is waited for. After a fence, a torn checkpoint or an
unclear commit the shard is taken again. A fault that comes twice at the same record parks the shard, with the reason.
"""

import asyncio
import contextlib
import logging
import os
import random
import re
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import NamedTuple

from schemas.journal import Point
from schemas.ledger import Movement, decode_record
from stream.consumer.batch import Batch
from stream.faults import BrokerDown, Fault, Fenced, Parked, StoreDown, Torn, Unclear
from stream.observability.log_fields import about, also
from stream.observability.log_privacy import told
from stream.retry import until_answered
from stream.shard.dependencies import Ports
from stream.shard.lineage import ANEW
from stream.shard.shard import Shard

logger = logging.getLogger(__name__)

Seek = Callable[[int], Awaitable[None]]
Make = Callable[[int, Ports, str], Shard]
AHEAD = 2
"""Batches a shard may have waiting before its partition is left alone."""
AGAIN_SECONDS = 0.5
PARKED_SECONDS = 15.0
"""How often a parked shard checks whether its fault is mended."""
FAR = 5000
"""So many unread ledger records are a backlog: then a shard writes a checkpoint only when that is worth it."""
MOST_ASTRAY = 20
"""How many batches in a row may lack the next record: after a rebalance two or three do."""


class Gap(Fault):
    """The ledger goes on, but the record to fold next is missing."""


class Stumble(NamedTuple):
    """Where a shard could not go on, and why."""

    at: Point
    fault: type[Exception]


class Owner:
    """Reads one ledger partition into its shard."""

    def __init__(
        self, partition: int, ports: Ports, version: str, checkpoint_seconds: float, seek: Seek, make: Make = Shard
    ) -> None:
        self.partition = partition
        self.name = f"shard {partition}"
        self.shard: Shard | None = None
        self.parked: str | None = None
        self.busy_at = monotonic()
        """When a record other than a tick was folded last."""
        self._ports, self._version = ports, version
        self._every = checkpoint_seconds
        self._seek = seek
        self._make = make
        self._inbox: asyncio.Queue[Batch | None] = asyncio.Queue()
        self._on_its_way = self._left = 0
        self._leaving = False
        self._working = False
        self._astray = 0
        self._stumbled: Stumble | None = None
        self._stood: int | None = None
        self._life = asyncio.create_task(self._live(), name=f"shard {partition}")
        self._life.add_done_callback(_end_on_bug)

    @property
    def next(self) -> int | None:
        """The offset of the next record to fold, or where the last hold on the shard ended; None before the first."""
        return self._stood if self.shard is None else self.shard.next

    # What the transport asks ----------------------------------------------------------------------------------------

    @property
    def wanted(self) -> bool:
        """Whether there is room for another batch."""
        return self.shard is not None and not self._leaving and self._on_its_way + self._inbox.qsize() < AHEAD

    @property
    def committable(self) -> None:
        """Nothing is committed: the position is in the checkpoint."""
        return

    @property
    def resting(self) -> int | None:
        """The offset to read next when no batch is on its way or being folded."""
        busy = self._working or self._on_its_way > 0 or not self._inbox.empty()
        return None if busy or self.shard is None else self.shard.next

    def handed(self) -> None:
        """Note that a batch is on its way."""
        self._on_its_way += 1

    def receive(self, batch: Batch) -> None:
        """Queue a batch that has arrived."""
        self._on_its_way = max(0, self._on_its_way - 1)
        self._left = batch.left
        self._inbox.put_nowait(batch)

    async def resume(self) -> None:
        """Seek after a rebalance that left the partition here; what was on its way will not arrive."""
        self._on_its_way = self._astray = 0
        if self.shard is not None:
            await self._seek(self.shard.next)

    async def rewind(self) -> None:
        """Seek back: what was read is not what comes next."""
        self._astray += 1
        if self.shard is not None:
            await self._seek(self.shard.next)

    async def leave(self) -> None:
        """Fold what is queued, save a checkpoint, and let go."""
        self._leaving = True
        self._inbox.put_nowait(None)
        if self.shard is None:
            self._life.cancel()
        await asyncio.gather(self._life, return_exceptions=True)

    # Its life -----------------------------------------------------------------------------------------------------

    async def _live(self) -> None:
        while not self._leaving:
            about(shard=self.partition)
            shard = self._make(self.partition, self._ports, self._version)
            pause = AGAIN_SECONDS * random.uniform(0.5, 1.5)
            try:
                await until_answered(shard.take)
                await self._seek(shard.next)
                self._take_up(shard)
                await self._feed(shard)
            except Parked as fault:
                self._park(str(fault))
                pause = PARKED_SECONDS
            except (Fenced, Torn, BrokerDown, StoreDown) as fault:
                self._ports.instruments.counts["fenced"] += isinstance(fault, Fenced)
                logger.warning("Shard %d will be taken again: %s", self.partition, fault)
            except Exception as fault:  # noqa: BLE001 - whatever the rules raise stays inside this shard
                pause = self._stumble(shard, fault) or pause
            finally:
                self._stood, self.shard = self.next, None
                await asyncio.shield(shard.close())
            if not self._leaving:
                await asyncio.sleep(pause)

    def _take_up(self, shard: Shard) -> None:
        while not self._inbox.empty():
            self._inbox.get_nowait()
        self._on_its_way = self._astray = 0
        self.shard = shard
        if self._stumbled is None:
            self.parked = None

    async def _feed(self, shard: Shard) -> None:
        while True:
            batch = await self._next_batch(shard)
            if batch is not None and (new := shard.continuation(batch)) is not None:
                await self._work(shard, new)
            elif batch is not None and (batch.end > shard.next or self.resting is not None):
                await self.rewind()
            if self._astray > MOST_ASTRAY:
                read = f"[{batch.start}, {batch.end}) with {len(batch.records)} records" if batch else "nothing"
                raise Gap(f"{read} was read instead")
            if monotonic() - shard.saved_at >= self._every and (self._left < FAR or shard.worth_saving):
                shard.save()
            await shard.renew_seal()
            if self._leaving and self._inbox.empty():
                await shard.save_all()
                logger.info("Left shard %d: checkpoint %d, all of it published", self.partition, shard.next)
                return

    async def _work(self, shard: Shard, batch: Batch) -> None:
        before, self._working = shard.movements, True
        try:
            with self._ports.instruments.stage("fold"):
                await shard.work(batch)
        except Exception:
            _log_about(batch, shard.next)
            raise
        finally:
            self._working = False
        if shard.movements > before:
            self.busy_at = monotonic()
        self._astray = 0
        if self._stumbled and _place(shard, self._stumbled.fault) > self._stumbled.at:
            self._stumbled = self.parked = None

    async def _next_batch(self, shard: Shard) -> Batch | None:
        """The next batch, or None when it is time for a checkpoint."""
        try:
            return await asyncio.wait_for(self._inbox.get(), self._every if shard.unsaved else 1.0)
        except TimeoutError:
            return None

    # When it goes wrong -------------------------------------------------------------------------------------------

    def _park(self, reason: str) -> None:
        if self.parked is None or _wording(reason) != _wording(self.parked):
            logger.critical("Parked: %s", reason)
        self.parked = reason

    def _stumble(self, shard: Shard, fault: Exception) -> float | None:
        """Note a fault, and park the shard if it is the second at this place. Returns the pause; None is the usual."""
        here = Stumble(_place(shard, type(fault)), type(fault))
        known = isinstance(fault, Unclear | Gap)
        if self.parked is None:
            logger.error("Shard %d stumbled: %r", self.partition, fault, exc_info=None if known else fault)
        if here != self._stumbled:
            self._stumbled = here
            return None
        ways: dict[type[Exception], tuple[str, str]] = {
            Unclear: ("what it causes cannot be published", "see what the output topics take and allow"),
            Gap: ("it is missing", f"restore the ledger, or {ANEW}"),
        }
        what, cure = ways.get(here.fault, ("it cannot be folded", "install a version that can"))
        self._park(f"shard {self.partition}: ledger record {here.at.offset}: {what} ({told(fault)}): {cure}")
        return PARKED_SECONDS


def _place(shard: Shard, fault: type[Exception]) -> Point:
    """The place of a fault: for an unclear commit the point K, which does not depend on how records were batched."""
    return shard.published if fault is Unclear else Point(shard.next)


def _log_about(batch: Batch, offset: int) -> None:
    """Let what is logged from here on say which record of the batch it is about."""
    also(offset=offset)
    with contextlib.suppress(Exception):  # it may be this record that cannot be read
        record = decode_record(batch.records[offset - batch.start].value)
        if isinstance(record, Movement):
            also(item=record.item, event=record.id, correlation=record.correlation)


def _wording(reason: str) -> str:
    """A reason without its numbers, which change while a shard is parked: the ledger grows."""
    return re.sub(r"\d+", "", reason)


def _end_on_bug(life: asyncio.Task[None]) -> None:
    if not life.cancelled() and (bug := life.exception()) is not None:
        logger.critical("An owner ended, which must not happen", exc_info=bug)
        logging.shutdown()
        os._exit(70)  # an exit by exception would wait for tasks that wait for this one
