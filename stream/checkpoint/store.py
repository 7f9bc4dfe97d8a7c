"""Keeps the checkpoints of shards in Redis: a cursor and a few tables each, written by scripts that check first.

The state is a function of ledger and journal, so losing a checkpoint costs time and nothing else. What matters is that
a checkpoint is whole, that it never runs ahead of what was published, and that only one owner writes it.
"""

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import RedisClusterException, RedisError

from schemas.journal import Point
from stream.faults import Fenced, StoreDown, Torn
from stream.ports import Cursor, Held, Place, Tables, Within

TABLES = ("items", "minds", "pages", "shared")
LAYOUT = 7
"""The layout of cursor and tables as they are written."""
READABLE = (6, LAYOUT)
"""Layouts that are read; a checkpoint of another one is rebuilt from the ledger. 6 never stands within a tick."""
SLICE = 1000
"""Fields that are read at a time: Redis serves others in between."""
SCRIPTS = Path(__file__).parent / "scripts"


class CursorDetails(msgspec.Struct, frozen=True, array_like=True):
    """The part of a cursor that no script reads; in Redis it is the field `about`."""

    published: Point
    ledger: str
    partitions: int
    checksum: int
    layout: int
    version: str
    journal: int = -1
    within: Within | None = None


_encode_details = msgspec.msgpack.Encoder().encode
decode_details = msgspec.msgpack.Decoder(CursorDetails).decode


def shard_keys(app: str, shard: int) -> list[str]:
    """Name a shard's keys: the cursor, then the tables, all in one slot of a cluster.

    >>> shard_keys("restock", 4)[:2]
    ['{restock-4}:cursor', '{restock-4}:items']
    """
    return [f"{{{app}-{shard}}}:{name}" for name in ("cursor", *TABLES)]


class RedisStore:
    """The checkpoints of one application."""

    def __init__(self, redis: "Redis | RedisCluster", app: str) -> None:
        self.redis = redis
        self._app = app
        scripts = {path.stem: path.read_text() for path in SCRIPTS.glob("*.lua")}
        self._scripts = {name: redis.register_script(text) for name, text in scripts.items()}

    async def acquire(self, shard: int, token: str) -> Held | None:
        """Become the writer, and read the cursor that the last writer left."""
        cursor, sizes = await self._run("acquire", shard, token)
        writer, at, about, torn, expected, reviews = cursor
        if None in (writer, at, about):
            return None
        known = decode_details(about)
        found = Cursor(
            token=writer.decode(),
            next=int(at),
            published=known.published,
            ledger=known.ledger,
            partitions=known.partitions,
            checksum=known.checksum,
            layout=known.layout,
            version=known.version,
            journal=known.journal,
            within=known.within,
        )
        return Held(found, whole=torn == b"0" and sizes == expected and int(reviews or 0) == found.place.reviews)

    async def load(self, shard: int) -> AsyncIterator[Tables]:
        """Read the tables in slices; raises Torn if fields are missing at the end.

        A server that was started again, or a replica that took over, holds the fields in another order. An HSCAN that
        goes on there leaves some of them out, so their number is checked.
        """
        for table, key in zip(TABLES, shard_keys(self._app, shard)[1:], strict=True):
            place, read = 0, set[bytes]()
            while True:
                place, fields = await _answer(self.redis.hscan(key, place, count=SLICE))
                read.update(fields)
                if fields:
                    yield {table: {field.decode(): value for field, value in fields.items()}}
                if place == 0:
                    break
            if len(read) != await _answer(self.redis.hlen(key)):
                raise Torn(f"the checkpoint of shard {shard} changed while it was read")

    async def checkpoint(self, shard: int, cursor: Cursor, since: Place, changes: Tables) -> None:
        """Write what has changed since the place of the last checkpoint, or since NOWHERE."""
        about = CursorDetails(
            cursor.published, cursor.ledger, cursor.partitions, cursor.checksum, cursor.layout, cursor.version,
            cursor.journal, cursor.within,
        )  # fmt: skip
        verdict = await self._run(
            "checkpoint", shard, cursor.token, *since, *cursor.place, _encode_details(about), *encode_arguments(changes)
        )
        judge(verdict.decode(), shard)

    async def reset(self, shard: int, token: str) -> None:
        """Delete the shard's checkpoint, as its writer."""
        judge((await self._run("reset", shard, token)).decode(), shard)

    async def fields(self, shard: int, table: str) -> list[str]:
        """The names of a table's fields."""
        key, names, place = self._key(shard, table), [], 0
        while True:
            place, some = await _answer(self.redis.hscan(key, place, count=SLICE, no_values=True))
            names += [field.decode() for field in some]
            if place == 0:
                return sorted(set(names))

    async def look(self, shard: int, table: str, fields: Sequence[str]) -> tuple[Place | None, list[bytes | None]]:
        """Read fields together with the place they stand at."""
        keys = [self._key(shard, "cursor"), self._key(shard, table)]
        (at, reviews), values = await _answer(self._scripts["look"](keys=keys, args=list(fields)))
        return (None if at is None else Place(int(at), int(reviews or 0))), values

    async def ping(self) -> None:
        """Ask for any answer; raises StoreDown when there is none."""
        await _answer(self.redis.ping())

    async def close(self) -> None:
        """Close the connections."""
        await self.redis.aclose()

    def _key(self, shard: int, name: str) -> str:
        return shard_keys(self._app, shard)[("cursor", *TABLES).index(name)]

    async def _run(self, script: str, shard: int, *arguments: str | int | bytes) -> Any:
        return await _answer(self._scripts[script](keys=shard_keys(self._app, shard), args=list(arguments)))


def judge(verdict: str, shard: int) -> None:
    """Raise the fault that a script's verdict stands for, if it does."""
    if verdict in {"OK", "DONE"}:
        return
    if verdict == "FENCED":
        raise Fenced(f"shard {shard} has another writer")
    raise Torn(f"the checkpoint of shard {shard} is {verdict.lower()}")


def encode_arguments(changes: Tables) -> list[str | int | bytes]:
    """What the script that writes a checkpoint is given: how much of each table comes and goes, then its fields."""
    counts: list[str | int | bytes] = []
    fields: list[str | int | bytes] = []
    for table in TABLES:
        rows: Mapping[str, bytes | None] = changes.get(table, {})
        dropped = [field for field, value in rows.items() if value is None]
        counts += [len(rows) - len(dropped), len(dropped)]
        for field, value in rows.items():
            if value is not None:
                fields += [field, value]
        fields += dropped
    return counts + fields


async def _answer(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except (RedisError, RedisClusterException, OSError) as error:
        raise StoreDown(str(error) or type(error).__name__) from error
