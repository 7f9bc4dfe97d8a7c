"""Named places where a test may end the process: `RESTOCK_FAILPOINTS="work.after_publish=0.01"` kills it there.

Without the variable a failpoint costs one look at an empty dictionary. The variable is for fault campaigns, not for
users. It is read once, and a name that no code passes has no effect.
"""

import os
import random
import signal

VARIABLE = "RESTOCK_FAILPOINTS"
"""It is no setting: only tests set it."""
_armed: dict[str, float] = {}
_chance = random.Random()


def arm(text: str, seed: int | None = None) -> None:
    """Set the chances from `name=probability,…`; an empty text disarms all.

    >>> arm("work.folded=0.5"); _armed
    {'work.folded': 0.5}
    >>> arm(""); failpoint("work.folded")
    """
    _armed.clear()
    _armed.update(
        (name, float(chance)) for name, _, chance in (part.partition("=") for part in text.split(",") if part)
    )
    if seed is not None:
        _chance.seed(seed)


def failpoint(name: str) -> None:
    """End this process here, as kill -9 would, if the campaign says so."""
    if _armed and _chance.random() < _armed.get(name, 0.0):
        os.kill(os.getpid(), signal.SIGKILL)


arm(os.environ.get(VARIABLE, ""))
