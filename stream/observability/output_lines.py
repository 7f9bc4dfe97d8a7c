"""Logs what a shard published: what caused it, and never what it says. Only refusals are more than debug lines."""

import logging
from collections.abc import Sequence

from schemas.refused import RefusedRecord
from stream.ports import Output

logger = logging.getLogger(__name__)


def log_outputs(outputs: Sequence[Output]) -> None:
    """Log the outputs of one transaction."""
    debugging = logger.isEnabledFor(logging.DEBUG)
    for output in outputs:
        event = output.event
        if isinstance(event, RefusedRecord):
            refused = event.record
            fields = {"item": output.item, "event": refused.id, "correlation": refused.correlation}
            reason, at = event.refusal.reason.value, {"offset": output.at.offset}
            logger.info("Refused: %s", reason, extra={"fields": fields | at})
        elif debugging:
            about = {name: getattr(event, name, None) for name in ("id", "causation", "correlation")}
            about |= {"item": output.item, "traceparent": output.traceparent}
            logger.debug("Published on %s", output.topic, extra={"fields": about})
