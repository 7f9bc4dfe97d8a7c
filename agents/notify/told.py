"""How far a mailing has told, as its consumer group keeps it: an offset and a line of JSON for every partition.

Below `offsets` everything is told. `sending` is written down before a notification is sent and taken away after, so
that a process which dies in between sends the same stretch again under the same key.

>>> told = Told({("alerts", 0): 5}, 1_000).begin({("alerts", 0): 9}, 2_000)
>>> told.sending, told_of(committed_of(told)) == told
(Sending(to={('alerts', 0): 9}, at_ms=2000), True)
>>> told.key("restock-notify-buyers-digest")
'2c882d6bdbbda097'
>>> told.done()
Told(offsets={('alerts', 0): 9}, at_ms=2000, sending=None)
"""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import msgspec

from agents.notify.matters import Matter, TopicPartitionName

Offsets: TypeAlias = Mapping[TopicPartitionName, int]
Place: TypeAlias = tuple[int, str]
"""What a consumer group has committed of one partition: an offset and a line."""


class Sending(NamedTuple):
    """A notification that is on its way: up to which offsets it tells, and when it was due."""

    to: dict[TopicPartitionName, int]
    at_ms: int


class _Metadata(msgspec.Struct, omit_defaults=True):
    at_ms: int | None = None
    to: int | None = None
    due_ms: int | None = None


class Told(NamedTuple):
    """How far one mailing has told."""

    offsets: dict[TopicPartitionName, int]
    at_ms: int | None = None
    """When the last notification was due; None before the first."""
    sending: Sending | None = None

    def has(self, matter: Matter) -> bool:
        """Whether a matter is told."""
        return matter.offset < self.offsets.get((matter.topic, matter.partition), 0)

    def is_sending(self, matter: Matter) -> bool:
        """Whether a matter is of the stretch that is on its way."""
        to = self.sending.to if self.sending else {}
        return not self.has(matter) and matter.offset < to.get((matter.topic, matter.partition), 0)

    def begin(self, read: Offsets, now_ms: int) -> "Told":
        """Write down what is about to be sent: all that was read."""
        return self._replace(sending=Sending(dict(read), now_ms))

    def skip(self, read: Offsets) -> "Told":
        """Count as told what was read: there was nothing to say of it."""
        return Told(self.offsets | dict(read), self.at_ms)

    def done(self) -> "Told":
        """It was sent, or there was nothing to say."""
        sending = self.sending
        return self if sending is None else Told(self.offsets | sending.to, sending.at_ms)

    def or_later(self, other: "Told") -> "Told":
        """The one that has told more; the other one where both have told the same.

        >>> kept, remembered = Told({}), Told({}, 1_000).begin({("alerts", 0): 9}, 2_000)
        >>> kept.or_later(remembered) is remembered, remembered.done().or_later(remembered) is remembered
        (True, False)
        """
        return self if sum(self.offsets.values()) > sum(other.offsets.values()) else other

    def within(self, ends: Offsets) -> "Told":
        """Begin anew with a partition that ends before what was told of it: its topic was made anew."""
        sending = self.sending
        if sending is not None and any(to > ends.get(partition, 0) for partition, to in sending.to.items()):
            sending = None
        offsets = {partition: offset for partition, offset in self.offsets.items() if offset <= ends.get(partition, 0)}
        return Told(offsets, self.at_ms, sending)

    def key(self, mailing: str) -> str:
        """The idempotency key of what is being sent: the same for the same stretch of the same mailing."""
        to, at_ms = self.sending or ({}, None)
        stretches = [(partition, self.offsets.get(partition, 0), end) for partition, end in sorted(to.items())]
        text = f"{mailing} {stretches} {at_ms}"
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def committed_of(told: Told) -> dict[TopicPartitionName, Place]:
    """What is to be committed."""
    to, due_ms = told.sending or ({}, None)
    return {
        partition: (
            told.offsets.get(partition, 0),
            msgspec.json.encode(_Metadata(told.at_ms, to.get(partition), due_ms)).decode(),
        )
        for partition in sorted(told.offsets.keys() | to.keys())
    }


def told_of(committed: Mapping[TopicPartitionName, Place]) -> Told:
    """Read it back."""
    known = {p: msgspec.json.decode(line or "{}", type=_Metadata) for p, (_, line) in committed.items()}
    at_ms = max((each.at_ms for each in known.values() if each.at_ms is not None), default=None)
    due_ms = max((each.due_ms for each in known.values() if each.due_ms is not None), default=None)
    to = {partition: each.to for partition, each in known.items() if each.to is not None}
    sending = Sending(to, due_ms) if due_ms is not None else None
    return Told({partition: offset for partition, (offset, _) in committed.items()}, at_ms, sending)
