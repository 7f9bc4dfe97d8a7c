"""The ports through which a shard reaches everything outside it; the composition root fills them."""

from collections.abc import Callable

import msgspec

from stream.observability.instruments import Instruments
from stream.ports import Journal, LedgerPort, Publisher, ShardCore, Store


class Ports(msgspec.Struct, frozen=True):
    """The ports of one application's shards; core and publisher are made anew for every hold on a shard."""

    core: Callable[[int], ShardCore]
    store: Store
    publisher: Callable[[int], Publisher]
    journal: Journal
    ledger: LedgerPort
    instruments: Instruments
