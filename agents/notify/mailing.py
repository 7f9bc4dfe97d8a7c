"""What one recipient gets of one urgency, and when: what is critical at once, everything else in digests.

Each matter is news in one notification of a recipient. The first digest of a day is its morning list: beside the news
it names all that is still open and waits for a person.
"""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple, TypeAlias

from agents.notify.hours import Hours
from agents.notify.matters import KnownItem, Matter
from agents.notify.recipient import Recipient
from agents.notify.told import Told

Urgency: TypeAlias = Literal["at-once", "digest"]


class Notification(NamedTuple):
    """What is to be said: matters that are news, and those of which was told before and which are still open."""

    urgency: Urgency
    news: tuple[Matter, ...]
    still_open: tuple[Matter, ...]
    since_ms: int | None
    """When the last one was due."""


class Mailing(NamedTuple):
    """One recipient and one urgency; each has a place of its own in the topics."""

    recipient: Recipient
    urgency: Urgency
    hours: Hours
    pause_ms: int
    """So long after a notification of what is critical, what comes next is gathered."""

    @property
    def name(self) -> str:
        """The last part of its consumer group's name."""
        return f"{self.recipient.name}-{self.urgency}"

    def due_ms(self, told: Told, now_ms: int) -> int | None:
        """The moment of the notification that is due; None while none is."""
        if self.urgency == "at-once":
            return now_ms if told.at_ms is None or now_ms - told.at_ms >= self.pause_ms else None
        moment = self.hours.last_moment(now_ms)
        come = told.at_ms is None or moment > told.at_ms
        return moment if come and self.may_speak(now_ms) else None

    def may_speak(self, now_ms: int) -> bool:
        """Whether these hours allow it."""
        return self.urgency == "at-once" or not self.hours.is_quiet(now_ms)

    def notification(
        self, told: Told, matters: Collection[Matter], known: Mapping[str, KnownItem]
    ) -> Notification | None:
        """What to say of the stretch that is being sent, as things stand now; None where that is nothing."""
        wanted = [matter for matter in matters if self.recipient.wants(matter, known)]
        news = tuple(matter for matter in wanted if self._is_mine(matter) and told.is_sending(matter))
        still_open = tuple(matter for matter in wanted if self._is_still_open(matter, told))
        if not self._is_morning(told):
            still_open = ()
        return Notification(self.urgency, news, still_open, told.at_ms) if news or still_open else None

    def _is_mine(self, matter: Matter) -> bool:
        return (matter.severity == "critical") == (self.urgency == "at-once")

    def _is_still_open(self, matter: Matter, told: Told) -> bool:
        """Whether the morning list repeats it: what is critical was told elsewhere, however new it is."""
        return matter.waits_for_a_person and (not self._is_mine(matter) or told.has(matter))

    def _is_morning(self, told: Told) -> bool:
        if self.urgency == "at-once" or told.sending is None or told.at_ms is None:
            return False
        return self.hours.is_morning(told.at_ms, told.sending.at_ms)
