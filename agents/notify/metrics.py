"""Serves the metrics of `restock notify`, on loopback unless set otherwise.

A second one on the same machine finds the address taken while the first still runs: it tells people all the same, and
listens once the first has ended.
"""

import logging
from collections.abc import Iterable, Iterator
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from agents.notify.delivery_counts import DeliveryCounts, MailingKey
from stream.observability.metric_families import counter, gauge
from stream.setting_values import Address

logger = logging.getLogger(__name__)
LABELS = ("recipient", "urgency")


class NotifyMetrics(Collector):
    """What the counts say, in a registry of its own."""

    def __init__(self, counts: DeliveryCounts) -> None:
        self.registry = CollectorRegistry()
        self._counts = counts
        self.registry.register(self)

    def describe(self) -> Iterable[Metric]:
        """Describe what is collected."""
        return self.collect()

    def collect(self) -> Iterator[Metric]:
        """Collect all metrics as they are now."""
        counts = self._counts
        yield counter("restock_notify_delivered", "Notifications that a recipient took.", (LABELS, counts.delivered))
        text = "Notifications that a recipient did not take; each is sent again."
        yield counter("restock_notify_failed", text, (LABELS, counts.failed))
        text = "Whether a recipient is to be told something that it has refused, and has not taken since."
        yield gauge("restock_notify_waiting", text, (LABELS, counts.waiting))
        told: dict[MailingKey, float] = {key: told_ms / 1_000 for key, told_ms in counts.told_ms.items()}
        text = "When a recipient last took a notification; 0 for never since this process began."
        yield gauge("restock_notify_told_timestamp_seconds", text, (LABELS, told))
        text = "When it last went round: what came was read, and what was due was sent or refused; 0 for never."
        yield gauge("restock_notify_round_timestamp_seconds", text, counts.round_ms / 1_000)
        yield gauge("restock_notify_matters_open", "Alerts and proposals that are open.", counts.open)


class MetricsServer:
    """Listens at an address as soon as it is free."""

    def __init__(self, address: Address | None, counts: DeliveryCounts) -> None:
        self._address = address
        self._metrics = NotifyMetrics(counts)
        self._server: WSGIServer | None = None
        self._warned = False

    def listen(self) -> None:
        """Listen, if that is not done yet; a taken address is said once."""
        if self._server is not None or self._address is None:
            return
        try:
            self._server, _ = start_http_server(self._address.port, self._address.host, self._metrics.registry)
        except OSError as error:
            if not self._warned:
                logger.warning("notify.metrics=%s cannot be listened on (%s)", self._address, error.strerror)
            self._warned = True
        else:
            logger.info("Metrics at http://%s:%d/metrics", self._address.host, self._server.server_port)

    def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
