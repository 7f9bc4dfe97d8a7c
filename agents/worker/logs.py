"""Sets up the log of a worker: lines for people on a terminal, JSON lines everywhere else, unless a setting says so.

Every library's log goes the same way. Below `info` only our own is written: what Kafka's client says of each request
would hold the records of producers, and passwords.
"""

import logging
import sys

from stream.observability.log_limit import LimitedStream
from stream.observability.log_lines import JsonLines, TextLines
from stream.observability.log_privacy import Redactor, secrets_of
from stream.settings import Settings

OURS = ("agents", "stream", "schemas")
# These libraries log every attempt; what matters of it, we log once.
QUIET = {"aiokafka": logging.CRITICAL, "faust": logging.ERROR, "mode": logging.ERROR, "aiohttp": logging.ERROR}


def set_up(settings: Settings) -> None:
    """Log to standard error."""
    handler, redact = LimitedStream(sys.stderr), Redactor(secrets_of(settings))
    text = sys.stderr.isatty() if settings.log_format == "auto" else settings.log_format == "text"
    handler.setFormatter(TextLines(redact) if text else JsonLines(redact))
    level = getattr(logging, settings.log.upper())
    logging.basicConfig(level=max(level, logging.INFO), handlers=[handler], force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(logging.INFO if level == logging.DEBUG else least)
