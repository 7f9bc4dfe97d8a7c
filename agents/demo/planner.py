"""The planner: declines in the morning what was proposed the evening before beyond all that facts explain."""

import msgspec

from agents.demo.goods import FIRST_DAY_MS
from agents.demo.outgoing import EventWriter, OutgoingEvent
from schemas.inbound import ReplenishmentDeclined
from schemas.quantities import DAY_MS, HOUR_MS


class Proposal(msgspec.Struct, frozen=True):
    """As much of a proposal as its answer needs."""

    replenishment_id: str
    sku: str
    location: str


class Planner:
    """A shop in order proposes next to nothing: what its past cannot explain, its planner does not buy."""

    def __init__(self) -> None:
        self.proposals = 0
        self._writer = EventWriter("planner.demo")
        self._waiting: list[Proposal] = []

    def read(self, proposal: Proposal) -> None:
        """Look at a proposal tomorrow."""
        self.proposals += 1
        self._waiting.append(proposal)

    def morning(self, day: int) -> list[OutgoingEvent]:
        """Answer the proposals of yesterday."""
        waiting, self._waiting = self._waiting, []
        return [
            self._writer.write(
                f"no-{proposal.replenishment_id}",
                FIRST_DAY_MS + day * DAY_MS + HOUR_MS,
                ReplenishmentDeclined(
                    sku=proposal.sku, location=proposal.location, replenishment_id=proposal.replenishment_id
                ),
            )
            for proposal in waiting
        ]
