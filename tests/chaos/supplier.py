"""Suppliers and buyers: they read requests and proposals, and answer in every way that people do.

The answer to a replenishment depends on the seed and on the replenishment's id alone.
"""

import random
from typing import Any

from tests.chaos.events import StatedEvent, WrittenEvent, milliseconds, moment, written

DAY = 86_400_000
Answer = tuple[str, dict[str, Any]]


class CampaignSupplier:
    """Answers each replenishment once."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.comes_to_an_end = False
        """Whether every replenishment arrives in the end."""
        self._known: set[tuple[str, str]] = set()
        self._later: list[tuple[int, StatedEvent]] = []
        self._number = 0

    def answers(self, outputs: list[dict[str, Any]], now_ms: int) -> list[WrittenEvent]:
        """Answers to publish now, about these outputs and about earlier ones."""
        for output in outputs:
            data, requested = output["data"], output["type"] == "replenishment.requested"
            if (data["replenishment_id"], output["type"]) not in self._known:
                self._known.add((data["replenishment_id"], output["type"]))
                chance = random.Random(f"{self._seed} {data['replenishment_id']} {requested}")
                self._plan(self._deliver(chance, data) if requested else self._decide(chance), data, now_ms, chance)
        due = [said for at, said in self._later if at <= now_ms]
        self._later = [(at, said) for at, said in self._later if at > now_ms]
        events = [written(said) for said in due]
        return events + [written(said, spelling=2) for said in due[::9]]  # now and then twice

    def _plan(self, answers: list[Answer], about: dict[str, Any], now_ms: int, chance: random.Random) -> None:
        at = now_ms
        for name, data in answers:
            self._number += 1
            item = {key: about[key] for key in ("sku", "location", "replenishment_id")}
            said = StatedEvent("supplier.example", f"answer-{self._seed}-{self._number}", name, at, item | data)
            if name == "stock.received":
                said.data["receipt_id"] = said.id
            self._later.append((at, said))
            at += chance.choice((0, DAY // 4, DAY))

    def _decide(self, chance: random.Random) -> list[Answer]:
        dice = chance.random()
        if dice < 0.7:
            return [("replenishment.approved", {})]
        return [("replenishment.declined", {})] if dice < 0.9 or self.comes_to_an_end else []

    def _deliver(self, chance: random.Random, about: dict[str, Any]) -> list[Answer]:
        wanted = about["quantity"]
        part = max(1, wanted // 3)

        def confirmed(status: str, units: int) -> Answer:
            return "replenishment.acknowledged", {"status": status, "confirmed": units, "promised_at": about["need_by"]}

        def received(units: int, *, damaged: int = 0, final: bool = False) -> Answer:
            return "stock.received", {"accepted": units, "rejected": damaged, "final": final}

        shipped = ("replenishment.shipped", {"quantity": wanted, "eta": moment(self._eta(about))})
        ended = (
            [confirmed("rejected", 0)],
            [confirmed("accepted", wanted), shipped, received(wanted)],
            [confirmed("accepted", wanted), shipped, received(part), received(wanted - part)],
            [received(part), confirmed("partial", min(wanted, part + 1)), received(1), received(4)],
            [confirmed("partial", part), shipped, received(part, damaged=1)],
            [shipped, received(part, damaged=1, final=True), received(2)],
            [confirmed("accepted", wanted), ("replenishment.cancelled", {"remaining": part}), received(part)],
            [("replenishment.cancelled", {"remaining": 0}), received(part)],
            [received(wanted + 5)],
        )  # fmt: skip
        return chance.choice(ended if self.comes_to_an_end else (*ended, [], [confirmed("accepted", wanted)]))

    def _eta(self, about: dict[str, Any]) -> int:
        return milliseconds(about["need_by"])
