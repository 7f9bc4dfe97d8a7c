"""Writes log records as lines: JSON objects for programs, or text for people; the same is said and left out in both.

>>> record = logging.LogRecord("stream.retry", logging.WARNING, "", 1, "%s is away", (KeyError("Zoe"),), None)
>>> TextLines(Redactor()).format(record)[-25:]
'WARNING  KeyError is away'
"""

import json
import logging
from datetime import UTC, datetime

from stream.observability.log_fields import current
from stream.observability.log_privacy import HarmlessError, Redactor, told_with_stack


class _Lines(logging.Formatter):
    """What both forms share: the message without payload and secrets, the exception, the fields."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self.redact = redact

    def message(self, record: logging.LogRecord) -> str:
        """The message, with errors among its arguments told as far as they may be."""
        arguments = record.args
        if isinstance(arguments, tuple) and arguments:
            safe = tuple(HarmlessError(each) if isinstance(each, BaseException) else each for each in arguments)
            text = str(record.msg) % safe
        elif isinstance(record.msg, BaseException):
            text = str(HarmlessError(record.msg))
        else:
            text = record.getMessage()
        # Behind its first line asyncio writes tasks, and with them the text of what they raised.
        return self.redact(text.partition("\n")[0] if record.name == "asyncio" else text)

    def exception(self, record: logging.LogRecord) -> str | None:
        """The exception with its stack; None where there is none."""
        error = record.exc_info[1] if record.exc_info else None
        return None if error is None else self.redact(told_with_stack(error))

    def fields(self, record: logging.LogRecord) -> dict[str, object]:
        """What the record is about."""
        given = {**current(), **getattr(record, "fields", {})}
        said = {name: value for name, value in given.items() if value not in {None, ""}}
        return {name: self.redact(value) if isinstance(value, str) else value for name, value in said.items()}


class JsonLines(_Lines):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one log record."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.message(record),
        }
        line |= {name: value for name, value in self.fields(record).items() if name not in line}
        if (exception := self.exception(record)) is not None:
            line["exception"] = exception
        return json.dumps(line)


class TextLines(_Lines):
    """Lines for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one log record."""
        fields = " ".join(f"{name}={value}" for name, value in self.fields(record).items())
        said = f"{self.formatTime(record)} {record.levelname:<8} {self.message(record)}{fields and f'  [{fields}]'}"
        exception = self.exception(record)
        return said if exception is None else f"{said}\n{exception}"
