"""A run: a workload is published slice by slice to a system whose suppliers answer, and judged in the end."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.chaos.checker import Findings, check
from tests.chaos.shop_front import ShopFront, Topics, said
from tests.chaos.supplier import CampaignSupplier
from tests.chaos.system import System, await_true
from tests.chaos.workload import DAY, HOUR, Workload

BACK_DAYS = 60
"""A run begins so many days ago, so that none of its times is too far in the future."""


class Run:
    """One application under a workload."""

    def __init__(self, kafka: str, store: str, name: str, home: Path, seed: int, **settings: str) -> None:
        self.system = System(kafka, store, name, home, **settings)
        start = int(time.time() * 1000) // DAY * DAY - BACK_DAYS * DAY
        self.workload = Workload(seed, start)
        self.supplier = CampaignSupplier(seed)
        self.repeats_letters = False
        """Whether something has happened that lets intake write a dead letter again: a crash, a rebalance."""
        self._read: dict[int, int] = {}

    def __enter__(self) -> Self:
        """Make the topics and publish the configuration of items; `open` returns only once a worker runs."""
        self.system.create()
        self.front = ShopFront(self.system.kafka, f"{self.system.name}.", self.system.partitions)
        self.topics = Topics(self.system.kafka, f"{self.system.name}.")
        self.front.publish(self.workload.opening())
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process behind."""
        self.system.kill()
        self.front.close()

    def end_everything(self) -> None:
        """Let every order and transfer arrive.

        One that does not is given up after weeks of the run's time, and the checker does not know that rule.
        """
        self.supplier.comes_to_an_end = self.workload.comes_to_an_end = True

    def open(self, seconds: float = 60.0) -> None:
        """Go on once terms are in the ledger, so that everything that moves finds them."""
        await_true(
            lambda: self.system.sources_done(["catalog"]), seconds,
            lambda: f"the terms were not taken in:\n{self.system.workers[0].tail()}",
        )  # fmt: skip
        self.front.publish(self.workload.counts())

    def publish(
        self, slices: int, events: int, meanwhile: Callable[[int], Any] = lambda _: None, *, length_ms: int = 2 * HOUR
    ) -> None:
        """Publish slices of some hours, and call `meanwhile` after each."""
        for number in range(slices):
            self.front.publish(self.workload.slice(events, length_ms))
            outputs = [said(raw) for raw in self.topics.read("replenishments", self._read)]
            self.front.publish(self.supplier.answers(outputs, self.workload.now))
            meanwhile(number)

    def finish(self, seconds: float = 120.0) -> Findings:
        """Let all work be done, and judge."""
        self.front.publish(self.workload.closing(self.system.partitions))
        codes = self.system.stop()
        self.system.work_off(seconds=seconds)
        report = check(self.system, self.front, self.workload, repeats_letters=self.repeats_letters)
        report.violations += [f"a worker that was asked to stop ended with {code}" for code in codes if code]
        return report
