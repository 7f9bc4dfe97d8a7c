"""Errors that a user sees: one line that names the key, the value and the cure, and an exit code.

>>> WrongUse("RESTOCK_PARTITIONS=zero is not a number: give 1 to 10000").exit_code
2
"""


class RestockError(Exception):
    """What a command prints as one line on standard error; its class decides the exit code."""

    exit_code = 1


class AnswerIsNo(RestockError):
    """The question was understood and the answer is no."""

    exit_code = 1


class WrongUse(RestockError):
    """A wrong argument, setting or file: nothing was tried."""

    exit_code = 2


class Unreachable(RestockError):
    """A server, or the place a download comes from, does not answer."""

    exit_code = 3


class AccessDenied(Unreachable):
    """A server refuses this client: waiting does not help."""
