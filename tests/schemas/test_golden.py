"""Events of every version that was ever promised still mean the same.

`golden/<type>.<version>.jsonl` holds one sample a line: an event with all fields of its version, and one with the
fewest. Inbound samples have their fingerprint, by which a duplicate is still recognised after an upgrade. Files are
added, never changed: when a type gains a field, a file of its next version is added.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.codec import Event, decode, decode_output, encode, fingerprint
from schemas.contract.json_schema import TYPES
from schemas.inbound import INBOUND
from schemas.outbound import OUTBOUND

SAMPLES = [
    (path.name.removesuffix(".jsonl"), json.loads(line))
    for path in sorted((Path(__file__).parent / "golden").iterdir())
    for line in path.read_text(encoding="utf-8").splitlines()
]
INBOUND_SAMPLES = [(name, sample) for name, sample in SAMPLES if sample["event"]["type"] in INBOUND]
OUTBOUND_SAMPLES = [(name, sample) for name, sample in SAMPLES if sample["event"]["type"] in OUTBOUND]


def test_every_type_has_its_first_version() -> None:
    assert {name for name, _ in SAMPLES} >= {f"{name}.1" for name in TYPES}


@pytest.mark.parametrize("name, sample", INBOUND_SAMPLES, ids=[sample["event"]["id"] for _, sample in INBOUND_SAMPLES])
def test_inbound_events_of_every_version_mean_the_same(name: str, sample: dict[str, Any]) -> None:
    event = sample["event"]
    verdict = decode(INBOUND[event["type"]].topic, json.dumps(event).encode(), None, 0)
    assert isinstance(verdict, Event), (name, verdict)
    assert f"{fingerprint(verdict):016x}" == sample["fingerprint"]
    assert verdict.correlation == event.get("correlationid")
    # The struct holds what the sample states, and nothing else.
    kept = msgspec.to_builtins(verdict.data)
    moments = {"as_of", "at", "eta", "ordered_at", "promised_at", "starts", "ends", "effective_at"}
    assert {key for key in kept if key not in moments} == {
        key for key, value in event["data"].items() if key not in moments and (value is not None or key in kept)
    }


@pytest.mark.parametrize("name, sample", OUTBOUND_SAMPLES, ids=[name for name, _ in OUTBOUND_SAMPLES])
def test_outbound_events_of_every_version_mean_the_same(name: str, sample: dict[str, Any]) -> None:
    written = json.loads(encode(decode_output(json.dumps(sample["event"]).encode())))
    assert written == sample["event"], name
