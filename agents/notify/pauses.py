"""How long to wait before somebody who refused is asked again: twice as long each time, five minutes at most.

>>> [pause_ms(5_000, refused) for refused in (1, 2, 3, 9)]
[5000, 10000, 20000, 300000]
"""

from schemas.quantities import MINUTE_MS

LONGEST_MS = 5 * MINUTE_MS


def pause_ms(first_ms: int, refused: int) -> int:
    """The pause after so many refusals in a row."""
    return min(first_ms << min(refused - 1, 20), LONGEST_MS)
