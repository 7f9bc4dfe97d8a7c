"""What follows from how time passes: the windows that are looked at, and where in its cycle a period stands.

>>> daily, monthly = pace_of(Rhythm(7, 1.0)), pace_of(Rhythm(12, 30.0))
>>> daily["windows"][0].tolist(), monthly["windows"][0].tolist()
([3, 7, 14, 28, 56, 112], [3, 6, 9, 12, 18, 24])
>>> phase_of(daily[0], 0, 86_400_000), phase_of(monthly[0], 0, 31 * 86_400_000)  # a Thursday in January
(3, 0)
"""

import numpy as np

from agents.forecasting.base import Rhythm
from agents.kernel.compiled import Record, Records, compiled
from schemas.quantities import DAY_MS

MOST_PHASES = 24
MOST_MEMORY = 168
WINDOWS = 6
HALF_MONTH, MONTH, TWO_MONTHS, LONGEST = 2, 3, 4, 5
"""Windows, as they are called in a rhythm of days; the others go by them as well."""
_WEEKDAY, _MONTH, _SEASON = 0, 1, 2
"""Cycles: what a phase is."""

PACE = np.dtype(
    [
        ("season", np.int64),
        ("windows", np.int64, WINDOWS),  # periods of the rolling figures, shortest first but for the season's
        ("phases", np.int64),  # places in the cycle that are distinguished
        ("cycle", np.int64),
        ("memory", np.int64),  # periods remembered one by one
        ("sums", np.int64),  # how many of the last sums of a horizon the empirical quantiles are read from
        ("keep", np.float64),  # share of regret kept a period
        ("variance_rate", np.float64),
        ("settled", np.int64),  # periods after which an item's level counts in its shard
        ("trend", np.int64),  # periods of the shard's demand that its last season is compared with
    ],
    align=True,
)
"""The constants of a rhythm."""


def pace_of(rhythm: Rhythm) -> Records:
    """Days, weeks and months each have their own windows; shorter periods go by their season."""
    season = max(1, rhythm.season)
    memory = min(3 * season, MOST_MEMORY)
    if rhythm.period_days >= 20:
        pace = (season, (3, 6, 9, 12, 18, 24), 12, _MONTH, max(24, memory), 8, 0.97, 0.1, 3, 24)
    elif rhythm.period_days >= 5:
        pace = (season, (2, 4, 8, 13, 26, 52), 12, _MONTH, max(52, memory), 20, 0.98, 0.1, 5, 52)
    else:
        memory = max(112, memory)
        windows = (3, min(season, memory), 14, 28, 56, 112)
        cycle, phases = (_WEEKDAY, 7) if rhythm.period_days >= 0.9 else (_SEASON, min(season, MOST_PHASES))
        pace = (season, windows, phases, cycle, memory, 28, 0.99, 0.05, 10, 56)
    return np.array([pace], PACE)


@compiled
def phase_of(pace: Record, starts: int, ends: int) -> int:
    """Where in the cycle a period's middle lies, so that a day's beginning in another time zone does not matter."""
    day = (starts + ends) // 2 // DAY_MS
    if pace["cycle"] == _WEEKDAY:
        return int((day + 3) % 7)
    if pace["cycle"] == _MONTH:
        return _month(day)
    return int((starts // max(1, ends - starts)) % pace["season"] * pace["phases"] // pace["season"])


@compiled
def _month(day: int) -> int:
    """Months since January of a day since 1970, in UTC; years are counted from March, so that leap days come last."""
    of_era = (day + 719_468) % 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    return int(((5 * of_year + 2) // 153 + 2) % 12)
