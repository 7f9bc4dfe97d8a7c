"""Judges a system from outside: reads all topics, works out what must be true, and lists what is not.

It knows which events the broker acknowledged, folds them itself (`naive.py`), and asks the service only what any user
can ask: `restock item`, `restock audit`.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.chaos import outputs
from tests.chaos.naive import NaiveFold, TakenEvent
from tests.chaos.shop_front import ShopFront, TopicRecord, Topics, said
from tests.chaos.system import System
from tests.chaos.workload import Workload

ERROR = "restock.error."
OUTPUTS = ("replenishments", "alerts", "reviews")


@dataclass
class Findings:
    """What was found."""

    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        shown = self.violations[:25]
        more = f"\n… and {len(self.violations) - 25} more" if len(self.violations) > 25 else ""
        return f"{len(self.violations)} violations\n" + "\n".join(shown) + more


def check(
    system: System, front: ShopFront, workload: Workload, *, repeats_letters: bool, closed: bool = True
) -> Findings:
    """Judge a system at rest. `repeats_letters`: whether intake may have written dead letters twice."""
    topics = Topics(system.kafka, f"{system.name}.")
    report = Findings()
    taken = topics.taken(front.events)
    published = {name: topics.read(name) for name in OUTPUTS}
    letters = topics.read("dead-letters")
    naive = fold(taken, published, letters, system.name)
    decided = {said(raw)["data"]["replenishment_id"] for raw in published["replenishments"]}
    found = system.items(sorted(naive.touched))
    for part in (
        _acknowledged(front, taken),
        _stock(naive, found),
        _letters_of_intake(taken, letters, system.name, repeats_letters=repeats_letters),
        _letters_of_controller(naive, letters, system.name),
        outputs.identities(published),
        outputs.orders(published["replenishments"], workload.terms),
        outputs.alerts(published["alerts"], found),
        outputs.reviews(published["reviews"], decided, closed=closed),
        outputs.demand(published["reviews"], naive),
        outputs.journal(topics, published),
        _audit(system),
    ):
        report.violations += part
    report.counts.update({name: len(records) for name, records in published.items()})
    report.counts.update(events=len(front.acknowledged), letters=len(letters), items=len(naive.touched))
    report.counts.update(duplicates=naive.duplicates, refused=len(naive.refused))
    return report


def fold(
    taken: list[TakenEvent], published: dict[str, list[TopicRecord]], letters: list[TopicRecord], app: str
) -> NaiveFold:
    """The naive fold, given what was decided and which late counts and unsure corrections the state refused."""
    decisions = [
        said(raw)["data"] | {"proposed": said(raw)["type"] == "replenishment.proposed"}
        for raw in published["replenishments"]
    ]
    uncertain = {each.origin for each in taken if each.event.uncertain}
    refused = {_origin(raw, app): _about(raw, "reason") for raw in letters if _about(raw, "stage") == "controller"}
    may = {at: why for at, why in refused.items() if at in uncertain and why in {"count_too_old", "out_of_range"}}
    naive = NaiveFold(sorted(decisions, key=lambda each: not each["proposed"]), may)
    naive.fold(taken)
    return naive


def _acknowledged(front: ShopFront, taken: list[TakenEvent]) -> Iterator[str]:
    """I2: every acknowledged event is on its topic, once."""
    places = {each.event.number: each.origin for each in taken}
    for number, origin in front.acknowledged.items():
        if places.get(number) != origin:
            yield f"event {number} was acknowledged at {origin} and lies at {places.get(number)}"


def _stock(naive: NaiveFold, found: dict[str, dict[str, Any]]) -> Iterator[str]:
    """I1, I2: every accepted event changed its items once."""
    for name in sorted(naive.touched):
        expected = naive.items[name].stock()
        shown = {key: found[name]["stock"][key] for key in expected} if name in found else None
        if shown != expected:
            different = (
                {key: (shown[key], expected[key]) for key in expected if shown[key] != expected[key]} if shown else None
            )
            yield f"{name}: shown, expected: {different or shown}"
    for name in found.keys() - naive.touched:
        yield f"{name} is known, and nothing accepted is about it"


def _letters_of_intake(
    taken: list[TakenEvent], letters: list[TopicRecord], app: str, *, repeats_letters: bool
) -> Iterator[str]:
    """I2: exactly the events that intake refused are in the dead letters, with reason and bytes."""
    malformed = {each.origin: each for each in taken if each.event.verdict not in {"ok", "tombstone"}}
    seen: Counter[tuple[str, int, int]] = Counter()
    for raw in letters:
        if _about(raw, "stage") != "intake":
            continue
        origin = _origin(raw, app)
        seen[origin] += 1
        event = malformed[origin].event if origin in malformed else None
        if event is None:
            yield f"{origin} is a dead letter ({_about(raw, 'reason')}), and was not malformed"
        elif _about(raw, "reason") != event.verdict:
            yield f"{origin} was refused as {_about(raw, 'reason')}, not as {event.verdict}"
        elif raw.value != event.value:
            yield f"{origin}: the dead letter has other bytes"
    for origin, each in malformed.items():
        if seen[origin] == 0:
            yield f"{origin} is malformed ({each.event.verdict}) and no dead letter"
        elif seen[origin] > 1 and not repeats_letters:
            yield f"{origin} is a dead letter {seen[origin]} times, and nothing happened"


def _letters_of_controller(naive: NaiveFold, letters: list[TopicRecord], app: str) -> Iterator[str]:
    """I2: exactly the movements that the state refused are in the dead letters, once each."""
    from schemas.ledger import Movement, Notice, decode_record

    expected: Counter[tuple[Any, ...]] = Counter((each.origin, each.ordinal, each.reason) for each in naive.refused)
    found: Counter[tuple[Any, ...]] = Counter()
    for raw in letters:
        if _about(raw, "stage") == "controller":
            record = decode_record(raw.value or b"")
            assert isinstance(record, Movement | Notice)
            found[_origin(raw, app), record.ordinal, _about(raw, "reason")] += 1
    for key in sorted(expected.keys() | found.keys(), key=str):
        if expected[key] != found[key]:
            yield f"refused by the controller: {key}: {found[key]} times, expected {expected[key]}"


def _audit(system: System) -> Iterator[str]:
    """I6: Redis holds the fold of ledger and journal."""
    done = system.run("audit")
    if done.returncode:
        yield f"audit: {done.stdout.strip()} {done.stderr.strip()}"


def _origin(raw: TopicRecord, app: str) -> tuple[str, int, int]:
    return _about(raw, "topic").removeprefix(f"{app}."), int(_about(raw, "partition")), int(_about(raw, "offset"))


def _about(raw: TopicRecord, what: str) -> str:
    return raw.headers[ERROR + what].decode()
