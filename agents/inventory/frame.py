"""What a movement is seen in: the settings, the watermark, suppliers and classes of its shard at that moment."""

from collections.abc import Mapping

import msgspec

from schemas.ledger import ClassChange, FoldSettings, Milliseconds, SupplierChange


class Frame(msgspec.Struct, frozen=True):
    """The part of a shard's state that every item is seen in; its owner makes a new one when something changes."""

    settings: FoldSettings
    watermark: Milliseconds | None = None
    suppliers: Mapping[str, SupplierChange] = {}
    """By name. This mapping is the catalogue's own and follows it."""
    classes: Mapping[str, ClassChange] = {}
    """By letter; the catalogue's own, too."""
