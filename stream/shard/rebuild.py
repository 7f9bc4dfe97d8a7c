"""Makes a shard's checkpoint anew from ledger and journal; nothing is published twice.

It takes the shard as any owner does, and so fences a worker that holds it. If a worker takes the shard back, that
worker goes on with the rebuild.
"""

from collections.abc import Callable
from itertools import islice

from stream.consumer.batch import Batch
from stream.errors import AnswerIsNo
from stream.faults import Fenced
from stream.kafka.ledger import KafkaLedger, StoredRecord
from stream.shard.dependencies import Ports
from stream.shard.shard import Shard

BATCH = 5000
SAVE_EVERY = 50_000
"""Records between checkpoints: what a crash loses must be folded again."""
TRIES = 20
"""How often the shard is taken: a fenced worker takes it back after half a second, and is fenced again."""


async def rebuild(
    partition: int, ports: Ports, ledger: KafkaLedger, version: str, progress: Callable[[int, int], None]
) -> bool:
    """Fold one shard from the start to the ledger's present end; False when a worker took it over on the way."""
    shard = await _take(partition, ports, version)
    try:
        end = (await ledger.view(partition)).end
        records = ledger.records(partition, 0, end)
        while batch := tuple(islice(records, BATCH)):
            await shard.work(_batch(batch))
            progress(shard.next, end)
            if shard.next - max(shard.saved.next, 0) >= SAVE_EVERY and shard.worth_saving:
                await shard.save_all()
        await shard.save_all()
    except Fenced:
        return False
    finally:
        await shard.close()
    return True


async def _take(partition: int, ports: Ports, version: str) -> Shard:
    """Take the shard and delete its checkpoint; try again when a fenced worker takes it back before that."""
    for _ in range(TRIES):
        shard = Shard(partition, ports, version)
        try:
            await shard.take(anew=True)
        except Fenced:
            await shard.close()
        except BaseException:
            await shard.close()
            raise
        else:
            return shard
    raise AnswerIsNo(
        f"shard {partition}: a running worker takes it back again and again: stop the workers, then rebuild"
    )


def _batch(records: tuple[StoredRecord, ...]) -> Batch:
    return Batch(records[0].offset, records[-1].offset + 1, records)
