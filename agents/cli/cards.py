"""The stored state of many items at once, for commands that compare it with what they are about to publish."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice

from agents.core.learning_state import encode_learning_state
from agents.inventory.card import Card
from agents.inventory.catalogue import Catalogue
from agents.inventory.shelf import Shelf
from agents.inventory.timeline import Timeline
from schemas.quantities import HOUR_MS
from stream.checkpoint.reader import CheckpointReader
from stream.settings import Settings

SLICE = 500
MOVED_HOURS = 96
"""Movements are remembered for two days before the watermark, and lie at most a day ahead of it."""


def stored_cards(settings: Settings, names: Mapping[str, int | None]) -> Iterator[tuple[str, Card | None]]:
    """The card of each item, None for an unknown one; with what moved since a moment, where one is given."""
    shards: defaultdict[int, list[str]] = defaultdict(list)
    for name in names:
        shards[settings.place(name)].append(name)
    with CheckpointReader(settings) as reader:
        for shard, of_shard in sorted(shards.items()):
            waiting = iter(of_shard)
            while some := list(islice(waiting, SLICE)):
                pages = [f"{name}\x00{page}" for name in some for page in _pages(names[name])]
                found = reader.look(shard, {"items": some, "pages": pages})
                shelf = Shelf(encode_learning_state)
                shelf.load(found.tables if found else {})
                yield from ((name, shelf.find(name)) for name in some)


def watermarks(settings: Settings) -> dict[int, int | None]:
    """How far each shard's time has come; without those that have no checkpoint."""
    found = {}
    with CheckpointReader(settings) as reader:
        for shard in range(settings.partitions):
            stored = reader.look(shard, {"shared": ("clock",)})
            if stored is not None:
                timeline = Timeline()
                timeline.load(stored.tables["shared"])
                found[shard] = timeline.watermark
    return found


def shared_catalogue(settings: Settings) -> Catalogue:
    """Suppliers, classes and calendars, of which every shard has the same: those of the first with a checkpoint."""
    catalogue = Catalogue()
    with CheckpointReader(settings) as reader:
        for shard in range(settings.partitions):
            stored = reader.look(shard, {"shared": None})
            if stored is not None:
                catalogue.load(stored.tables["shared"])
                break
    return catalogue


def known_names(settings: Settings) -> Iterator[str]:
    """The name of every item of every shard, as the checkpoints have it."""
    with CheckpointReader(settings) as reader:
        for shard in range(settings.partitions):
            if reader.look(shard, {}) is not None:
                yield from (name for name, _ in reader.scan(shard, "items"))


def _pages(since_ms: int | None) -> list[str]:
    """The page of terms, and those of the hours in which something can have moved since a moment."""
    if since_ms is None:
        return ["t"]
    first, now = since_ms // HOUR_MS, int(time.time() * 1_000) // HOUR_MS
    return ["t", *(f"h{hour}" for hour in range(first, min(now, first + MOVED_HOURS) + 1))]
