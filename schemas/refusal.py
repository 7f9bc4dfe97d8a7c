"""Why an event is refused: a reason from a closed list, the field, and what to do about it.

>>> print(Refusal(Reason.MISSING_FIELD, "data.order_id", "is missing", "add it"))
data.order_id is missing: add it
"""

from enum import StrEnum

import msgspec


class Reason(StrEnum):
    """Every reason there is; each is also the value of a metric label, so the list stays closed."""

    EMPTY = "empty"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    BAD_ENCODING = "bad_encoding"
    BAD_ENVELOPE = "bad_envelope"
    UNKNOWN_TYPE = "unknown_type"
    WRONG_TOPIC = "wrong_topic"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    BAD_TIME = "bad_time"
    TIME_TOO_FAR = "time_too_far"
    BAD_IDENTITY = "bad_identity"
    # The rest need state, so the controller finds them.
    UNKNOWN_ITEM = "unknown_item"
    TOO_MANY_ITEMS = "too_many_items"
    CONFLICTING_DUPLICATE = "conflicting_duplicate"
    COUNT_TOO_OLD = "count_too_old"
    UNKNOWN_REPLENISHMENT = "unknown_replenishment"


class Refusal(msgspec.Struct, frozen=True):
    """A verdict that is not `ok`. Its texts never repeat the payload: they go into headers, logs and screens."""

    reason: Reason
    field: str
    """Where the fault lies, such as `data.lines[0].quantity`; empty when it is about the event as a whole."""
    message: str
    """What is wrong."""
    cure: str
    """What the producer can do."""

    def __str__(self) -> str:
        """Field, fault and cure in one line."""
        return f"{self.field or 'the event'} {self.message}: {self.cure}"
