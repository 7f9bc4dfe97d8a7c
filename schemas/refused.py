"""A ledger record that the state refused: what the controller sends to the dead letters.

The record carries its origin, so that `redrive` finds the original bytes at the source.
"""

import msgspec

from schemas.ledger import Milliseconds, Movement, Notice
from schemas.refusal import Refusal


class RefusedRecord(msgspec.Struct, frozen=True):
    """A refusal that only the state could give, and the record that it is about."""

    refusal: Refusal
    record: Movement | Notice
    appended: Milliseconds
    """When the ledger took the record."""
