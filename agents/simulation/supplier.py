"""A simulated supplier: decides when an order comes, in how many parts, and whether it comes at all."""

import msgspec

from agents.simulation.seeds import generator


class Delivery(msgspec.Struct, frozen=True):
    """A part of an order on its way; it can be sold `lead_time` whole periods after the order (0: at once)."""

    lead_time: int
    quantity: int
    final: bool


class Supplier(msgspec.Struct, frozen=True, kw_only=True):
    """Draws the fate of an order from its name, so that it does not depend on what else was ordered.

    >>> supplier = Supplier(seed=1, lead_times=(2, 3, 4), partial_chance=0.5)
    >>> supplier.deliver("rep-1", 12) == supplier.deliver("rep-1", 12)
    True
    >>> sum(delivery.quantity for delivery in supplier.deliver("rep-1", 12))
    12
    >>> Supplier(seed=1, lead_times=(3,), loss_chance=1.0).deliver("rep-1", 12)
    ()
    """

    seed: int
    lead_times: tuple[int, ...]
    """In periods; one that is listed twice is twice as likely."""
    loss_chance: float = 0.0
    partial_chance: float = 0.0
    """Chance that only a part comes first, and the rest up to `rest_delay` periods later."""
    rest_delay: int = 3
    short_chance: float = 0.0
    """Chance that the rest of a partial delivery never comes."""

    def deliver(self, order: str, quantity: int) -> tuple[Delivery, ...]:
        """Deliveries of one order, in the order in which they arrive; none when it is lost."""
        chance = generator(self.seed, "order", order)
        lost, split, short = chance.random(3)
        lead_time = self.lead_times[int(chance.integers(len(self.lead_times)))]
        share, delay = chance.uniform(0.3, 0.9), int(chance.integers(1, self.rest_delay + 1))
        if quantity <= 0 or lost < self.loss_chance:
            return ()
        first = min(quantity, max(1, round(quantity * share)))
        if split >= self.partial_chance or first == quantity:
            return (Delivery(lead_time, quantity, final=True),)
        if short < self.short_chance:
            return (Delivery(lead_time, first, final=True),)
        return (Delivery(lead_time, first, final=False), Delivery(lead_time + delay, quantity - first, final=True))
