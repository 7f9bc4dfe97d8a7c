"""Keeps an Alertmanager's alerts as restock's: what is open is said every minute, what ended is said to have ended.

The labels are the identity there, so nothing is told twice however often it is said; grouping, hours and silences are
the Alertmanager's own. What is not said again ends by itself after `LASTS_MS`, as with Prometheus.

>>> address(Url("alertmanager://127.0.0.1:9093/am"))
'http://127.0.0.1:9093/am/api/v2/alerts'
"""

import http.client
import json
import logging
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from agents.notify.delivery_counts import DeliveryCounts
from agents.notify.matters import KnownItem, Matter
from agents.notify.pauses import pause_ms
from agents.notify.recipient import Recipient, Url
from schemas.outbound import Severity, StockAlert
from schemas.quantities import MINUTE_MS, instant, split_item

logger = logging.getLogger(__name__)

AGAIN_MS = MINUTE_MS
LASTS_MS = 15 * MINUTE_MS
SLICE = 500
JOB = "restock-notify"
"""Keeps alerts of items apart from those of the service, which Prometheus raises under another `job`."""
URGENCY = "alertmanager"
"""What counts call it: it has hours of its own."""
ANSWER_SECONDS = 10.0


class AlertmanagerMirror:
    """One Alertmanager, and what it was told."""

    def __init__(self, recipient: Recipient, retry_ms: int, counts: DeliveryCounts) -> None:
        self.recipient = recipient
        self.refused = 0
        """How often in a row it did not take what was said."""
        self.next_try_ms = 0
        self._retry_ms = retry_ms
        self._counts = counts
        self._said: dict[str, tuple[Severity, int]] = {}
        """The matters that it holds to be open: severity, and the offset that brought it."""
        self._ended: list[tuple[Matter, int]] = []
        self._again_ms = 0

    def round(
        self,
        matters: Sequence[Matter],
        ended: Sequence[tuple[Matter, int]],
        known: Mapping[str, KnownItem],
        now_ms: int,
    ) -> None:
        """Say what is due; what nobody took is said again later."""
        wanted = [matter for matter in matters if self.recipient.wants(matter, known)]
        self._ended += ended
        now_open = {matter.name: (matter.severity, matter.offset) for matter in wanted}
        changed = self._ended or now_open != self._said or now_ms >= self._again_ms
        if not changed or now_ms < self.next_try_ms:
            return
        alerts = [alert_of(matter, known, now_ms + LASTS_MS) for matter in wanted]
        alerts += [alert_of(matter, known, max(matter.since_ms, moment)) for matter, moment in self._ended]
        try:
            for some in _slices(alerts):
                _post(self.recipient.url, some)
        except (OSError, http.client.HTTPException) as error:
            why = f"HTTP {error.code}" if isinstance(error, urllib.error.HTTPError) else type(error).__name__
            logger.warning("%s did not take %d alerts: %s", self.recipient.name, len(alerts), why)
            self.refused += 1
            self._counts.refused(self.recipient.name, URGENCY)
            self.next_try_ms = now_ms + pause_ms(self._retry_ms, self.refused)
        else:
            self._said, self._ended, self._again_ms, self.refused = now_open, [], now_ms + AGAIN_MS, 0
            self._counts.told(self.recipient.name, URGENCY, now_ms)


def alert_of(matter: Matter, known: Mapping[str, KnownItem], ends_ms: int) -> dict[str, Any]:
    """A matter as Alertmanager's interface has it; what may change is an annotation and no label."""
    sku, location = split_item(matter.item)
    item, body = known.get(matter.item), matter.body
    annotations = {"summary": f"{matter.kind.replace('_', ' ')}: {matter.item}"}
    if isinstance(body, StockAlert):
        annotations |= {"on_hand": str(body.on_hand), "on_order": str(body.on_order), "runbook_url": body.runbook}
    else:
        annotations |= {"quantity": str(body.quantity), "replenishment_id": body.replenishment_id}
    if item is not None:
        annotations |= {"supplier": item.supplier or "", "class": item.abc}
    return {
        "labels": {
            "alertname": matter.kind.title().replace("_", ""),
            "job": JOB,
            "severity": matter.severity,
            "item": matter.item,
            "sku": sku,
            "location": location,
        },
        "annotations": annotations,
        "startsAt": instant(matter.since_ms),
        "endsAt": instant(ends_ms),
    }


def address(url: Url) -> str:
    """Where alerts are posted to, without user and password."""
    parts = urlsplit(url.reveal())
    scheme = "https" if url.scheme == "alertmanagers" else "http"
    return f"{scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}/api/v2/alerts"


def _post(url: Url, alerts: Sequence[Mapping[str, Any]]) -> None:
    headers = {"Content-Type": "application/json"}
    parts = urlsplit(url.reveal())
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
    asked = urllib.request.Request(address(url), json.dumps(alerts).encode(), headers)  # noqa: S310 - http or https
    with urllib.request.urlopen(asked, timeout=ANSWER_SECONDS):  # noqa: S310
        pass


def _slices(alerts: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    return (alerts[first : first + SLICE] for first in range(0, len(alerts), SLICE))
