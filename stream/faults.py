"""What can go wrong around a shard: one class for each thing that must be done about it."""


class Fault(Exception):
    """A fault that the owner of a shard handles; no user ever sees it as an error."""


class Fenced(Fault):
    """Another owner took the shard: drop everything and, if it is still ours, take it again."""


class Unclear(Fault):
    """It is not known whether a commit happened: take the shard again and read the journal."""


class Torn(Fault):
    """The checkpoint is not whole, or of another lineage: rebuild it from the ledger."""


class StoreDown(Fault):
    """Redis does not answer: keep the state and try again."""


class BrokerDown(Fault):
    """Kafka does not answer: keep the state and try again."""


class Parked(Fault):
    """The shard cannot go on by itself; the message names what differs and the command that helps."""
