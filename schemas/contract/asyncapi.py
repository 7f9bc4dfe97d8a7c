"""The AsyncAPI 3 document of the contract: channels, operations and messages, made from the structs.

>>> document()["operations"]["receive_orders"]["action"]
'receive'
"""

from typing import Any

from schemas.contract.examples import example
from schemas.contract.json_schema import CONTRACT_VERSION, TYPES, data_schemas, envelope_schema, summary_of, topic_of
from schemas.dead_letter import MESSAGE_BYTES, PREFIX
from schemas.dead_letter_mark import PREFIX as MARK_PREFIX
from schemas.dead_letter_mark import STATES
from schemas.refusal import Reason
from schemas.topics import TOPICS, Topic

DEAD_LETTER = "dead-letter"
DEAD_LETTER_MARK = "dead-letter-mark"


def document() -> dict[str, Any]:
    """The whole document, ready to be written as JSON."""
    public = [topic for topic in TOPICS.values() if topic.role != "log"]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "restock",
            "version": CONTRACT_VERSION,
            "description": "Orders, stock and catalogue events in; replenishments, alerts and reviews out. "
            "CloudEvents 1.0 over Kafka: structured mode out, structured or binary mode in. "
            "Every topic name takes the prefix the operators configured.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {topic.name: _channel(topic) for topic in public},
        "operations": {
            f"{_action(topic)}_{topic.name.replace('-', '_')}": {
                "action": _action(topic),
                "channel": {"$ref": f"#/channels/{topic.name}"},
                "summary": _summary(topic),
            }
            for topic in public
        },
        "components": {
            "messages": {
                **{name: _message(name) for name in TYPES},
                DEAD_LETTER: _dead_letter(),
                DEAD_LETTER_MARK: _dead_letter_mark(),
            },
            "schemas": _schemas(),
        },
    }


def _action(topic: Topic) -> str:
    """What the service does; producers send what it receives."""
    return "receive" if topic.role == "source" else "send"


def _summary(topic: Topic) -> str:
    if topic.role == "source":
        return f"Takes what is published by {topic.writer}."
    return "Keeps what was refused, with the reason." if topic.role == "dead_letters" else "Publishes what was decided."


def _channel(topic: Topic) -> dict[str, Any]:
    messages = (DEAD_LETTER, DEAD_LETTER_MARK) if topic.role == "dead_letters" else topic.types
    return {
        "address": topic.name,
        "description": f"Written by {topic.writer}. Key: {topic.key}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"kafka": {"topicConfiguration": {"cleanup.policy": [topic.cleanup]}}},
    }


def _message(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "title": name,
        "summary": summary_of(name),
        "contentType": "application/cloudevents+json",
        "bindings": {"kafka": {"key": {"type": "string", "description": TOPICS[topic_of(name)].key}}},
        "payload": envelope_schema(name, {"$ref": f"#/components/schemas/{TYPES[name].__name__}"}),
        "examples": [{"name": name.replace(".", "-"), "payload": example(name)}],
    }


def _dead_letter() -> dict[str, Any]:
    texts = ("stage", "topic", "partition", "offset", "exception", "app-version", "first-seen")
    return {
        "name": DEAD_LETTER,
        "title": DEAD_LETTER,
        "summary": "A refused record: original key, value and headers, and further headers that say why.",
        "contentType": "application/octet-stream",
        "headers": {
            "type": "object",
            "properties": {
                f"{PREFIX}reason": {"enum": [reason.value for reason in Reason]},
                f"{PREFIX}message": {"type": "string", "description": f"at most {MESSAGE_BYTES} bytes"},
                **{f"{PREFIX}{text}": {"type": "string"} for text in texts},
            },
            "required": [f"{PREFIX}{text}" for text in ("reason", "message", *texts)],
        },
        "payload": {"description": "the original bytes, whatever they are"},
    }


def _dead_letter_mark() -> dict[str, Any]:
    places = ("topic", "partition", "offset", "ordinal")
    return {
        "name": DEAD_LETTER_MARK,
        "title": DEAD_LETTER_MARK,
        "summary": "Marks what became of an earlier refused record, which it names by its origin.",
        "contentType": "application/octet-stream",
        "headers": {
            "type": "object",
            "properties": {
                f"{MARK_PREFIX}state": {"enum": list(STATES)},
                **{f"{MARK_PREFIX}{place}": {"type": "string"} for place in places},
            },
            "required": [f"{MARK_PREFIX}{name}" for name in ("state", *places)],
        },
        "payload": {"type": "null"},
    }


def _schemas() -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for name in TYPES:
        merged.update(data_schemas(name, "#/components/schemas/{name}"))
    return merged
