"""What became of notifications since the process began: delivered, refused, waiting; for its metrics.

It outlives a notifier: one that ends because Kafka is away is followed by another in the same process.

>>> counts = DeliveryCounts([("buyers", "digest")])
>>> counts.refused("buyers", "digest"); counts.refused("buyers", "digest")
>>> counts.failed, counts.waiting
(Counter({('buyers', 'digest'): 2}), {('buyers', 'digest'): True})
>>> counts.told("buyers", "digest", 5_000)
>>> counts.delivered, counts.waiting, counts.told_ms
(Counter({('buyers', 'digest'): 1}), {('buyers', 'digest'): False}, {('buyers', 'digest'): 5000})
"""

from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias

MailingKey: TypeAlias = tuple[str, str]
"""A recipient's name, and an urgency; `alertmanager` for the state that an Alertmanager holds."""


class DeliveryCounts:
    """Counts of each mailing, from 0 on."""

    def __init__(self, mailings: Iterable[MailingKey]) -> None:
        self.delivered = Counter(dict.fromkeys(mailings, 0))
        self.failed = self.delivered.copy()
        self.waiting = dict.fromkeys(self.delivered, False)
        """Whether something is due that was refused, and not taken since."""
        self.told_ms = dict.fromkeys(self.delivered, 0)
        """When each was last told; 0 for never."""
        self.round_ms = 0
        """When a round last came to its end; 0 for never."""
        self.open = 0
        """Alerts and proposals that are open."""

    def told(self, recipient: str, urgency: str, now_ms: int) -> None:
        """Note that a notification was taken."""
        self.delivered[recipient, urgency] += 1
        self.told_ms[recipient, urgency] = now_ms
        self.waiting[recipient, urgency] = False

    def refused(self, recipient: str, urgency: str) -> None:
        """Note that a notification was not taken."""
        self.failed[recipient, urgency] += 1
        self.waiting[recipient, urgency] = True

    def settled(self, recipient: str, urgency: str) -> None:
        """Note that nothing waits any more: what was refused has ended meanwhile."""
        self.waiting[recipient, urgency] = False
