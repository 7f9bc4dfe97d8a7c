"""What makes an import stop and ask: something in the data that is more likely a mistake than a fact."""

from typing import Literal, NamedTuple, TypeAlias

AlarmKind: TypeAlias = Literal["quantity", "copies", "gap", "spelling", "contradiction"]


class Alarm(NamedTuple):
    """One thing to look at."""

    kind: AlarmKind
    text: str
    """What was found, in a sentence that names rows and values."""
