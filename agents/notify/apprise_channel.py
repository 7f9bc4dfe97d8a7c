"""Sends a notification to mail, chat or a webhook through `apprise`, which speaks with all of them.

Webhooks (`json://`, `form://`, `xml://`) and mail carry the idempotency key in a header, and every text ends with it.
What apprise logs is not shown: there are addresses in it.
"""

import re
from typing import Any

from agents.notify.notifier import NotTold
from agents.notify.recipient import Recipient
from agents.notify.wording import NotificationText
from schemas.outbound import Severity
from stream.errors import WrongUse

KEY_HEADER = "Idempotency-Key"
_WITH_HEADERS = frozenset({"json", "jsons", "form", "forms", "xml", "xmls", "mailto", "mailtos"})
_TYPES: dict[Severity, str] = {"critical": "failure", "warning": "warning", "info": "info"}


class AppriseChannel:
    """The way to one recipient."""

    def __init__(self, recipient: Recipient) -> None:
        self._recipient = recipient
        try:
            import apprise  # noqa: PLC0415 - an extra
        except ImportError:
            raise WrongUse(
                f"notify.to {recipient.name}: {recipient.url.scheme}:// needs apprise: install restock[notify]"
            ) from None
        self._apprise: Any = apprise
        self._made()

    def send(self, text: NotificationText) -> None:
        """Send it; NotTold when it was not taken."""
        service = self._made()
        if self._recipient.url.scheme in _WITH_HEADERS:
            service.headers[KEY_HEADER] = text.key
        all_services = self._apprise.Apprise(asset=self._asset())
        all_services.add(service)
        with self._apprise.LogCapture(level=self._apprise.logging.WARNING) as log:
            taken = all_services.notify(
                title=text.title,
                body=text.text,
                notify_type=_TYPES[text.severity],
                body_format=self._apprise.NotifyFormat.TEXT,
            )
            reason = re.search(r"error=(\d+)", log.getvalue())
        if not taken:
            raise NotTold(f"refused with {reason[1]}" if reason else "it does not answer, or refuses")

    def _made(self) -> Any:
        service = self._apprise.Apprise.instantiate(self._recipient.url.reveal(), asset=self._asset())
        if service is None:
            raise WrongUse(
                f"notify.to {self._recipient.name}: its {self._recipient.url.scheme}:// address is none that apprise "
                "knows: see `apprise --details`"
            )
        return service

    def _asset(self) -> Any:
        return self._apprise.AppriseAsset(app_id="restock", app_desc="restock", app_url="")
