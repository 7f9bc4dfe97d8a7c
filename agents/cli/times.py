"""How commands take a point in time: a moment, or how long ago.

>>> moment_ms("--since", "1970-01-02"), moment_ms("--since", "1h", now_ms=3_600_001)
(86400000, 1)
"""

import time

from stream.errors import WrongUse
from stream.setting_values import DURATION, MOMENT


def moment_ms(option: str, value: str, now_ms: int | None = None) -> int:
    """Milliseconds since 1970 of a moment such as 2026-03-01, or of a time ago such as 7d."""
    try:
        return int(MOMENT.read(value))
    except ValueError:
        pass
    try:
        return (int(time.time() * 1_000) if now_ms is None else now_ms) - int(DURATION.read(value))
    except ValueError:
        raise WrongUse(
            f"{option}={value} is no point in time: write it as 2026-03-01, or as 7d for a week ago"
        ) from None
