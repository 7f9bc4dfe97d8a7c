"""Puts a notifier together: topics, committed places, recipients, items; the clock is given to each round."""

import logging
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from agents.notify.alertmanager import URGENCY, AlertmanagerMirror
from agents.notify.apprise_channel import AppriseChannel
from agents.notify.delivery_counts import DeliveryCounts
from agents.notify.matters import Matters
from agents.notify.notifier import FindItems, Notifier
from agents.notify.output_topics import OutputTopics
from agents.notify.remembered import Remembered
from agents.notify.settings import NotifySettings, is_alertmanager
from agents.notify.told import Told, committed_of, told_of
from stream.kafka.committed_places import CommittedPlaces, look
from stream.kafka.topic_reader import TopicReader
from stream.settings import Settings


class GroupMemory:
    """Keeps how far each mailing has told in a consumer group of its own, `<app>-notify-<recipient>-<urgency>`."""

    def __init__(self, settings: Settings, places: CommittedPlaces, topics: OutputTopics) -> None:
        self._settings = settings
        self._places = places
        self._topics = topics

    def told(self, mailing: str) -> Told:
        """What was committed last."""
        names = {(self._settings.topic(topic), number): (topic, number) for topic, number in self._topics.offsets}
        found = self._places.read(self._group(mailing), names)
        return told_of({names[partition]: place for partition, place in found.items()})

    def keep(self, mailing: str, told: Told) -> None:
        """Commit it."""
        places = {(self._settings.topic(topic), number): place for (topic, number), place in committed_of(told).items()}
        if places:
            self._places.commit(self._group(mailing), places)

    def _group(self, mailing: str) -> str:
        return f"{self._settings.app}-notify-{mailing}"


class NotifyProcess:
    """What `restock notify` runs."""

    def __init__(
        self,
        settings: Settings,
        table: NotifySettings,
        find_items: FindItems,
        counts: DeliveryCounts,
        remembered: Remembered | None = None,
    ) -> None:
        hide_addresses()
        people = [recipient for recipient in table.recipients if not is_alertmanager(recipient)]
        channels = {recipient.name: AppriseChannel(recipient) for recipient in people}
        self._find_items = find_items
        mirrored = [recipient for recipient in table.recipients if is_alertmanager(recipient)]
        self._mirrors = [AlertmanagerMirror(recipient, table.retry_ms, counts) for recipient in mirrored]
        self._counts = counts
        self._matters = Matters()
        with ExitStack() as opened:
            reader = opened.enter_context(TopicReader(settings))
            places = opened.enter_context(CommittedPlaces(settings, f"{settings.app}-notify"))
            self._topics = OutputTopics(settings, reader, self._matters)
            memory = GroupMemory(settings, places, self._topics)
            self._notifier = Notifier(
                table.mailings(),
                memory,
                channels,
                find_items,
                lines=table.lines,
                retry_ms=table.retry_ms,
                counts=counts,
                remembered=remembered,
            )
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def round(self, now_ms: int) -> None:
        """Read what has come, and tell what is due."""
        self._topics.read()
        self._counts.open = len(self._matters.open)
        self._notifier.round(self._matters, self._topics.offsets, now_ms)
        if self._mirrors:
            known = self._find_items({matter.item for matter in self._matters.open.values()})
            self._matters.settle(known, now_ms)
            matters = list(self._matters.open.values())
            for mirror in self._mirrors:
                mirror.round(matters, self._matters.ended, known, now_ms)
        self._matters.ended.clear()
        self._counts.round_ms = now_ms

    @property
    def waiting(self) -> dict[str, int]:
        """Who was not told although it is time, and how often it was refused."""
        mirrors = {mirror.recipient.name: mirror.refused for mirror in self._mirrors if mirror.refused}
        return self._notifier.refused | mirrors

    @property
    def next_try_ms(self) -> int:
        """When the first of them is tried again."""
        times = [*self._notifier.next_try_ms.values(), *(each.next_try_ms for each in self._mirrors if each.refused)]
        return min(times, default=0)


def look_at_told(settings: Settings, mailing: str) -> Told:
    """How far a mailing has told, for those who only look; by the topics' whole names."""
    return told_of(look(settings, f"{settings.app}-notify-{mailing}"))


def counts_of(table: NotifySettings) -> DeliveryCounts:
    """Counts with a 0 for everybody who may be told."""
    people = [(mailing.recipient.name, str(mailing.urgency)) for mailing in table.mailings()]
    return DeliveryCounts(people + [(each.name, URGENCY) for each in table.recipients if is_alertmanager(each)])


def hide_addresses() -> None:
    """Keep addresses out of the log: these libraries write them, and they are passwords."""
    logging.getLogger("apprise").propagate = False
    logging.getLogger("urllib3").setLevel(logging.ERROR)
