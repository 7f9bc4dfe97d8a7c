"""A chart out of characters: columns of eighths of a block for what was, a line of dots for what had been expected.

>>> for row in chart([1, 3, 2], [2.0, 2.0, 2.0], height=3):
...     print(row)
 █
·██
███
"""

from collections.abc import Sequence
from math import ceil

BLOCKS = " ▁▂▃▄▅▆▇█"
EXPECTED = "·"


def chart(values: Sequence[float], expected: Sequence[float], height: int) -> list[str]:
    """Rows from the top down, a column a value; a dot where the expected value lies, where no block hides it."""
    most = max([*values, *expected, 1e-9])
    rows = []
    for row in reversed(range(height)):
        cells = []
        for value, mean in zip(values, expected, strict=True):
            eighths = round(8 * height * value / most) - 8 * row
            block = BLOCKS[min(8, max(0, eighths))]
            here = row == max(0, ceil(height * mean / most) - 1)
            cells.append(EXPECTED if here and block == " " else block)
        rows.append("".join(cells).rstrip())
    return rows
