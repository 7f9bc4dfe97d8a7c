"""The contract of a store, tested with the one in memory and with Redis."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple, Protocol

import msgspec
import pytest
from redis.asyncio import Redis

from schemas.journal import Point
from stream.checkpoint.redis_client import async_client_of
from stream.checkpoint.store import LAYOUT, TABLES, RedisStore, shard_keys
from stream.faults import Fenced, StoreDown, Torn
from stream.in_memory import MemoryStore
from stream.local import LocalServers
from stream.ports import NOWHERE, Cursor, Place, Store, Tables, Within
from stream.settings import Settings

SHARD = 3


class Vandal(Protocol):
    """Changes what is stored, behind the store's back."""

    async def forget(self) -> None: ...
    async def drop_table(self, table: str) -> None: ...
    async def drop_field(self, table: str, field: str) -> None: ...
    async def drop_cursor(self) -> None: ...


class MemoryVandal:
    def __init__(self, store: MemoryStore) -> None:
        self.store = store

    async def forget(self) -> None:
        self.store.forget(SHARD)

    async def drop_table(self, table: str) -> None:
        self.store.tables[SHARD][table].clear()

    async def drop_field(self, table: str, field: str) -> None:
        del self.store.tables[SHARD][table][field]

    async def drop_cursor(self) -> None:
        del self.store.cursors[SHARD], self.store.tokens[SHARD], self.store.sizes[SHARD]


class RedisVandal:
    def __init__(self, redis: Redis, app: str) -> None:
        self.redis = redis
        self.keys = dict(zip(("cursor", *TABLES), shard_keys(app, SHARD), strict=True))

    async def forget(self) -> None:
        await self.redis.flushall()

    async def drop_table(self, table: str) -> None:
        assert await self.redis.delete(self.keys[table])

    async def drop_field(self, table: str, field: str) -> None:
        assert await self.redis.hdel(self.keys[table], field)

    async def drop_cursor(self) -> None:
        assert await self.redis.delete(self.keys["cursor"])


class StoreUnderTest(NamedTuple):
    store: Store
    vandal: Vandal


@pytest.fixture
async def redis_client(redis_url: str) -> AsyncIterator[Redis]:
    client = async_client_of(Settings(redis=redis_url))
    assert isinstance(client, Redis)
    yield client
    await client.aclose()


@pytest.fixture(params=["memory", "redis"])
def under_test(request: pytest.FixtureRequest, app: str) -> StoreUnderTest:
    if request.param == "memory":
        store = MemoryStore()
        return StoreUnderTest(store, MemoryVandal(store))
    client = request.getfixturevalue("redis_client")
    return StoreUnderTest(RedisStore(client, app), RedisVandal(client, app))


def cursor(token: str, at: int, **changes: Any) -> Cursor:
    known = Cursor(token, at, Point(at, 2), "ledger-id", 12, 2**64 - 1, LAYOUT, "1.0")
    return msgspec.structs.replace(known, **changes)


async def loaded(store: Store) -> dict[str, dict[str, bytes | None]]:
    found: dict[str, dict[str, bytes | None]] = {table: {} for table in TABLES}
    async for tables in store.load(SHARD):
        for table, fields in tables.items():
            found[table] |= fields
    return {table: fields for table, fields in found.items() if fields}


async def written(store: Store, at: int = 5, changes: Tables | None = None) -> None:
    await store.acquire(SHARD, "a")
    await store.checkpoint(SHARD, cursor("a", at), NOWHERE, {"items": {"TEA@B": b"1"}} if changes is None else changes)


async def test_a_shard_that_nobody_wrote_has_no_checkpoint(under_test: StoreUnderTest) -> None:
    assert await under_test.store.acquire(SHARD, "a") is None
    assert await loaded(under_test.store) == {}


async def test_the_next_owner_finds_what_the_last_one_wrote(under_test: StoreUnderTest) -> None:
    tables: Mapping[str, Mapping[str, bytes]] = {
        "items": {"TEA@B": b"\x00\xff", "MÜSLI@B": b""},
        "minds": {"TEA@B": b"m"},
        "pages": {"0": b"p"},
        "shared": {"model": b"s" * 100_000},
    }
    await written(under_test.store, 5, tables)
    held = await under_test.store.acquire(SHARD, "b")
    assert held is not None
    assert held.whole
    assert held.cursor == cursor("a", 5)
    assert await loaded(under_test.store) == tables


async def test_acquiring_again_with_the_same_token_changes_nothing(under_test: StoreUnderTest) -> None:
    await written(under_test.store)
    first = await under_test.store.acquire(SHARD, "b")
    assert await under_test.store.acquire(SHARD, "b") == first
    await under_test.store.checkpoint(SHARD, cursor("b", 6), Place(5), {})


async def test_an_owner_without_a_checkpoint_may_still_ask_again(under_test: StoreUnderTest) -> None:
    assert await under_test.store.acquire(SHARD, "a") is None
    assert await under_test.store.acquire(SHARD, "a") is None


async def test_fields_are_overwritten_and_dropped(under_test: StoreUnderTest) -> None:
    await written(under_test.store, 5, {"items": {"A@B": b"1", "B@B": b"1"}, "minds": {"A@B": b"1"}})
    await under_test.store.checkpoint(
        SHARD, cursor("a", 6), Place(5), {"items": {"A@B": b"2", "B@B": None}, "minds": {"A@B": None}}
    )
    held = await under_test.store.acquire(SHARD, "b")
    assert held is not None
    assert held.whole
    assert await loaded(under_test.store) == {"items": {"A@B": b"2"}}


async def test_dropping_what_was_never_there_leaves_the_checkpoint_whole(under_test: StoreUnderTest) -> None:
    await written(under_test.store)
    await under_test.store.checkpoint(SHARD, cursor("a", 6), Place(5), {"items": {"GONE@B": None}})
    held = await under_test.store.acquire(SHARD, "b")
    assert held is not None
    assert held.whole


async def test_a_successor_fences_the_writer_before_it(under_test: StoreUnderTest) -> None:
    await written(under_test.store)
    await under_test.store.acquire(SHARD, "b")
    with pytest.raises(Fenced):
        await under_test.store.checkpoint(SHARD, cursor("a", 6), Place(5), {"items": {"TEA@B": b"zombie"}})
    with pytest.raises(Fenced):
        await under_test.store.reset(SHARD, "a")
    assert await loaded(under_test.store) == {"items": {"TEA@B": b"1"}}
    await under_test.store.checkpoint(SHARD, cursor("b", 6), Place(5), {})


async def test_a_forgotten_shard_has_no_writer(under_test: StoreUnderTest) -> None:
    await written(under_test.store)
    await under_test.vandal.forget()
    with pytest.raises(Fenced):
        await under_test.store.checkpoint(SHARD, cursor("a", 6), Place(5), {})


async def test_shards_do_not_touch_each_others_checkpoints(under_test: StoreUnderTest) -> None:
    await written(under_test.store)
    await under_test.store.acquire(SHARD + 1, "b")
    await under_test.store.checkpoint(SHARD + 1, cursor("b", 9), NOWHERE, {"items": {"CUP@B": b"9"}})
    await under_test.store.reset(SHARD + 1, "b")
    assert await loaded(under_test.store) == {"items": {"TEA@B": b"1"}}


async def test_a_repeated_checkpoint_is_done_already(under_test: StoreUnderTest) -> None:
    """The reply to the first may have been lost; the state may even have moved on."""
    await written(under_test.store)
    await under_test.store.checkpoint(SHARD, cursor("a", 6), Place(5), {"items": {"TEA@B": b"2"}})
    await under_test.store.checkpoint(SHARD, cursor("a", 6), Place(5), {"items": {"TEA@B": b"late"}})
    await under_test.store.checkpoint(SHARD, cursor("a", 5), NOWHERE, {"items": {"TEA@B": b"later"}})
    assert await loaded(under_test.store) == {"items": {"TEA@B": b"2"}}


@pytest.mark.parametrize("since", [-1, 4, 6])
async def test_a_checkpoint_that_does_not_continue_the_last_is_refused(under_test: StoreUnderTest, since: int) -> None:
    await written(under_test.store)
    with pytest.raises(Torn):
        await under_test.store.checkpoint(SHARD, cursor("a", 7), Place(since), {"items": {"TEA@B": b"gap"}})
    held = await under_test.store.acquire(SHARD, "a")
    assert held is not None
    assert (held.cursor.next, await loaded(under_test.store)) == (5, {"items": {"TEA@B": b"1"}})


async def test_a_first_checkpoint_starts_from_nothing(under_test: StoreUnderTest) -> None:
    await under_test.store.acquire(SHARD, "a")
    with pytest.raises(Torn):
        await under_test.store.checkpoint(SHARD, cursor("a", 7), Place(3), {})
    await under_test.store.checkpoint(SHARD, cursor("a", 0), NOWHERE, {})
    held = await under_test.store.acquire(SHARD, "b")
    assert held is not None
    assert held.cursor.next == 0


@pytest.mark.parametrize("damage", ["table", "field"])
async def test_a_deleted_field_is_noticed_by_the_writer_and_by_the_next_owner(
    under_test: StoreUnderTest, damage: str
) -> None:
    await written(under_test.store, 5, {"items": {"A@B": b"1", "B@B": b"1"}, "minds": {"A@B": b"1"}})
    if damage == "table":
        await under_test.vandal.drop_table("minds")
    else:
        await under_test.vandal.drop_field("items", "A@B")
    with pytest.raises(Torn):
        await under_test.store.checkpoint(SHARD, cursor("a", 6), Place(5), {"items": {"C@B": b"1"}})
    held = await under_test.store.acquire(SHARD, "b")
    assert held is not None
    assert not held.whole


async def test_a_deleted_cursor_fences_and_leaves_nothing_to_go_on_from(under_test: StoreUnderTest) -> None:
    await written(under_test.store)
    await under_test.vandal.drop_cursor()
    with pytest.raises(Fenced):
        await under_test.store.checkpoint(SHARD, cursor("a", 6), Place(5), {})
    assert await under_test.store.acquire(SHARD, "b") is None
    await under_test.store.reset(SHARD, "b")
    await under_test.store.checkpoint(SHARD, cursor("b", 1), NOWHERE, {"minds": {"A@B": b"1"}})
    held = await under_test.store.acquire(SHARD, "c")
    assert held is not None
    assert held.whole
    assert await loaded(under_test.store) == {"minds": {"A@B": b"1"}}


async def test_reset_forgets_the_state_and_not_the_writer(under_test: StoreUnderTest) -> None:
    await written(under_test.store, 5, {table: {"A@B": b"1"} for table in TABLES})
    await under_test.store.reset(SHARD, "a")
    assert await loaded(under_test.store) == {}
    await under_test.store.checkpoint(SHARD, cursor("a", 2), NOWHERE, {"items": {"A@B": b"2"}})
    held = await under_test.store.acquire(SHARD, "b")
    assert held is not None
    assert (held.whole, held.cursor.next) == (True, 2)


async def test_a_large_checkpoint_is_one_step_and_is_read_in_slices(under_test: StoreUnderTest) -> None:
    """More fields than Lua takes arguments at a time, odd numbers of them, in every table."""
    tables = {table: {f"I{n}@B": b"%d" % n for n in range(9_001 + i)} for i, table in enumerate(TABLES)}
    await written(under_test.store, 5, tables)
    slices = [sum(map(len, tables.values())) async for tables in under_test.store.load(SHARD)]
    assert max(slices) < 5_000
    assert await loaded(under_test.store) == tables
    gone = {table: dict.fromkeys(fields) for table, fields in tables.items()}
    await under_test.store.checkpoint(
        SHARD, cursor("a", 6), Place(5), gone | {"items": gone["items"] | {"NEW@B": b"n"}}
    )
    held = await under_test.store.acquire(SHARD, "b")
    assert held is not None
    assert held.whole
    assert await loaded(under_test.store) == {"items": {"NEW@B": b"n"}}


# Redis alone ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def redis_under_test(redis_client: Redis, app: str) -> tuple[RedisStore, RedisVandal]:
    return RedisStore(redis_client, app), RedisVandal(redis_client, app)


async def test_an_interrupted_script_leaves_a_torn_checkpoint(redis_under_test: tuple[RedisStore, RedisVandal]) -> None:
    """A script that fails halfway keeps what it wrote: `torn` marks that, and nothing is folded onto it."""
    store, vandal = redis_under_test
    await written(store)
    half = (
        1,
        0,
        "1.5",
        0,
        0,
        0,
        0,
        0,
    )  # the second field has no value: HSET fails after the first is set
    with pytest.raises(StoreDown, match="wrong number of arguments"):
        await store._run("checkpoint", SHARD, "a", 5, 0, 6, 0, b"about", *half, "A@B", b"1", "A@B", b"1", "B@B")
    assert await vandal.redis.hexists(vandal.keys["items"], "A@B")
    with pytest.raises(Torn):
        await store.checkpoint(SHARD, cursor("a", 6), Place(5), {})
    held = await store.acquire(SHARD, "b")
    assert held is not None
    assert not held.whole


@pytest.mark.parametrize("field", ["writer", "next", "about", "sizes", "torn", "reviews"])
async def test_a_cursor_without_one_of_its_fields_is_rebuilt(
    redis_under_test: tuple[RedisStore, RedisVandal], field: str
) -> None:
    store, vandal = redis_under_test
    await written(store)
    await store.checkpoint(SHARD, within(64), Place(5), {})
    await vandal.drop_field("cursor", field)
    held = await store.acquire(SHARD, "b")
    assert held is None or not held.whole


async def test_flushed_scripts_are_loaded_again(redis_under_test: tuple[RedisStore, RedisVandal]) -> None:
    store, vandal = redis_under_test
    await written(store)
    await vandal.redis.script_flush()
    await store.checkpoint(SHARD, cursor("a", 6), Place(5), {})


async def test_arguments_that_do_not_add_up_are_refused_before_anything_is_written(
    redis_under_test: tuple[RedisStore, RedisVandal],
) -> None:
    store, _ = redis_under_test
    await written(store)
    with pytest.raises(StoreDown, match="arguments"):
        await store._run("checkpoint", SHARD, "a", 5, 0, 6, 0, b"about", 2, 0, 0, 0, 0, 0, 0, 0, "A@B", b"1", "B@B")
    await store.checkpoint(SHARD, cursor("a", 6), Place(5), {})


async def test_a_look_reads_fields_and_offset_of_one_moment(redis_under_test: tuple[RedisStore, RedisVandal]) -> None:
    store, _ = redis_under_test
    assert await store.look(SHARD, "items", ["A@B"]) == (None, [None])
    await written(store, 5, {"items": {f"I{n:04}@B": b"%d" % n for n in range(3_000)}})
    assert await store.look(SHARD, "items", ["I0007@B", "GONE@B"]) == (Place(5), [b"7", None])
    assert await store.look(SHARD, "items", []) == (Place(5), [])
    assert await store.fields(SHARD, "items") == [f"I{n:04}@B" for n in range(3_000)]


async def test_a_server_that_starts_again_while_it_is_read_hides_no_field(
    redis_under_test: tuple[RedisStore, RedisVandal], servers: LocalServers
) -> None:
    """It holds its fields in another order then: a scan that goes on would miss some, and half a state seem whole."""
    store, _ = redis_under_test
    await written(store, 5, {"items": {f"I{n:05}@B": b"%d" % n for n in range(20_000)}})
    held = await store.acquire(SHARD, "b")
    slices = 0

    async def read() -> None:
        nonlocal slices
        async for _ in store.load(SHARD):
            slices += 1
            if slices == 5:
                servers.redis_process.stop()
                servers.redis_process.start()

    with pytest.raises(Torn, match="changed while it was read"):
        await read()
    assert slices > 5, "what was read after the start was not asked for"
    assert await store.acquire(SHARD, "b") == held, "nothing else shows it"
    assert len((await loaded(store))["items"]) == 20_000


async def test_a_server_that_is_away_is_a_store_that_is_down(app: str) -> None:
    listener = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    store = RedisStore(async_client_of(Settings(redis=f"redis://127.0.0.1:{port}/0")), app)
    with pytest.raises(StoreDown):
        await store.acquire(SHARD, "a")
    with pytest.raises(StoreDown):
        await loaded(store)
    await store.close()
    listener.close()


# Within a tick --------------------------------------------------------------------------------------------------------


def within(count: int) -> Cursor:
    return cursor("a", 5, within=Within((1000, "TEA@B"), count // 2, count))


async def test_a_checkpoint_may_stand_within_a_tick(under_test: StoreUnderTest) -> None:
    store = under_test.store
    await written(store)
    await store.checkpoint(SHARD, within(64), Place(5), {"items": {"TEA@B": b"2"}})
    await store.checkpoint(SHARD, within(128), Place(5, 64), {"items": {"TEA@B": b"3"}})
    await store.checkpoint(SHARD, within(128), Place(5, 64), {"items": {"TEA@B": b"a lost reply"}})
    await store.checkpoint(SHARD, within(64), Place(5), {"items": {"TEA@B": b"late"}})
    held = await store.acquire(SHARD, "a")
    assert held is not None
    assert (held.cursor, held.cursor.place, held.whole) == (within(128), Place(5, 128), True)
    assert await loaded(store) == {"items": {"TEA@B": b"3"}}
    for since in (Place(5), Place(5, 64), Place(6), Place(4, 128)):
        with pytest.raises(Torn):
            await store.checkpoint(SHARD, cursor("a", 6), since, {})
    await store.checkpoint(SHARD, cursor("a", 6), Place(5, 128), {})
    held = await store.acquire(SHARD, "a")
    assert held is not None
    assert held.cursor == cursor("a", 6)
