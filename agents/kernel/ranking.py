"""Sorts a few numbers in place.

>>> import numpy as np
>>> numbers = np.array([3.0, 1.0, 2.0])
>>> sort(numbers)
>>> numbers
array([1., 2., 3.])
"""

from agents.kernel.compiled import Numbers, compiled


@compiled
def sort(numbers: Numbers) -> None:
    """By insertion, which is fastest for some dozens."""
    for place in range(1, len(numbers)):
        number = numbers[place]
        while place > 0 and numbers[place - 1] > number:
            numbers[place] = numbers[place - 1]
            place -= 1  # noqa: PLW2901 - it walks down from where the loop stands
        numbers[place] = number
