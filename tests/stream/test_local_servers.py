"""The local servers, on the real thing."""

import redis
from confluent_kafka.admin import AdminClient

from stream.local import LocalServers


def test_both_accept(servers: LocalServers, redis_url: str) -> None:
    admin = AdminClient({"bootstrap.servers": servers.kafka})
    assert len(admin.list_topics(timeout=10).brokers) == 1
    with redis.Redis.from_url(redis_url) as client:
        assert client.ping()
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
