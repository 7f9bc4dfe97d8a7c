"""An Alertmanager holds what restock holds: open alerts again and again, ended ones once."""

from typing import Any

from agents.notify.alertmanager import AGAIN_MS, LASTS_MS, URGENCY, AlertmanagerMirror
from agents.notify.delivery_counts import DeliveryCounts
from agents.notify.matters import KnownItem, Matters, RecordPlace
from agents.notify.recipient import Recipient, Url
from schemas.outbound import OutputEvent
from schemas.quantities import instant
from tests.fakes.outputs import alert
from tests.fakes.webhook import Webhook

NOW_MS = 1_772_000_000_000


class MirroredShop:
    def __init__(self, webhook: Webhook) -> None:
        recipient = Recipient("am", Url(f"alertmanager://me:pass@{webhook.address}/am/"))
        self.counts = DeliveryCounts([("am", URGENCY)])
        self.mirror = AlertmanagerMirror(recipient, 5_000, self.counts)
        self.matters = Matters()
        self.webhook = webhook
        self.now_ms = NOW_MS
        self.offset = 0

    def happens(self, event: OutputEvent) -> None:
        self.matters.take(RecordPlace("alerts", 0, self.offset, self.now_ms), event)
        self.offset += 1

    def round(self, after_ms: int = 0) -> list[dict[str, Any]]:
        self.now_ms += after_ms
        before = len(self.webhook.requests)
        known = {"A@BER1": KnownItem("acme", "A")}
        self.mirror.round(list(self.matters.open.values()), self.matters.ended, known, self.now_ms)
        self.matters.ended.clear()
        return [each for request in self.webhook.requests[before:] for each in request.body]


def test_an_alert_is_posted_kept_alive_and_ended(webhook: Webhook) -> None:
    shop = MirroredShop(webhook)
    shop.happens(alert("A@BER1", kind="stock_out", severity="critical", time_ms=NOW_MS - 5))
    (posted,) = shop.round()
    labels = {"alertname": "StockOut", "severity": "critical", "item": "A@BER1", "sku": "A", "location": "BER1"}
    assert posted["labels"] == labels | {"job": "restock-notify"}
    assert posted["annotations"]["supplier"] == "acme"
    assert (posted["startsAt"], posted["endsAt"]) == (instant(NOW_MS - 5), instant(NOW_MS + LASTS_MS))
    assert webhook.requests[0].path == "/am/api/v2/alerts"
    assert shop.round(1_000) == [], "nothing changed"
    assert len(shop.round(AGAIN_MS)) == 1
    shop.happens(alert("A@BER1", "cleared", kind="stock_out", severity="info", time_ms=shop.now_ms))
    (ended,) = shop.round(1_000)
    assert ended["labels"] == posted["labels"]
    assert ended["endsAt"] == instant(shop.now_ms - 1_000)


def test_what_was_not_taken_is_said_again(webhook: Webhook) -> None:
    shop = MirroredShop(webhook)
    shop.happens(alert("A@BER1"))
    shop.round()
    shop.happens(alert("A@BER1", "cleared", time_ms=NOW_MS + 7))
    webhook.answers = [503]
    shop.round()
    assert shop.mirror.refused == 1
    assert shop.round(4_999) == []
    (ended,) = shop.round(1)
    assert ended["endsAt"] == instant(NOW_MS + 7)
    assert shop.mirror.refused == 0
