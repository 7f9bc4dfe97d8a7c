"""Serves metrics and health over HTTP, on loopback unless set otherwise.

`/healthz`: the process answers. `/readyz`: it has partitions, every shard of it is taken, and none is far behind.
"""

import logging

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from stream.errors import WrongUse
from stream.observability.metrics import Metrics
from stream.setting_values import Address

logger = logging.getLogger(__name__)


class Health:
    """The HTTP server of a worker."""

    def __init__(self, address: Address, metrics: Metrics) -> None:
        self._address = address
        self._metrics = metrics
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen, and log where."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/metrics", self._serve_metrics),
                web.get("/healthz", _serve_life),
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
        return web.Response(body=generate_latest(self._metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _serve_ready(self, _: web.Request) -> web.Response:
        missing = self._metrics.readiness.why_not()
        return web.Response(text=missing or "ready\n", status=503 if missing else 200)


async def _serve_life(_: web.Request) -> web.Response:
    return web.Response(text="alive\n")
