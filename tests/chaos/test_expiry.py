"""The broker forgets unused transactional ids: a quiet shard's next transaction is published all the same, once."""

import time
from pathlib import Path

from stream.local import LocalServers
from tests.chaos.run import Run

EXPIRY_SECONDS = 3
FORGETFUL = {
    "transactional.id.expiration.ms": str(EXPIRY_SECONDS * 1000),
    "transaction.remove.expired.transaction.cleanup.interval.ms": "1000",
    "producer.id.expiration.ms": str(EXPIRY_SECONDS * 1000),
    "producer.id.expiration.check.interval.ms": "1000",
}


def test_a_shard_that_rested_publishes_once(app: str, tmp_path: Path) -> None:
    servers = LocalServers(tmp_path / "servers", usual_ports=False)
    plain = servers.kafka_process._settings
    servers.kafka_process._settings = lambda: plain() | FORGETFUL  # type: ignore[method-assign]
    with servers, Run(servers.kafka, servers.redis, app, tmp_path, 20260306) as run:
        worker = run.system.start()
        run.open()
        for _ in range(3):
            run.publish(16, 25)
            run.system.settle()
            time.sleep(EXPIRY_SECONDS + 3)  # only the broker can see it happen
        assert worker.running, worker.tail()
        report = run.finish()
        journal = worker.log.read_text()
    assert not report.violations, report
    assert "aborted transaction" in journal or "will be taken again" in journal or "stumbled" in journal, journal
