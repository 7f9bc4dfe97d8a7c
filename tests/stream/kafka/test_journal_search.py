"""Finding a point in a long journal: with gaps between points, markers between records, seals in between."""

import random

import pytest
from confluent_kafka import Producer

from schemas.journal import Point, Published, Sealed, encode_journal
from stream.kafka import topics
from stream.kafka.journal_search import published_at
from stream.kafka.topic_reader import TopicReader
from stream.settings import Settings

SEED = 20260302


@pytest.fixture
def settings(kafka: str, app: str, topic_prefix: str) -> Settings:
    settings = Settings(kafka=kafka, app=app, topic_prefix=topic_prefix, partitions=1)
    topics.create(settings)
    return settings


def stretches(start: Point, count: int, chance: random.Random) -> list[Published]:
    """Consecutive journal records; some leave ledger records out, some end within one."""
    records = []
    for _ in range(count):
        if not start.step:
            start = Point(start.offset + chance.randint(0, 3))
        end = max(Point(start.offset + chance.randint(0, 5), chance.randint(0, 9)), Point(start.offset, start.step + 1))
        records.append(Published(start, end, None, "ledger", "1", "token", ()))
        start = end
    return records


def test_every_point_is_found_in_its_record_and_no_other(settings: Settings) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    config = {"bootstrap.servers": settings.kafka, "transactional.id": settings.app, "linger.ms": 5, "log_level": 0}
    producer = Producer(config)
    producer.init_transactions(30)
    published: list[Published] = []
    for number in range(60):
        some = stretches(published[-1].end if published else Point(1), chance.randint(1, 60), chance)
        producer.begin_transaction()
        for record in (*some, Sealed("token", 0, "ledger", "1", some[-1].end)):
            producer.produce(settings.topic("journal"), encode_journal(record), partition=0)
        if number % 5 == 4:  # aborted; what comes next is published in its place
            producer.abort_transaction(30)
        else:
            producer.commit_transaction(30)
            published += some
    with TopicReader(settings) as reader:
        _, high = reader.bounds(settings.topic("journal"))[0]
        assert high > 1_000
        for record in [*chance.sample(published, 20), published[0], published[-1]]:
            assert published_at(reader, settings, 0, record.start) == record
            last = (
                Point(record.end.offset, record.end.step - 1) if record.end.step else Point(record.end.offset - 1, 99)
            )
            assert published_at(reader, settings, 0, max(last, record.start)) == record
        for nowhere in (Point(0), published[-1].end, Point(published[-1].end.offset + 10)):
            assert published_at(reader, settings, 0, nowhere) is None
        assert published_at(reader, settings, 7, published[0].start) is None
