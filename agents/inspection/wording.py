"""How explanations write moments, positions and amounts.

>>> on(1_772_409_600_000), on(1_772_409_660_500), amount(2.10), amount(40)
('2026-03-02', '2026-03-02 00:01', '2.1', '40')
"""

from collections.abc import Sequence

from schemas.ledger import Milliseconds
from schemas.outbound import Position
from schemas.quantities import instant

_MINUTE = 60_000


def on(time: Milliseconds) -> str:
    """A moment to the minute; midnight is left out."""
    return instant(time - time % _MINUTE)[:16].replace("T", " ").removesuffix(" 00:00")


def amount(value: float) -> str:
    """A number without digits that say nothing."""
    return f"{value:,.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.01 else f"{value:.2g}"


def total(position: Position) -> int:
    """The position that its parts make."""
    return position.on_hand - position.allocated - position.backorders + position.on_order


def parts(position: Position) -> str:
    """A position and what it is made of.

    >>> parts(Position(on_hand=12, allocated=5, backorders=0, on_order=20))
    '27: 12 on hand, 5 of them allocated, 20 on order'
    """
    named = [f"{position.on_hand} on hand"]
    named += [f"{position.allocated} of them allocated"] if position.allocated else []
    named += [f"{position.backorders} owed to customers"] if position.backorders else []
    named += [f"{position.on_order} on order"]
    return f"{total(position)}: {', '.join(named)}"


def listed(words: Sequence[str]) -> str:
    """Words as a list in a sentence.

    >>> listed(["mon"]), listed(["mon", "wed", "fri"])
    ('mon', 'mon, wed and fri')
    """
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
