"""What must hold of everything that is published: identities, orders, alerts, reviews, and the journal beside them."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from schemas.journal import Decided, Published, decode_journal
from tests.chaos.events import milliseconds
from tests.chaos.naive import NaiveFold
from tests.chaos.shop_front import TopicRecord, Topics, said
from tests.chaos.workload import SLIPS, ItemTerms

DAY = 86_400_000
MOST = 100_000
"""The largest quantity that the workload's demand can explain."""


def identities(published: Mapping[str, list[TopicRecord]]) -> Iterator[str]:
    """I3: an id comes once; a replenishment's at most twice, proposed and requested."""
    for topic, records in published.items():
        seen: dict[str, bytes | None] = {}
        for raw in records:
            event = said(raw)
            if event["id"] in seen:
                same = "the same" if seen[event["id"]] == raw.value else "ANOTHER"
                yield f"{topic}: {event['id']} was published twice, with {same} payload"
            seen[event["id"]] = raw.value


def orders(records: list[TopicRecord], terms: Mapping[str, ItemTerms]) -> Iterator[str]:
    """I4, I12: one decision a cause; multiples, minimums and the reasons in order."""
    events = [said(raw) for raw in records]
    kinds: dict[str, list[str]] = defaultdict(list)
    causes: dict[tuple[str, ...], str] = {}
    for event in events:
        data, item = event["data"], _item(event)
        name, kind, why = data["replenishment_id"], event["type"], event["data"]["why"]
        if kind in kinds[name]:
            yield f"{name} is a {kind} twice"
        kinds[name].append(kind)
        if kind == "replenishment.requested" and "replenishment.proposed" in kinds[name]:
            continue  # approved: its cause is the approval, its quantity what was left of the proposal
        cause = (item, *name.split("-")[1:4], event["time"])
        question = "beyond_facts" in why.get("asks", ())  # is proposed beside the order of what facts explain
        if not question and causes.setdefault(cause, name) != name:
            yield f"{item}: {name} and {causes[cause]} have one cause"
        held = terms.get(item)
        minimum, multiple = (held.minimum, held.multiple) if held else (1, 1)
        if not minimum <= data["quantity"] <= MOST or data["quantity"] % multiple:
            yield f"{name}: {data['quantity']} breaks minimum {minimum} or multiple {multiple}"
        if held and held.capacity is not None:
            parts = why["position"]
            position = parts["on_hand"] - parts["allocated"] - parts["backorders"] + parts["on_order"]
            if position + data["quantity"] > held.capacity:
                yield f"{name}: {position} + {data['quantity']} is above the capacity {held.capacity}"
        if not math.isfinite(why["forecast"]["mean"]) or why["forecast"]["mean"] < 0:
            yield f"{name}: its forecast is {why['forecast']['mean']}"
        if milliseconds(data["need_by"]) < milliseconds(event["time"]):
            yield f"{name} is needed before it was decided"


def alerts(records: list[TopicRecord], found: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """I5: edges, one raise and one clear an episode; what stands in the end is what the item shows."""
    standing: dict[tuple[str, str], str] = {}
    episodes: set[str] = set()
    for raw in records:
        event = said(raw)
        data, item = event["data"], _item(event)
        key, raised = (item, data["kind"]), data["state"] == "raised"
        if raised:
            if key in standing:
                yield f"{item}: {data['kind']} is raised while it stands ({data['episode']})"
            if data["episode"] in episodes:
                yield f"{item}: {data['episode']} is raised twice"
            episodes.add(data["episode"])
            standing[key] = data["episode"]
        elif standing.pop(key, None) != data["episode"]:
            yield f"{item}: {data['kind']} is cleared as {data['episode']}, which does not stand"
        if not _stands_to_reason(data, raised=raised):
            yield f"{item}: {data['kind']} is {data['state']} with {data['available']} of {data['threshold']}"
    for item, shown in found.items():
        published = {kind: episode for (name, kind), episode in standing.items() if name == item}
        held = {alert["kind"]: alert["episode"] for alert in shown["alerts"]}
        if published != held:
            yield f"{item} shows the alerts {held}, and {published} were published"


def _stands_to_reason(data: dict[str, Any], *, raised: bool) -> bool:
    match data["kind"]:
        case "low_stock":
            t = data["threshold"]
            return bool(t is None or (data["available"] <= t if raised else data["available"] > t))
        case "stock_out":
            return bool((data["available"] <= 0) == raised)
        case "negative_stock":
            return bool((data["on_hand"] < 0) == raised)
    return True


def reviews(records: list[TopicRecord], decided: set[str], *, closed: bool) -> Iterator[str]:
    """One review an item and period, without gaps, up to the same day for all."""
    ends: dict[str, int] = {}
    for raw in records:
        event = said(raw)
        data, item = event["data"], _item(event)
        starts, until = (milliseconds(data["period"][name]) for name in ("starts", "ends"))
        if item in ends and starts != ends[item]:
            yield f"{item}: the review of {data['period']['starts']} does not follow the one before"
        if until - starts > DAY or until % DAY:
            yield f"{item}: a period of {data['period']}"
        ends[item] = until
        ordered = data["replenishment_id"]
        if (data["decision"] == "replenish") != (ordered is not None) or (ordered and ordered not in decided):
            yield f"{item}: decision {data['decision']}, replenishment {ordered}"
    if closed and ends:
        last = max(ends.values())
        for item, end in ends.items():
            if end != last:
                yield f"{item}: its last review is {(last - end) / DAY:g} days behind"


def demand(records: list[TopicRecord], naive: NaiveFold) -> Iterator[str]:
    """No review invents demand; where every event of an item's demand is known, none is lost but what was taken out."""
    reviewed: dict[str, int] = defaultdict(int)
    for raw in records:
        event = said(raw)
        reviewed[_item(event)] += event["data"]["demand"]
    for item, units in reviewed.items():
        if units > naive.items[item].demand:
            yield f"{item}: reviews report a demand of {units}, events one of {naive.items[item].demand}"
    for item in SLIPS:
        folded = naive.items[item]
        if item in reviewed and reviewed[item] < folded.demand - folded.taken_out:
            left = folded.demand - folded.taken_out
            yield f"{item}: reviews report a demand of {reviewed[item]}, and {left} was neither corrected nor cancelled"
    for item in naive.touched - reviewed.keys() - {"Last@BER1"}:
        yield f"{item} was never reviewed"


def journal(topics: Topics, published: Mapping[str, list[TopicRecord]]) -> Iterator[str]:
    """Each transaction begins where the last one ended, and holds the decisions that were published."""
    ends: dict[int, Any] = {}
    decisions = []
    for raw in topics.read("journal"):
        record = decode_journal(raw.value or b"")
        before = ends.get(raw.partition)
        begins = record.start if isinstance(record, Published) else record.end
        if before is not None and begins != before:
            yield f"journal {raw.partition}/{raw.offset} begins at {begins}, the one before ended at {before}"
        ends[raw.partition] = record.end
        if isinstance(record, Published):
            decisions += [(e.replenishment, e.proposed, e.quantity) for e in record.entries if isinstance(e, Decided)]
    orders = [
        (event["data"]["replenishment_id"], event["type"] == "replenishment.proposed", event["data"]["quantity"])
        for event in map(said, published["replenishments"])
    ]
    if sorted(decisions) != sorted(orders):
        extra = set(orders) ^ set(decisions)
        yield f"journal and replenishments differ: {sorted(extra)[:3]} ({len(decisions)} against {len(orders)})"


def _item(event: dict[str, Any]) -> str:
    return f"{event['data']['sku']}@{event['data']['location']}"
