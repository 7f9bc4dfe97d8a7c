"""Finds where the broker's topics differ from the plan: a worker does not start on grave differences."""

from collections.abc import Callable
from typing import NamedTuple

from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from schemas.topics import TOPICS
from stream.kafka.clients import answering, reach
from stream.kafka.topics import LOGS, SOURCES, FoundTopic, PlannedTopic, find, plan
from stream.settings import Settings

SETTABLE = "run `restock topics create --repair`"
MISSING = "missing"
ABSENT = "there is no such topic"


class Difference(NamedTuple):
    """One thing that is not as it should be, and what to do about it."""

    topic: str
    what: str
    found: str
    wanted: str
    cure: str
    grave: bool = True
    """Whether a worker refuses to start."""

    def __str__(self) -> str:
        if self.found == MISSING:
            return f"{self.topic}: {ABSENT}: {self.cure}"
        return f"{self.topic}: {self.what} is {self.found}, not {self.wanted}: {self.cure}"


class Rule(NamedTuple):
    """Says when a configuration's value is as good as the planned one, and for which topics that matters."""

    what: str
    topics: frozenset[str]
    holds: Callable[[str, str], bool]
    grave: bool = True


def _same(found: str, wanted: str) -> bool:
    return found == wanted


def _at_least(found: str, wanted: str) -> bool:
    return int(found) >= int(wanted)


def _at_most(found: str, wanted: str) -> bool:
    return int(found) <= int(wanted)


def _lasts(found: str, wanted: str) -> bool:
    """Retention, where -1 is for ever."""
    return int(found) == -1 or -1 != int(wanted) <= int(found)


EVERY = frozenset(TOPICS)
RULES = (
    Rule("cleanup.policy", EVERY, _same),
    Rule("message.timestamp.type", LOGS, _same),
    Rule("message.timestamp.type", SOURCES, _same, grave=False),  # a shop may not want it
    Rule("retention.ms", LOGS, _lasts),
    Rule("retention.bytes", LOGS, _lasts),
    Rule("min.insync.replicas", EVERY, _at_least),
    Rule("unclean.leader.election.enable", EVERY, _same),
    Rule("max.message.bytes", EVERY - SOURCES, _at_least),
    Rule("max.message.bytes", SOURCES, _at_most, grave=False),
)


def check(settings: Settings) -> list[Difference]:
    """Everything that differs, grave differences first."""
    client, metadata = reach(settings)
    planned = plan(settings, len(metadata.brokers))
    with answering(settings):
        there = find(client, [topic.name for topic in planned])
    differences = [difference for topic in planned for difference in _compare(topic, there.get(topic.name))]
    return sorted(differences, key=lambda difference: not difference.grave)


def repair(settings: Settings) -> list[Difference]:
    """Set what can be changed on topics that exist, and return it; partitions and replication cannot be changed."""
    client, _ = reach(settings)
    differences = [difference for difference in check(settings) if difference.cure == SETTABLE]
    resources: dict[str, ConfigResource] = {}
    for difference in differences:
        resource = resources.setdefault(difference.topic, ConfigResource(ResourceType.TOPIC, difference.topic))
        resource.add_incremental_config(
            ConfigEntry(difference.what, difference.wanted, incremental_operation=AlterConfigOpType.SET)
        )
    with answering(settings):
        for future in client.incremental_alter_configs(list(resources.values())).values() if resources else ():
            future.result()
    return differences


def _compare(wanted: PlannedTopic, found: FoundTopic | None) -> list[Difference]:
    if found is None:
        return [Difference(wanted.name, "topic", MISSING, "there", "run `restock topics create`")]
    differences = []
    if wanted.logical in LOGS and found.partitions != wanted.partitions:
        cure = f"set RESTOCK_PARTITIONS={found.partitions}, or another RESTOCK_TOPIC_PREFIX for new topics"
        differences.append(Difference(found.name, "partitions", str(found.partitions), str(wanted.partitions), cure))
    if found.replication < wanted.replication:
        cure = f"reassign it to more brokers, or set RESTOCK_REPLICATION={found.replication} and accept the risk"
        differences.append(Difference(found.name, "replication", str(found.replication), str(wanted.replication), cure))
    return differences + [
        Difference(found.name, rule.what, found.config[rule.what], wanted.config[rule.what], SETTABLE, rule.grave)
        for rule in RULES
        if wanted.logical in rule.topics and not rule.holds(found.config[rule.what], wanted.config[rule.what])
    ]
