"""Applies notices, which concern no single item, once each: suppliers, classes, calendars, shared promotions.

Every shard has every notice; later reviews see what it changed.
"""

from collections.abc import Mapping

from agents.core.shard_state import ShardState
from agents.inventory.window import Judgement, Window
from schemas.ledger import Milliseconds, Notice

_PREFIX = "notices "
"""Of the fields that hold the pages of the duplicate window."""


class Notices:
    """The notices of one shard, with a duplicate window of their own."""

    def __init__(self, state: ShardState) -> None:
        self._state = state
        self._window = Window()

    def apply(self, record: Notice, clock: Milliseconds) -> Judgement:
        """Change the catalogue, unless the notice is a duplicate or conflicts with one that came before it."""
        frame = self._state.frame
        judgement = self._window.judge(record.event, record.body, record.ordinal, clock, frame.settings)
        if judgement in {"duplicate", "conflict"}:
            return judgement
        if judgement == "new":
            self._window.remember(record.event, record.body, record.ordinal, 0, clock, frame.settings)
        self._state.catalogue.apply(record.change, frame.watermark, record.time)
        return judgement

    def changed(self) -> Mapping[str, bytes | None]:
        """Encode the pages that changed since the last call; None for those that are gone."""
        return {f"{_PREFIX}{number}": data for number, data in self._window.changed()}

    def dump(self) -> Mapping[str, bytes]:
        """Encode every page."""
        return {f"{_PREFIX}{number}": page.dump() for number, page in self._window.pages.items()}

    def load(self, fields: Mapping[str, bytes]) -> None:
        """Read the pages among the fields of the table `shared`."""
        pages = {int(field.removeprefix(_PREFIX)): data for field, data in fields.items() if field.startswith(_PREFIX)}
        self._window = Window(pages)
