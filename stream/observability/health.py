"""Serves metrics and health over HTTP, on loopback unless set otherwise, from a worker's first moment on.

`/healthz`: alive, which is progress wherever there is work (`liveness.py`). `/readyz`: servers answer, and all that is
assigned is read and not far behind (`readiness.py`). Both say in a line why not.
"""

import logging
from collections.abc import Callable
from typing import TypeAlias

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from stream.errors import WrongUse
from stream.setting_values import Address

logger = logging.getLogger(__name__)
WhyNot: TypeAlias = Callable[[], str]
"""One line that says why not; an empty text for yes."""


class Health:
    """The HTTP server of a worker."""

    def __init__(self, address: Address, registry: CollectorRegistry, why_not_ready: WhyNot) -> None:
        self.why_not_ready = why_not_ready
        self.why_not_alive: WhyNot = str
        self._address = address
        self._registry = registry
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen, and log where."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/metrics", self._serve_metrics),
                web.get("/healthz", self._serve_life),
                web.get("/readyz", self._serve_ready),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._address.host, self._address.port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise WrongUse(
                f"RESTOCK_METRICS={self._address} cannot be listened on ({error.strerror}): "
                "set another address, or :0 for any free port"
            ) from None
        host, port = self._runner.addresses[0][:2]
        logger.info("Metrics and health at http://%s:%d/metrics", host, port)

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve_metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _serve_life(self, _: web.Request) -> web.Response:
        return _answer("alive", self.why_not_alive())

    async def _serve_ready(self, _: web.Request) -> web.Response:
        return _answer("ready", self.why_not_ready())


def _answer(good: str, why_not: str) -> web.Response:
    return web.Response(text=f"{why_not or good}\n", status=503 if why_not else 200)
