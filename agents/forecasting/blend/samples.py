"""Samples of one horizon: they wait until a batch is full, and some of every batch are kept to be learned again.

A batch is full after a fixed count of samples, so what is learned depends on the order of samples only. Learning old
samples again keeps the newest period from pulling the weights its way, because all items share that period's luck.
The random draws are seeded by the number of the batch.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np

from agents.forecasting.blend.arrays import Floats, Halves, pack, unpack

BATCH = 64
REPLAYS = 1
KEPT = 1024
"""Samples kept for learning again, at most."""
_KEPT_OF_BATCH = 8


class TrainingBatch(NamedTuple):
    """What is learned from in one step."""

    inputs: Floats
    targets: Floats


class StoredSamples(msgspec.Struct, array_like=True):
    """Samples as bytes."""

    batches: int
    count: int
    samples: bytes


class Samples:
    """The waiting and the kept samples of one horizon; each a row of inputs, and a target."""

    def __init__(self, width: int, most_bytes: int) -> None:
        self._most = max(2 * BATCH, min(KEPT, most_bytes // (2 * width + 4) - BATCH))
        self._rows: Halves = np.zeros((BATCH + self._most, width), np.float16)
        self._targets: Floats = np.zeros(BATCH + self._most, np.float32)
        self._waiting = self._kept = self.batches = 0

    @property
    def seen(self) -> int:
        """Samples so far."""
        return self.batches * BATCH + self._waiting

    def add(self, row: Halves, target: float) -> bool:
        """Let a sample wait; whether the batch is full now and must be learned."""
        self._rows[self._waiting] = row
        self._targets[self._waiting] = target
        self._waiting += 1
        return self._waiting == BATCH

    def batch(self) -> Iterator[TrainingBatch]:
        """The full batch and the replays beside it; afterwards some of the batch are kept and it is empty."""
        chance = np.random.default_rng(self.batches)
        yield self._take(np.arange(BATCH))
        if self._kept >= BATCH:
            for _ in range(REPLAYS):
                yield self._take(BATCH + chance.integers(0, self._kept, BATCH))
        count = BATCH if self._kept < 2 * BATCH else _KEPT_OF_BATCH
        chosen = chance.permutation(BATCH)[:count]
        if self._kept + count <= self._most:
            places = BATCH + self._kept + np.arange(count)
            self._kept += count
        else:
            places = BATCH + chance.permutation(self._most)[:count]
        self._rows[places], self._targets[places] = self._rows[chosen], self._targets[chosen]
        self._waiting = 0
        self.batches += 1

    def dump_waiting(self) -> bytes:
        """Write the samples that wait: the part that changes with every sample."""
        return self._write(0, self._waiting)

    def dump_kept(self) -> bytes:
        """Write the samples kept: the part that changes with every batch."""
        return self._write(BATCH, self._kept)

    def load(self, waiting: bytes, kept: bytes) -> None:
        """Read both parts."""
        self._waiting, self.batches = self._read(waiting, 0, BATCH - 1), 0
        self._kept = self._read(kept, BATCH, self._most)
        self.batches = msgspec.msgpack.decode(kept, type=StoredSamples).batches

    def _take(self, places: np.ndarray) -> TrainingBatch:
        return TrainingBatch(self._rows[places].astype(np.float32), self._targets[places])

    def _write(self, first: int, count: int) -> bytes:
        rows, targets = self._rows[first : first + count], self._targets[first : first + count]
        return msgspec.msgpack.encode(StoredSamples(self.batches, count, pack(rows) + pack(targets)))

    def _read(self, data: bytes, first: int, most: int) -> int:
        written = msgspec.msgpack.decode(data, type=StoredSamples)
        if not 0 <= written.count <= most or written.batches < 0:
            raise ValueError(f"{written.count} samples where at most {most} are kept")
        width, count = self._rows.shape[1], written.count
        split = count * width * 2
        self._rows[first : first + count] = unpack(written.samples[:split], np.float16, (count, width))
        self._targets[first : first + count] = unpack(written.samples[split:], np.float32, (count,))
        return count
