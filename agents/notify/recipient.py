"""Who is told of what: a recipient's name, where messages to it go, and what it wants to hear of.

>>> Recipient("buyers", Url("slack://T1/secret"), suppliers=("acme",))
Recipient(name='buyers', url=Url('slack://***'), severities=('critical', 'warning'), proposals=True,
    suppliers=('acme',), classes=(), locations=())
"""

from collections.abc import Mapping
from typing import NamedTuple

from agents.notify.matters import PROPOSAL, KnownItem, Matter
from schemas.outbound import Severity
from schemas.quantities import split_item


class Url:
    """Where messages go. It is kept from logs: the address of a chat or a webhook is a password."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return f"Url('{self.scheme}://***')"

    @property
    def scheme(self) -> str:
        """What speaks with it."""
        return self._text.partition("://")[0].lower()

    def reveal(self) -> str:
        """The whole of it, for the one who sends."""
        return self._text


class Recipient(NamedTuple):
    """A person, a team or a program."""

    name: str
    url: Url
    severities: tuple[Severity, ...] = ("critical", "warning")
    proposals: bool = True
    suppliers: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()

    def wants(self, matter: Matter, known: Mapping[str, KnownItem]) -> bool:
        """Whether it is told of a matter; of an item that no checkpoint knows, everybody is."""
        item = known.get(matter.item)
        wanted = self.proposals if matter.kind == PROPOSAL else matter.severity in self.severities
        _, location = split_item(matter.item)
        return (
            wanted
            and (not self.locations or location in self.locations)
            and (item is None or not self.suppliers or (item.supplier or "") in self.suppliers)
            and (item is None or not self.classes or item.abc in self.classes)
        )
