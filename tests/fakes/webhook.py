"""A webhook on loopback that remembers what it was told, and refuses as often as it is asked to."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class WebhookRequest(NamedTuple):
    path: str
    key: str | None
    body: Any


class Webhook:
    """A server on loopback; `answers` are the codes of its next answers, then it accepts."""

    def __init__(self) -> None:
        self.requests: list[WebhookRequest] = []
        self.answers: list[int] = []
        self.on_request: Callable[[], None] = lambda: None
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                webhook.requests.append(WebhookRequest(self.path, self.headers.get("Idempotency-Key"), body))
                webhook.on_request()
                self.send_response(webhook.answers.pop(0) if webhook.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
