"""Keeps payload, personal data and secrets out of log lines.

Errors of our own and of the clients of Kafka and Redis speak of servers, settings and places. The text of any other may
quote what it stumbled over, a customer's name for instance: of those only the kind is told, and where it was raised.

>>> told(KeyError("zoe@example.org")), told(Fault("timed out"))
('KeyError', "Fault('timed out')")
>>> Redactor(["hunter22"])("redis://worker:s3cret@cache:6379/0 refuses hunter22")
'redis://worker:***@cache:6379/0 refuses ***'
"""

import re
import traceback
from collections.abc import Iterable, Iterator

from stream.errors import RestockError
from stream.faults import Fault
from stream.settings import Settings

SHORTEST_SECRET = 6
"""A shorter secret would be found in words and numbers that have nothing to do with it."""
_OF_SERVERS = ("aiokafka.", "cimpl", "confluent_kafka", "redis.")
_PASSWORD = re.compile(r"([A-Za-z][\w+.-]*://[^\s:/@]*):[^\s@]+@")


class Redactor:
    """Masks passwords of URLs, and these secrets wherever they stand."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = [secret for secret in secrets if len(secret) >= SHORTEST_SECRET]

    def __call__(self, text: str) -> str:
        """Mask a text."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return _PASSWORD.sub(r"\1:***@", text) if "://" in text else text


def secrets_of(settings: Settings) -> list[str]:
    """The secrets of these settings: what their files hold. Passwords in URLs are masked wherever they are."""
    files = settings.kafka_password_file, settings.redis_password_file, settings.privacy_key_file
    return [path.read_bytes().decode(errors="replace").strip() for path in files if path is not None]


class HarmlessError:
    """Stands for an error in a message: its text as `%s`, with its kind as `%r`, and only the kind if it may quote."""

    def __init__(self, error: BaseException) -> None:
        quotes, kind = not _speaks_of_servers(error), type(error).__name__
        self._text = kind if quotes else str(error)
        self._whole = kind if quotes else repr(error)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return self._whole


def told(error: BaseException) -> str:
    """An error in one line, as far as its text can be trusted to hold no payload."""
    return repr(HarmlessError(error))


def told_with_stack(error: BaseException) -> str:
    """An error and what caused it, with the lines of code they passed."""
    return "".join(_passages(error, set())).rstrip()


def _passages(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _passages(before, seen)
        yield "\nand then\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{told(error)}\n"


def _speaks_of_servers(error: BaseException) -> bool:
    return isinstance(error, RestockError | Fault | OSError) or type(error).__module__.startswith(_OF_SERVERS)
