"""What a buyer knows of a supplier's lead times: counts of those seen, and of orders that never came."""


class DrawnLeadTimes:
    """Counts of lead times; the promised one is counted once to begin with.

    >>> known = DrawnLeadTimes(2)
    >>> known.came(3)
    >>> known.chances()
    (0.0, 0.0, 0.5, 0.5)
    """

    def __init__(self, promised: int) -> None:
        self.counts = [0.0] * promised + [1.0]
        self.lost = 0.0

    def came(self, lead_time: int) -> None:
        """Count a receipt."""
        self.counts += [0.0] * (lead_time + 1 - len(self.counts))
        self.counts[lead_time] += 1.0

    @property
    def longest(self) -> int:
        """Longest lead time seen or promised: an order older than that is given up."""
        return len(self.counts) - 1

    @property
    def mean(self) -> float:
        """Mean of those that came."""
        return sum(periods * count for periods, count in enumerate(self.counts)) / sum(self.counts)

    def chances(self) -> tuple[float, ...]:
        """Probability of each lead time; what is missing to 1 is the probability of a loss."""
        total = sum(self.counts) + self.lost
        return tuple(count / total for count in self.counts)
