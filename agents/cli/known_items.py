"""The items that names are compared with: those of the system, or those that a file lists."""

from collections.abc import Collection
from pathlib import Path

import msgspec

from agents.cli.terminal import warn
from stream.errors import Unreachable, WrongUse
from stream.settings import Settings, mask

SYSTEM = "system"
NONE = "none"
HELP = f"what names are compared with: {SYSTEM}, the items that workers know; {NONE}; or a file of SKU@LOCATION a line"


class _Listed(msgspec.Struct):
    item: str


def known_items(where: str, settings: Settings, wanted: Collection[str] | None = None) -> tuple[set[str], str]:
    """The names, and where they are from, for people; `wanted` saves reading all of them when the system knows each."""
    if where == NONE:
        return set(), ""
    if where != SYSTEM:
        names = _listed(Path(where))
        return names, f"{len(names):,} items of {where}"
    from agents.cli.cards import known_names, stored_cards

    shown = f"RESTOCK_REDIS={mask(settings.redis)}"
    try:
        if wanted and all(card is not None for _, card in stored_cards(settings, dict.fromkeys(wanted))):
            return set(wanted), f"the items that workers know ({shown}): all are among them"
        names = set(known_names(settings))
    except Unreachable as error:
        warn(f"names are compared with each other only: {error}")
        return set(), ""
    return names, f"{len(names):,} items that workers know ({shown})"


def _listed(path: Path) -> set[str]:
    """Names from a file: one a line, or lines of `restock items --json`."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
        names = {_name(line) for line in lines if line}
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise WrongUse(
            f"--known-items={path} cannot be read ({error}): name a file of SKU@LOCATION a line, {SYSTEM} or {NONE}"
        ) from None
    if odd := next((name for name in sorted(names) if "@" not in name), None):
        raise WrongUse(f"--known-items={path}: {odd} is no item: write one SKU@LOCATION a line")
    return names


def _name(line: str) -> str:
    return msgspec.json.decode(line, type=_Listed).item if line.startswith("{") else line
