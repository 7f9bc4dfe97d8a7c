"""Reads and writes the marks that say what became of dead letters; they lie behind the letters on the same topic.

A mark is appended later than its letter, to the same partition: a stretch that goes on to the end has both.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from confluent_kafka import KafkaError, Message, Producer

from schemas.dead_letter_mark import DeadLetterMark, MarkState
from stream.errors import Unreachable
from stream.kafka.clients import REACH_SECONDS, compression, producer_config
from stream.kafka.dead_letters import FiledDeadLetter
from stream.kafka.stretches import Stretch
from stream.kafka.topic_reader import TopicReader
from stream.settings import Settings

MOST_UNDERWAY = 10_000
Refusal: TypeAlias = tuple[str, int, int, int | None]
"""Origin of the event, and ordinal of the refused movement; None where the whole event was refused."""


class Marks:
    """The newest mark of every refusal in some stretches."""

    def __init__(self) -> None:
        self._states: dict[Refusal, tuple[int, MarkState]] = {}

    def add(self, mark: DeadLetterMark, appended_ms: int) -> None:
        """Add a mark; of two for one refusal the later counts."""
        refusal = (mark.topic, mark.partition, mark.offset, mark.ordinal)
        self._states[refusal] = max(self._states.get(refusal, (0, mark.state)), (appended_ms, mark.state))

    def of(self, filed: FiledDeadLetter) -> MarkState | None:
        """What became of a letter; None as long as nobody has redriven or discarded it."""
        origin = filed.letter.origin
        event = (origin.topic, origin.partition, origin.offset)
        found = [self._states[each] for each in ((*event, None), (*event, filed.ordinal)) if each in self._states]
        return max(found)[1] if found else None


def read_marks(reader: TopicReader, settings: Settings, stretches: Mapping[int, Stretch]) -> Marks:
    """Every mark in these stretches of the dead letters."""
    marks = Marks()
    for message in reader.read(settings.topic("dead-letters"), stretches):
        mark = DeadLetterMark.from_record(message.headers())  # type: ignore[arg-type]
        if mark is not None:
            marks.add(mark, message.timestamp()[1])
    return marks


def mark(settings: Settings, state: MarkState, letters: Iterable[FiledDeadLetter]) -> None:
    """Mark letters, and wait for the broker. Redriven means the whole event, discarded a single refusal."""
    producer = Producer(producer_config(settings, message_timeout_ms=30_000) | compression(settings))
    failures: list[str] = []

    def report(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error.str())

    topic = settings.topic("dead-letters")
    for filed in letters:
        headers: Any = _mark_of(filed, state).headers()
        while len(producer) >= MOST_UNDERWAY:
            producer.poll(0.1)
        producer.produce(
            topic, key=filed.letter.key, partition=filed.place.partition, headers=headers, on_delivery=report
        )
    left = producer.flush(REACH_SECONDS * 4)
    producer.close()
    if failures or left:
        raise Unreachable(
            f"RESTOCK_KAFKA={settings.kafka} did not take {len(failures) + left} marks "
            f"({failures[0] if failures else 'no answer'}): run it again when it is back"
        )


def _mark_of(filed: FiledDeadLetter, state: MarkState) -> DeadLetterMark:
    origin = filed.letter.origin
    ordinal = filed.ordinal if state == "discarded" and filed.ordinal >= 0 else None
    return DeadLetterMark(state, origin.topic, origin.partition, origin.offset, ordinal)
