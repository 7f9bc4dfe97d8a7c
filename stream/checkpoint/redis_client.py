"""Makes Redis clients from the settings, for workers and commands alike.

`redis+cluster://` and `rediss+cluster://` name any node of a Redis Cluster; a shard's keys share one slot.

>>> client_of(Settings(redis="redis://cache:6380/2")).connection_pool.connection_kwargs["host"]
'cache'
"""

from typing import Any

import redis
from redis import asyncio as redis_asyncio
from redis.asyncio.cluster import RedisCluster as AsyncRedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.exceptions import AuthenticationError, NoPermissionError, RedisClusterException, RedisError

from stream.errors import AccessDenied, Unreachable
from stream.kafka.clients import read_secret
from stream.settings import Settings, mask

CLUSTER = "+cluster"
ANSWER_SECONDS = 10.0
"""A connection that is silent for so long is taken for half open; writing the largest checkpoint takes less."""
_TIMEOUTS = ("socket_timeout", "socket_connect_timeout")


def client_of(settings: Settings) -> "redis.Redis | RedisCluster":
    """Make a client. It connects later; only one of a cluster connects at once, to ask for the slots."""
    url, options = _url_and_options(settings)
    try:
        return (RedisCluster if CLUSTER in settings.redis else redis.Redis).from_url(url, **options)
    except (RedisError, RedisClusterException, OSError) as error:
        raise unreachable(settings, error) from None


def async_client_of(settings: Settings) -> "redis_asyncio.Redis | AsyncRedisCluster":
    """Make a client for asyncio. It reopens a connection once and waits for no server: callers do, and log it."""
    url, options = _url_and_options(settings)
    if CLUSTER in settings.redis:
        return AsyncRedisCluster.from_url(url, **options)
    return redis_asyncio.Redis.from_url(url, retry=Retry(NoBackoff(), 1), **options)


def reach_redis(settings: Settings) -> "redis.Redis | RedisCluster":
    """A client whose server has just answered."""
    client = client_of(settings)
    try:
        client.ping()
    except (RedisError, RedisClusterException, OSError) as error:
        raise unreachable(settings, error) from None
    return client


def unreachable(settings: Settings, error: Exception) -> Unreachable:
    """An error that says in one line what to do when Redis does not answer."""
    url = mask(settings.redis)
    if isinstance(error, AuthenticationError | NoPermissionError):
        return AccessDenied(
            f"RESTOCK_REDIS={url} refuses this client ({error}): check user and RESTOCK_REDIS_PASSWORD_FILE"
        )
    return Unreachable(
        f"RESTOCK_REDIS={url} does not answer ({error}): start a server (`restock local`) or set RESTOCK_REDIS"
    )


def _url_and_options(settings: Settings) -> tuple[str, dict[str, Any]]:
    options: dict[str, Any] = {"health_check_interval": 15} | dict.fromkeys(_TIMEOUTS, ANSWER_SECONDS)
    if settings.redis_password_file:
        password = read_secret(settings.redis_password_file, "RESTOCK_REDIS_PASSWORD_FILE")
        return settings.redis.replace(CLUSTER, "", 1), options | {"password": password}
    return settings.redis.replace(CLUSTER, "", 1), options
