"""What can go wrong around a shard, named by what must be done about it."""


class Fault(Exception):
    """A fault that the shard's own loop handles; it never reaches a user as it is."""


class Fenced(Fault):
    """Another owner took the shard: drop everything and, if it is still ours, take it again."""


class Unclear(Fault):
    """Nobody can know whether it happened: take the shard again and read what the journal says."""


class Torn(Fault):
    """The checkpoint is not whole, or not of this history: rebuild it from the ledger."""


class StoreDown(Fault):
    """Redis does not answer: keep the state and try again."""


class BrokerDown(Fault):
    """Kafka does not answer: keep the state and try again."""


class Parked(Fault):
    """The shard cannot go on by itself; the message names what differs and the command that helps."""
