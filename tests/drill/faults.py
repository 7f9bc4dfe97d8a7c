"""The faults of the drill, and the alert that each has to bring."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tests.drill import data_faults, people_faults, server_faults, worker_faults
from tests.drill.stage import Stage


@dataclass(frozen=True)
class DrilledFault:
    """A fault, and the alert that has to come of it."""

    name: str
    alert: str
    inject: Callable[[Stage], AbstractContextManager[None]]
    holds_minutes: float = 0.0
    """How long it goes on after its alert, unshortened, so that what follows from it fires too."""
    asked: tuple[str, ...] = ("doctor",)
    """Commands of the product that are asked when the alert has come."""


FAULTS = [
    DrilledFault("broker stopped", "RestockBrokerUnreachable", server_faults.broker_stopped, 6),
    DrilledFault("store stopped", "RestockStoreUnreachable", server_faults.store_stopped, 6),
    DrilledFault("store full", "RestockStoreErrors", server_faults.store_full),
    DrilledFault("writing forbidden", "RestockBrokerErrors", server_faults.writing_forbidden),
    DrilledFault("worker killed", "RestockTargetDown", worker_faults.worker_killed),
    DrilledFault("worker standing still", "RestockTargetDown", worker_faults.worker_standing_still),
    DrilledFault("all workers killed", "RestockNoWorker", worker_faults.all_workers_killed, 4),
    DrilledFault("no worker is a controller", "RestockShardNotHeld", worker_faults.no_controller, 6),
    DrilledFault("poison flood", "RestockDeadLetterRate", data_faults.poison_flood, 2),
    DrilledFault("a shard parked", "RestockShardParked", data_faults.shard_parked, 6),
    DrilledFault("a shard standing still", "RestockPartitionStuck", worker_faults.planted("shard_0_stands_still")),
    DrilledFault("more orders than are folded", "RestockLagGrowing", worker_faults.slow_folding),
    DrilledFault("one worker cut off from the broker", "RestockWorkerCutOff", server_faults.cut_off(1)),
    DrilledFault("broker cut off by a proxy", "RestockBrokerUnreachable", server_faults.cut_off(99), 6),
    DrilledFault("dead letters refused", "RestockDeadLettersBlocked", server_faults.letters_refused, 6),
    DrilledFault("orders deleted before they are read", "RestockFeedRecordsLost", data_faults.orders_deleted),
    DrilledFault("store emptied", "RestockRewound", server_faults.store_emptied),
    DrilledFault("intake standing still", "RestockIntakeStuck", worker_faults.intake_standing_still, 15),
    DrilledFault("feeds parked", "RestockFeedParked", worker_faults.planted("intake_fails")),
    DrilledFault("one feed parked for long", "RestockFeedSilent", worker_faults.planted("intake_fails_at_orders_0")),
    DrilledFault("a forecaster fails", "RestockLearnerFailures", worker_faults.planted("forecaster_fails")),
    DrilledFault("buyers refuse", "RestockNotTold", people_faults.buyers_refuse),
    DrilledFault("the notifier killed", "RestockNotifierStopped", people_faults.notifier_killed),
    DrilledFault(
        "an item tampered with", "RestockInvariantViolated", data_faults.item_tampered_with, 0, ("doctor", "audit")
    ),
]
