"""An item as it was at a past moment: its shard folded again up to there, from ledger and journal.

Nothing is written.
"""

import asyncio

from agents.cli.terminal import progress
from agents.inspection.item import CheckpointedItem
from agents.inspection.past import PastEnd, as_of
from agents.inspection.wording import on
from agents.worker.resources import Resources
from schemas.ledger import Milliseconds, decode_record
from stream.checkpoint.reader import CheckpointReader
from stream.errors import AnswerIsNo
from stream.settings import Settings

SHOWN_EVERY = 1_000
"""Records between two looks at the progress bar."""


def past_item(settings: Settings, item: str, moment: Milliseconds) -> tuple[CheckpointedItem, Milliseconds]:
    """Fold to a moment, or as far as time has come.

    Raises AnswerIsNo where the item was not known by then, or the ledger no longer reaches back.
    """
    shard = settings.place(item)
    with CheckpointReader(settings) as reader:
        found = reader.look(shard, {})
    if found is None:
        raise AnswerIsNo(f"shard {shard} has no checkpoint: run a worker, or `restock rebuild`")
    return asyncio.run(_folded(settings, shard, item, moment, found.next))


async def _folded(
    settings: Settings, shard: int, item: str, moment: Milliseconds, reached: int
) -> tuple[CheckpointedItem, Milliseconds]:
    resources = Resources(settings)
    try:
        view, journal = await resources.ledger.view(shard), await resources.journal.look(shard, None)
        if view.start > 0 or not journal.whole:
            raise AnswerIsNo(
                f"ledger and journal of shard {shard} no longer reach back to their start, so that no past moment can "
                "be folded: leave --at out to see what is now"
            )
        return await asyncio.to_thread(_fold, resources, shard, item, moment, reached)
    finally:
        await resources.close()


def _fold(
    resources: Resources, shard: int, item: str, moment: Milliseconds, reached: int
) -> tuple[CheckpointedItem, Milliseconds]:
    from agents.core.core import Core
    from stream.shard.refold import Refold

    past = PastEnd(item, moment, shard)
    for record in resources.ledger.records(shard, 0, reached):
        past.see(decode_record(record.value), record.offset, record.timestamp)
        if past.passed:
            break
    if not past.end:
        raise AnswerIsNo(f"{item} was not known at {on(moment)}: nothing about it had come by then")
    refold = Refold(Core(shard, resources.state.ledger), resources.journal.records(shard))
    with progress(f"folding shard {shard}", past.end) as report:
        for record in resources.ledger.records(shard, 0, past.end):
            decoded = as_of(decode_record(record.value), moment, past.settings)
            refold.fold(decoded, record.offset, record.timestamp, until=moment)
            if record.offset % SHOWN_EVERY == 0:
                report(record.offset)
    tables = refold.core.dump()
    own = {
        "items": {item: tables["items"][item]},
        "pages": {f"{item}\x00t": tables["pages"].get(f"{item}\x00t")},
        "minds": {item: tables["minds"].get(item)},
    }
    kept = {table: {name: data for name, data in fields.items() if data is not None} for table, fields in own.items()}
    shared = {name: data for name, data in tables["shared"].items() if data is not None}
    return CheckpointedItem(item, shard, past.end, past.settings, {**kept, "shared": shared}), past.moment
