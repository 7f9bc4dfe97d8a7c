"""Reads checkpoints without owning a shard, for commands that show items and for checks at start. It writes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from redis.exceptions import RedisClusterException, RedisError

from stream.checkpoint.redis_client import reach_redis, unreachable
from stream.checkpoint.store import LAYOUT, READABLE, SLICE, TABLES, CursorDetails, decode_details, shard_keys
from stream.errors import WrongUse
from stream.settings import Settings, mask


class Snapshot(NamedTuple):
    """Some fields of one shard's checkpoint, all as they were at one moment."""

    next: int
    """The offset of the first ledger record that is not in them."""
    about: CursorDetails
    tables: dict[str, dict[str, bytes]]
    """By table and field; fields that are not there are left out."""


class CheckpointReader:
    """One connection to Redis."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = reach_redis(settings)

    def __enter__(self) -> Self:
        """The reader itself: it has connected already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._client.close()

    def look(self, shard: int, wanted: Mapping[str, Sequence[str] | None]) -> Snapshot | None:
        """Read these fields of tables, None for all of one, in one transaction; None where there is no checkpoint.

        Raises WrongUse for a checkpoint that another version laid out, or of a ledger with other partitions.
        """
        keys = dict(zip(("cursor", *TABLES), shard_keys(self._settings.app, shard), strict=True))
        asked = {table: fields for table, fields in wanted.items() if fields is None or fields}
        try:
            with self._client.pipeline(transaction=True) as pipeline:
                pipeline.hmget(keys["cursor"], ["next", "about"])
                for table, fields in asked.items():
                    if fields is None:
                        pipeline.hgetall(keys[table])
                    else:
                        pipeline.hmget(keys[table], list(fields))
                (place, about), *found = pipeline.execute()
        except (RedisError, RedisClusterException, OSError) as error:
            raise unreachable(self._settings, error) from None
        if place is None:
            return None
        tables = {table: _by_name(fields, values) for (table, fields), values in zip(asked.items(), found, strict=True)}
        known = decode_details(about)
        self._refuse_other_layout(shard, known)
        return Snapshot(int(place), known, tables)

    def scan(self, shard: int, table: str) -> Iterator[tuple[str, bytes]]:
        """Yield every field of a table once; fields that are read later may be of a later moment."""
        key = shard_keys(self._settings.app, shard)[1 + TABLES.index(table)]
        seen: set[str] = set()
        try:
            for field, value in self._client.hscan_iter(key, count=SLICE):
                name = field.decode()
                if name not in seen:
                    seen.add(name)
                    yield name, value
        except (RedisError, RedisClusterException, OSError) as error:
            raise unreachable(self._settings, error) from None

    def _refuse_other_layout(self, shard: int, about: CursorDetails) -> None:
        if about.layout not in READABLE:
            raise WrongUse(
                f"RESTOCK_REDIS={mask(self._settings.redis)}: shard {shard} has layout {about.layout}, this version "
                f"needs {LAYOUT}: install {about.version}, or run `restock rebuild`"
            )
        if about.partitions != self._settings.partitions:
            raise WrongUse(
                f"RESTOCK_PARTITIONS={self._settings.partitions} is not what Redis was written with, "
                f"{about.partitions}: set that, or another RESTOCK_APP"
            )


def _by_name(fields: Sequence[str] | None, values: Any) -> dict[str, bytes]:
    """The answer of HGETALL, or of HMGET for these fields, without those that are not there."""
    if fields is None:
        return {name.decode(): value for name, value in values.items()}
    return {name: value for name, value in zip(fields, values, strict=True) if value is not None}
