"""Intake: writes the movements of published events to the ledger, and refused events to the dead letters.

It takes the batches of all source feeds of this process, one after the other. A batch is done when every movement and
every dead letter of it is acknowledged; only then does the feed move on. If anything failed, the whole batch is written
again as a new run, and the fold drops the movements it has seen.
"""

import asyncio
import hashlib
import logging
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from faust.types import TP

from agents.intake.movements import Hash, movements_of, notice_of
from schemas.codec import Event, Limits, decode, fingerprint, identity
from schemas.dead_letter import Origin, letter_headers
from schemas.ledger import FoldSettings, Movement, Notice, Ticked, encode_record
from schemas.refusal import Refusal
from schemas.topics import place
from stream.consumer.batch import Batch, SourceRecord
from stream.consumer.feeds import Place, SourceFeed
from stream.failpoints import failpoint
from stream.kafka.ledger_writer import LedgerLine, LedgerWriter
from stream.kafka.publisher import Message
from stream.observability.instruments import Instruments
from stream.observability.log_fields import about, also
from stream.retry import until_answered

logger = logging.getLogger(__name__)
MOST_PLACES = 500_000
"""Items whose ledger partition is kept in the cache before the cache is emptied."""


class BatchDraft:
    """What one batch will write: ledger records by partition, and dead letters; and where the feed stands after it."""

    def __init__(self, feed: SourceFeed, name: str) -> None:
        self.feed = name
        self.tp = feed.tp
        self.lines: defaultdict[int, list[LedgerLine]] = defaultdict(list)
        self.letters: list[Message] = []
        self.last: dict[int, Place] = dict(feed.last)
        self.read_up_to = feed.read_up_to or 0
        self.verdicts: Counter[tuple[str, str]] = Counter()
        self.movements = 0


class Intake:
    """Turns the batches of this process's feeds into ledger records."""

    def __init__(
        self,
        *,
        writer: LedgerWriter,
        instruments: Instruments,
        logical: Callable[[str], str],
        dead_letters: str,
        partitions: int,
        alike: bool = False,
        limits: Limits,
        privacy_key: Path | None = None,
    ) -> None:
        self.verdicts: Counter[tuple[str, str]] = Counter()
        self.movements = 0
        self.busy_at = time.monotonic()
        """When the last batch with records was finished."""
        self._writer = writer
        self._instruments = instruments
        self._logical = logical
        self._dead_letters = dead_letters
        self._partitions = partitions
        self._alike = alike
        """Whether all spellings of a name are placed together."""
        self._limits = limits
        self._hash = _hasher(privacy_key) if privacy_key else None
        self._places: dict[str, tuple[int, bytes]] = {}
        self._name = uuid.uuid4().hex[:12]
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Connect ahead of the first batch."""
        await self._writer.connect()

    def close(self) -> None:
        """Close the producer."""
        self._writer.close()

    @property
    def letters_refused(self) -> bool:
        """Whether the topic of dead letters refuses them, so that every feed waits."""
        return self._writer.letters_refused

    async def take(self, feed: SourceFeed, batch: Batch) -> None:
        """Write one batch to the ledger, however long it takes, and move the feed on; rewind it after a gap."""
        async with self._turn:
            at, name = feed.next, feed.name
            if at is not None and batch.start <= at < batch.end:
                await self._take(feed, name, batch)
                return
        if at is not None and (batch.start > at or feed.last_on_its_way):
            await feed.rewind()

    async def _take(self, feed: SourceFeed, name: str, batch: Batch) -> None:
        with self._instruments.stage("intake"):
            draft = await until_answered(lambda: self._attempt(feed, name, batch))
        failpoint("intake.written")
        self.verdicts.update(draft.verdicts)
        self.movements += draft.movements
        if batch.records:
            self.busy_at = time.monotonic()
        feed.advance(name, batch.end, draft.last, draft.read_up_to or None)

    async def take_or_park(self, feed: SourceFeed, batch: Batch) -> None:
        """Take one batch; a bug that comes up twice at the same offset parks this feed and no other."""
        about(topic=feed.tp.topic, partition=feed.tp.partition)
        try:
            await self.take(feed, batch)
        except Exception as bug:  # nothing may escape an agent: Faust would take it for done
            logger.exception("Feed %s stumbled behind offset %s", feed.name, feed.next)
            feed.stumble(bug)
            await feed.rewind()

    async def tick(
        self, feeds: Sequence[SourceFeed], every_feed: Iterable[str], now: int | None, settings: FoldSettings
    ) -> None:
        """Report to every ledger partition how far this process's feeds are."""
        async with self._turn:
            names = tuple(every_feed)
            for feed in feeds:
                feed.check(names)
            ready = [feed for feed in feeds if feed.next is not None]
            lines: dict[int, list[LedgerLine]] = {
                partition: [(None, encode_record(self._ticked(ready, names, now, settings, partition)), None)]
                for partition in range(self._partitions)
            }
            await until_answered(lambda: self._writer.write(lines))

    def _ticked(
        self, feeds: Sequence[SourceFeed], names: tuple[str, ...], now: int | None, settings: FoldSettings, to: int
    ) -> Ticked:
        return Ticked(self._name, now, tuple(feed.progress(to) for feed in feeds), names, settings)

    async def _attempt(self, feed: SourceFeed, name: str, batch: Batch) -> BatchDraft:
        draft = BatchDraft(feed, name)
        topic = self._logical(feed.tp.topic)
        record = None
        try:
            with self._instruments.stage("decode"):
                for record in batch.records:
                    if record.offset >= (feed.next or 0):
                        self._read(record, topic, draft)
        except Exception:
            also(offset=record and record.offset)
            raise
        failpoint("intake.decoded")
        feed.end_run()  # if this attempt fails, the next one begins a new run
        await self._writer.write(draft.lines, draft.letters)
        return draft

    def _read(self, record: SourceRecord, topic: str, draft: BatchDraft) -> Event | Refusal | None:
        event = decode(topic, record.value, record.headers, record.timestamp, self._limits)
        if type(event) is Event:
            draft.verdicts[event.type, "accepted"] += 1
            draft.read_up_to = max(draft.read_up_to, event.time_ms)
            self._write(event, record, draft)
        elif event is None:
            draft.verdicts["none", "tombstone"] += 1
        elif isinstance(event, Refusal):
            draft.verdicts["none", event.reason.value] += 1
            logger.info("Refused: %s", event.reason.value, extra={"fields": {"offset": record.offset}})
            draft.letters.append(self._letter(event, record, draft.tp))
        return event

    def _write(self, event: Event, record: SourceRecord, draft: BatchDraft) -> None:
        offset, body, event_id = record.offset, fingerprint(event), identity(event.source, event.id)
        correlation, trace = event.correlation or "", event.trace or ""
        lines, last, places, name = draft.lines, draft.last, self._places, draft.feed
        source, event_name, time_ms, appended = event.source, event.id, event.time_ms, record.timestamp
        movements = movements_of(event.data, self._hash)
        for ordinal, (item, change) in enumerate(movements):
            partition, key = places.get(item) or self._place(item)
            movement = Movement(
                item, name, offset, ordinal, last.get(partition), source, event_name, event_id, body,
                time_ms, change, correlation, trace, appended,
            )  # fmt: skip
            lines[partition].append((key, encode_record(movement), None))
            last[partition] = (offset, ordinal)
        draft.movements += len(movements)
        notice = None if movements else notice_of(event.data)
        if notice is not None:
            for partition in range(self._partitions):
                written = Notice(
                    name, offset, 0, last.get(partition), source, event_name, event_id, body,
                    time_ms, notice, correlation, trace,
                )  # fmt: skip
                lines[partition].append((None, encode_record(written), None))
                last[partition] = (offset, 0)

    def _place(self, item: str) -> tuple[int, bytes]:
        if len(self._places) >= MOST_PLACES:
            self._places.clear()
        found = self._places[item] = (place(item, self._partitions, alike=self._alike), item.encode())
        return found

    def _letter(self, refusal: Refusal, record: SourceRecord, tp: TP) -> Message:
        origin = Origin(tp.topic, tp.partition, record.offset, record.timestamp)
        headers = letter_headers(refusal, stage="intake", origin=origin, original=record.headers)
        return Message(self._dead_letters, -1, record.key, record.value, headers)


def _hasher(key_file: Path) -> Hash:
    key = hashlib.blake2b(key_file.read_bytes()).digest()
    return lambda customer: int.from_bytes(hashlib.blake2b(customer.encode(), key=key, digest_size=8).digest())
