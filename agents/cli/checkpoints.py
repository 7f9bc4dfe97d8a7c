"""What commands read that list all items: the checkpoints of all shards, or a word on there being none."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agents.cli.terminal import progress, warn
from stream.settings import Settings

if TYPE_CHECKING:
    from stream.checkpoint.reader import CheckpointReader


def every_checkpoint(settings: Settings) -> Iterator[tuple["CheckpointReader", int]]:
    """Every shard that has one, and what reads it. A shard to which nothing ever happened has none."""
    from stream.checkpoint.reader import CheckpointReader

    found = 0
    with CheckpointReader(settings) as reader, progress("reading shards", settings.partitions) as progressed:
        for shard in range(settings.partitions):
            if reader.look(shard, {}) is not None:
                found += 1
                yield reader, shard
            progressed(shard + 1)
    if not found:
        warn(f"no shard of RESTOCK_APP={settings.app} has a checkpoint in Redis: `restock doctor` says what is missing")
