"""One round after the other: what is due is written down, sent, and only then counted as told.

A notification that is refused is sent again after a pause that doubles, under the same key; other recipients do not
wait for it. A process that dies between sending and counting leaves `sending` behind: its successor sends that stretch
again, under the same key, without what has ended meanwhile.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Protocol, TypeAlias

from agents.notify.delivery_counts import DeliveryCounts
from agents.notify.mailing import Mailing, Notification
from agents.notify.matters import KnownItem, Matters
from agents.notify.pauses import pause_ms
from agents.notify.remembered import Remembered
from agents.notify.told import Offsets, Told
from agents.notify.wording import NotificationText, worded
from schemas.quantities import HOUR_MS

logger = logging.getLogger(__name__)

KEPT_MS = HOUR_MS
"""A broker forgets what a group without members committed long ago: so it is committed again each hour."""

Known: TypeAlias = Mapping[str, KnownItem]
FindItems: TypeAlias = Callable[[Collection[str]], Known]


class NotTold(Exception):
    """A notification was not taken: it is sent again later."""


class Memory(Protocol):
    """Where it is kept how far each mailing has told."""

    def told(self, mailing: str) -> Told:
        """What was kept last."""
        ...

    def keep(self, mailing: str, told: Told) -> None:
        """Keep it, whole; Fenced when another process keeps it now."""
        ...


class Channel(Protocol):
    """The way to a recipient."""

    def send(self, text: NotificationText) -> None:
        """Send; NotTold when it was not taken."""
        ...


class Notifier:
    """All mailings of people."""

    def __init__(
        self,
        mailings: Collection[Mailing],
        memory: Memory,
        channels: Mapping[str, Channel],
        find_items: FindItems,
        *,
        lines: int,
        retry_ms: int,
        counts: DeliveryCounts,
        remembered: Remembered | None = None,
    ) -> None:
        self._mailings = mailings
        self._memory = memory
        self._channels = channels
        self._find_items = find_items
        self._lines = lines
        self._retry_ms = retry_ms
        self._counts = counts
        self._remembered = Remembered() if remembered is None else remembered
        self._told: dict[str, Told] = {}
        self._kept_ms: dict[str, int] = {}
        self.refused: dict[str, int] = {}
        """How often in a row, of mailings whose notification was not taken."""
        self.next_try_ms: dict[str, int] = {}

    def round(self, matters: Matters, read: Offsets, now_ms: int) -> None:
        """Send what is due."""
        for mailing in self._mailings:
            if mailing.name not in self._told:
                kept, known = self._memory.told(mailing.name), self._remembered.told.get(mailing.name)
                self._told[mailing.name] = (kept if known is None else kept.or_later(known)).within(read)
            self._serve(mailing, matters, read, now_ms)
            if now_ms - self._kept_ms.get(mailing.name, 0) >= KEPT_MS:
                self._keep(mailing, self._told[mailing.name], now_ms)

    def _serve(self, mailing: Mailing, matters: Matters, read: Offsets, now_ms: int) -> None:
        told = self._told[mailing.name]
        if told.sending is not None:
            if now_ms >= self.next_try_ms.get(mailing.name, 0) and mailing.may_speak(now_ms):
                self._send(mailing, told, self._notification(mailing, told, matters, now_ms), now_ms)
            return
        due_ms = mailing.due_ms(told, now_ms)
        if due_ms is None:
            return
        begun = told.begin(read, due_ms)
        found = self._notification(mailing, begun, matters, now_ms)
        if found is not None:
            self._keep(mailing, begun, now_ms)
            self._send(mailing, begun, found, now_ms)
        elif mailing.urgency == "digest":
            self._keep(mailing, begun.done(), now_ms)
        else:  # of the next that is critical it is told at once
            self._told[mailing.name] = told.skip(read)

    def _notification(
        self, mailing: Mailing, told: Told, matters: Matters, now_ms: int
    ) -> tuple[Notification, Known] | None:
        """What to say, with what is known of its items; proposals that were answered end here."""
        most = mailing.notification(told, matters.open.values(), {})
        if most is None:
            return None
        known = self._find_items({matter.item for matter in (*most.news, *most.still_open)})
        matters.settle(known, now_ms)
        notification = mailing.notification(told, matters.open.values(), known)
        return None if notification is None else (notification, known)

    def _send(self, mailing: Mailing, told: Told, found: "tuple[Notification, Known] | None", now_ms: int) -> None:
        """Send it and count it as told; what has ended while it waited is told of by nobody."""
        if found is not None:
            notification, known = found
            key = told.key(mailing.name)
            text = worded(notification, known, mailing.hours, self._lines, key)
            try:
                if key not in self._remembered.taken:
                    self._channels[mailing.recipient.name].send(text)
                    self._counts.told(mailing.recipient.name, mailing.urgency, now_ms)
                    _log(mailing, notification, key)
            except NotTold as error:
                self._put_off(mailing, str(error), now_ms)
                return
            self._remembered.taken.add(key)
        else:
            self._counts.settled(mailing.recipient.name, mailing.urgency)
        self.refused.pop(mailing.name, None)
        self.next_try_ms.pop(mailing.name, None)
        self._keep(mailing, told.done(), now_ms)
        self._remembered.taken.discard(told.key(mailing.name))

    def _put_off(self, mailing: Mailing, why: str, now_ms: int) -> None:
        self._counts.refused(mailing.recipient.name, mailing.urgency)
        times = self.refused[mailing.name] = self.refused.get(mailing.name, 0) + 1
        wait_ms = pause_ms(self._retry_ms, times)
        self.next_try_ms[mailing.name] = now_ms + wait_ms
        logger.warning("%s was not told (%s): again in %.3g s", mailing.name, why, wait_ms / 1_000)

    def _keep(self, mailing: Mailing, told: Told, now_ms: int) -> None:
        self._memory.keep(mailing.name, told)
        self._told[mailing.name] = self._remembered.told[mailing.name] = told
        self._kept_ms[mailing.name] = now_ms


def _log(mailing: Mailing, notification: Notification, key: str) -> None:
    logger.info(
        "%s was told: %d new, %d still open (key %s)",
        mailing.name,
        len(notification.news),
        len(notification.still_open),
        key,
    )
