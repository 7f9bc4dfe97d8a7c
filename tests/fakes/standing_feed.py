"""A feed without a consumer."""

from faust.types import TP

from stream.consumer.feeds import SourceFeed


class StandingFeed(SourceFeed):
    """A feed that stands where it is put and has been read to its end."""

    def __init__(self, next_: int | None = 5, tp: TP = TP("orders", 0)) -> None:  # noqa: B008 - a tuple
        self.tp, self.name, self.next, self.parked = tp, f"{tp.topic}-id/{tp.partition}", next_, None
        self.read_up_to = 1_000

    @property
    def drained(self) -> bool:
        return True
