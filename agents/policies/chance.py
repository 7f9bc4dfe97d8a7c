"""The little chance that policies use: a number that item, period and purpose determine, so a replay redraws it."""

import hashlib


def uniform(item: str, period: int, purpose: str) -> float:
    """A number in [0, 1) that looks random.

    >>> uniform("A@X", 3, "lead time") == uniform("A@X", 3, "lead time") != uniform("A@X", 4, "lead time")
    True
    """
    words = f"{item}\x1f{period}\x1f{purpose}".encode()
    return int.from_bytes(hashlib.blake2b(words, digest_size=7).digest(), "big") / 2.0**56
