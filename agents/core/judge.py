"""Examines a movement before it is applied: whether it is a duplicate, and whether the state accepts it."""

from typing import Literal, TypeAlias

from agents.inventory.card import Card
from agents.inventory.fold import refusal
from agents.inventory.frame import Frame
from agents.inventory.shelf import Shelf
from schemas.journal import Refused
from schemas.ledger import (
    Acknowledged,
    Approved,
    Corrected,
    Counted,
    Declined,
    Milliseconds,
    Movement,
    Received,
    Shipped,
    Withdrawn,
)
from schemas.refusal import Reason
from stream.ports import Replay

EXAMINED = frozenset({Corrected, Counted, Acknowledged, Shipped, Withdrawn, Approved, Declined, Received})
"""Changes that are always examined; others only where the item is new or has seen the event."""

Verdict: TypeAlias = Literal["new", "further", "duplicate"] | Reason
"""Whether a movement is applied (`further`: as another line of an event that is known), dropped, or refused."""


def judge(
    card: Card | None, record: Movement, clock: Milliseconds, replay: Replay | None, frame: Frame, shelf: Shelf
) -> Verdict:
    """Say what becomes of a movement in a shard whose items lie on a shelf.

    In replay what was refused is refused again, and nothing else, whatever today's rules say.
    """
    refused = next((entry for entry in replay.entries if isinstance(entry, Refused)), None) if replay else None
    if refused is not None:
        return Reason(refused.reason)
    verdict: Verdict = "new"
    if card is not None:
        judgement = card.window.judge(record.event, record.body, record.ordinal, clock, frame.settings)
        if judgement == "conflict":
            return Reason.CONFLICTING_DUPLICATE if replay is None else "duplicate"
        verdict = judgement
    if verdict != "duplicate" and replay is None:
        return refusal(card, record.item, record.change, frame, shelf) or verdict
    return verdict
