"""Faults on the way to people: somebody refuses, and nobody tells."""

from collections.abc import Iterator
from contextlib import contextmanager

from schemas.codec import encode
from tests.drill.shop import sku
from tests.drill.stage import Stage
from tests.fakes.outputs import alert

MANY = 1_000


@contextmanager
def buyers_refuse(stage: Stage) -> Iterator[None]:
    """Refuse to be told of an item that is sold out, which is published in the place of its shard."""
    stage.people.webhook.answers = [503] * MANY
    event = alert(f"{sku(0)}@BER1", kind="stock_out", severity="critical")
    stage.system.publish([("alerts", event.item.encode(), encode(event))])
    yield
    stage.people.webhook.answers.clear()


@contextmanager
def notifier_killed(stage: Stage) -> Iterator[None]:
    stage.people.kill()
    yield
    stage.people.begin()
