"""What access rules forbid is found, on a broker that has some."""

from pathlib import Path

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from stream.kafka import topics
from stream.kafka.topic_access import forbidden
from stream.local import LocalServers
from stream.settings import Settings
from tests.fakes.access_rules import with_access_rules


def where(settings: Settings) -> tuple[ResourceType, str, ResourcePatternType, str, str]:
    return ResourceType.TOPIC, settings.topic("ledger"), ResourcePatternType.LITERAL, "User:ANONYMOUS", "*"


def test_what_a_worker_needs_and_may_not_is_found(tmp_path: Path) -> None:
    servers = LocalServers(tmp_path / "servers", usual_ports=False)
    with_access_rules(servers)
    with servers:
        settings = Settings(kafka=servers.kafka, redis=servers.redis, app="access", topic_prefix="a.", partitions=1)
        topics.create(settings)
        assert forbidden(settings) == {}
        admin, ledger = AdminClient({"bootstrap.servers": servers.kafka}), where(settings)
        allowed = AclBinding(*ledger, AclOperation.ALL, AclPermissionType.ALLOW)
        denied = AclBinding(*ledger, AclOperation.WRITE, AclPermissionType.DENY)
        for made in admin.create_acls([allowed, denied]).values():
            made.result(30)
        assert forbidden(settings) == {"a.ledger": ["write"]}
        for gone in admin.delete_acls([AclBindingFilter(*ledger, AclOperation.ALL, AclPermissionType.ALLOW)]).values():
            gone.result(30)
        assert forbidden(settings) == {"a.ledger": ["read", "write"]}, "nor to look at it"
