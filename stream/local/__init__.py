"""Real Apache Kafka and real Valkey as child processes on loopback, for demo, tests and development.

    with LocalServers(Path(".restock/local")) as servers:
        servers.kafka    # "127.0.0.1:9092"
        servers.redis    # "redis://127.0.0.1:6379/0"

Everything comes from packages (the extra `restock[local]`): no root, Docker, Java or Redis on the machine.
"""

from stream.local.servers import LocalServers

__all__ = ["LocalServers"]
