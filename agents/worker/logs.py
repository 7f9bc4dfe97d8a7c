"""Sets up a worker's log: lines for people on a terminal, JSON lines everywhere else."""

import json
import logging
import sys
from datetime import UTC, datetime

# These libraries log every attempt; what matters of it, we log once.
QUIET = {"aiokafka": logging.CRITICAL, "faust": logging.ERROR, "mode": logging.ERROR, "aiohttp": logging.ERROR}


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one log record."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def set_up(level: str) -> None:
    """Log to standard error from this level on."""
    handler = logging.StreamHandler(sys.stderr)
    if sys.stderr.isatty():
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-8s %(message)s"))
    else:
        handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    if level != "debug":
        for name, least in QUIET.items():
            logging.getLogger(name).setLevel(least)
