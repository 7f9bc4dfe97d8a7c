"""What all items of a shard have in common: the ledger and its settings, the time of the feeds, and the catalogue.

Everything here is stored in the table `shared`. Who folds or reviews an item sees it in a `Frame`, which is made anew
whenever the settings or the watermark change; nobody else keeps a copy of either.

>>> state = ShardState(4, "k3f9")
>>> state.follow(SettingsChanged(FoldSettings(period_ms=3_600_000))), state.frame.settings.period_ms
(True, 3600000)
"""

from collections.abc import Mapping

import msgspec

from agents.inventory.catalogue import Catalogue
from agents.inventory.frame import Frame
from agents.inventory.timeline import Timeline
from schemas.ledger import FoldSettings, LedgerCreated, Milliseconds, SettingsChanged, Ticked
from schemas.stored import decoder_of


class About(msgspec.Struct, array_like=True, frozen=True):
    """Whose ledger this is, and the settings that hold."""

    ledger: str
    settings: FoldSettings


_encode = msgspec.msgpack.Encoder().encode
_decode = decoder_of(About, "what a shard stores about its ledger")


class ShardState:
    """The part of a shard's state that belongs to no single item."""

    def __init__(self, partition: int, ledger: str = "") -> None:
        self.partition = partition
        self.timeline = Timeline()
        self.catalogue = Catalogue()
        self._about = About(ledger, FoldSettings())
        self._about_changed = True
        self.frame = self._frame()
        """The frame that holds now."""

    @property
    def names(self) -> tuple[str, int]:
        """Ledger and partition: part of every output's name."""
        return self._about.ledger, self.partition

    def follow(self, record: LedgerCreated | SettingsChanged) -> bool:
        """Follow the settings of a record from here on; whether periods have another length now."""
        before = self._about
        ledger = record.ledger if isinstance(record, LedgerCreated) else before.ledger
        self._about = About(ledger, record.settings)
        self._about_changed = True
        self.frame = self._frame()
        return record.settings.period_ms != before.settings.period_ms

    def tick(self, record: Ticked, appended: Milliseconds) -> None:
        """Take in the progress of the feeds, which may raise the watermark."""
        self.timeline.tick(record, appended, self.frame.settings)
        self.frame = self._frame()

    def changed(self) -> Mapping[str, bytes | None]:
        """Encode what has changed since the last call; None for what is gone."""
        changed: dict[str, bytes | None] = {**dict(self.timeline.changed()), **dict(self.catalogue.changed())}
        if self._about_changed:
            changed["about"] = _encode(self._about)
            self._about_changed = False
        return changed

    def dump(self) -> Mapping[str, bytes]:
        """Encode everything."""
        return {"about": _encode(self._about), **self.timeline.dump(), **self.catalogue.dump()}

    def load(self, fields: Mapping[str, bytes]) -> None:
        """Read the fields of the table that belong here; ValueError when one is something else."""
        if "about" in fields:
            self._about = _decode(fields["about"])
            self._about_changed = False
        self.timeline.load(fields)
        self.catalogue.load(fields)
        self.frame = self._frame()

    def _frame(self) -> Frame:
        watermark, period_ms = self.timeline.watermark, self._about.settings.period_ms
        self.timeline.long_ago = -1 if watermark is None else watermark - period_ms
        return Frame(self._about.settings, self.timeline.watermark, self.catalogue.suppliers, self.catalogue.classes)
