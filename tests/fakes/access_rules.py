"""A broker that knows access rules; where there are none, everything is allowed."""

from stream.local import LocalServers

RULES = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}


def with_access_rules(servers: LocalServers) -> None:
    """Give them to servers that are not yet started."""
    plain = servers.kafka_process._settings
    servers.kafka_process._settings = lambda: plain() | RULES  # type: ignore[method-assign]
