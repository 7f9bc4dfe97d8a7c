"""People who are told of the drilled shop: `restock notify`, and the webhook that it tells."""

import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from stream.local.free_ports import LOOPBACK, free_ports
from tests.chaos.system import COMMAND, System
from tests.fakes.webhook import Webhook

TABLE = """
[notify]
quiet = ""
pause = "1s"
metrics = "{metrics}"

[[notify.to]]
name = "buyers"
url = "json://{webhook}"
"""


class People:
    """Buyers, and the process that tells them."""

    def __init__(self, system: System, home: Path) -> None:
        self.metrics = f"{LOOPBACK}:{free_ports({'metrics': 0})['metrics']}"
        """Where Prometheus reads it."""
        self.webhook = Webhook()
        self._system, self._home = system, home
        self._table = home / "people.toml"
        self._table.write_text(TABLE.format(metrics=self.metrics, webhook=self.webhook.address), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Listen, and begin to tell."""
        threading.Thread(target=self.webhook.server.serve_forever, daemon=True).start()
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell no more."""
        self.kill()
        self.webhook.server.shutdown()
        self.webhook.server.server_close()

    def begin(self) -> None:
        with (self._home / "notify.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(COMMAND), "notify", "--config", str(self._table)],
                env=self._system.environment,
                cwd=self._home,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
