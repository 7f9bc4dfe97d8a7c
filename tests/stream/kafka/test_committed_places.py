"""Places in topics as groups commit them: whole, with their line, and by one process at a time."""

import pytest

from stream.faults import Fenced
from stream.kafka import topics
from stream.kafka.committed_places import CommittedPlaces
from stream.settings import Settings


@pytest.fixture
def settings(kafka: str, app: str, topic_prefix: str) -> Settings:
    made = Settings(kafka=kafka, app=app, topic_prefix=topic_prefix, partitions=2)
    topics.create(made)
    return made


def test_places_are_kept_by_group_and_the_next_process_takes_over(settings: Settings) -> None:
    alerts = settings.topic("alerts")
    partitions = [(alerts, 0), (alerts, 1)]
    with CommittedPlaces(settings, f"{settings.app}-test") as places:
        assert places.read("a", partitions) == {}
        places.commit("a", {(alerts, 0): (7, '{"due_ms":5}'), (alerts, 1): (0, "")})
        places.commit("b", {(alerts, 0): (9, "")})
        kept = places.read("a", partitions)
        assert kept == {(alerts, 0): (7, '{"due_ms":5}'), (alerts, 1): (0, "")}
        with CommittedPlaces(settings, f"{settings.app}-test") as successor:
            assert successor.read("a", partitions) == kept
            with pytest.raises(Fenced):
                places.commit("a", {(alerts, 0): (8, "")})
            assert successor.read("a", partitions) == kept
            successor.commit("a", {(alerts, 0): (8, "")})
            assert successor.read("a", partitions)[alerts, 0] == (8, "")
