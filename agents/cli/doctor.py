"""`restock doctor`: is everything there that a worker needs, and if not, what to do."""

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from agents.cli.terminal import print_table
from stream.errors import RestockError, Unreachable, WrongUse
from stream.setting_sources import load
from stream.settings import Settings, mask, show

Verdict: TypeAlias = Literal["ok", "warning", "wrong", "unreachable"]
PACKAGES = ("restock", "faust-streaming", "aiokafka", "confluent-kafka", "redis", "msgspec", "river", "numpy")
SKEW_MS = 5_000
"""A clock further away makes watermarks run ahead, or events be refused."""
LATE_MS = 60_000
"""A notification that has been due for longer is not just being sent."""
MEMORY_SHARE = 0.9
MOST_LETTERS = 10_000
"""What asks the clock writes there, too, and takes it back: only reading tells what came."""
MOST_ITEMS = 20_000
"""The terms of more items are not looked at."""
_COLOURS = {"ok": "\033[32m", "warning": "\033[33m", "wrong": "\033[31m", "unreachable": "\033[31m"}
EXAMPLES = """examples:
  restock doctor
  restock doctor --json     exit code 3 when a server does not answer, 1 when something else is wrong"""


class Finding(NamedTuple):
    """What one look has found."""

    what: str
    verdict: Verdict
    found: str
    cure: str = ""


def register(subparsers: Any) -> None:
    """Declare the command's arguments."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "doctor",
        help="check connection, versions, topics, clock and settings",
        description="Looks at servers, topics, ledger, checkpoints, clocks and settings, and says what to do.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    """Exit code 0 when a worker could start."""
    settings = load(args.config)
    findings = list(_examine(settings, args.config))
    if args.json:
        shown = {entry.key: entry.value for entry in show(settings)}
        print(json.dumps({"findings": [finding._asdict() for finding in findings], "settings": shown}))
    else:
        print_table(("setting", "value", ""), show(settings))
        print()
        for finding in findings:
            print(_line(finding))
    verdicts = {finding.verdict for finding in findings}
    return Unreachable.exit_code if "unreachable" in verdicts else 1 if "wrong" in verdicts else 0


def _examine(settings: Settings, config: Path | None) -> Iterator[Finding]:
    from stream.kafka.topic_check import ABSENT

    yield Finding("versions", "ok", f"Python {platform.python_version()}, {', '.join(_versions())}")
    broker = list(_asked("kafka", lambda: _kafka(settings)))
    yield from broker
    if broker[0].verdict == "ok":
        topics = list(_asked("topics", lambda: _topics(settings)))
        yield from topics
        yield from _asked("ledger", lambda: _ledger(settings))
        if not any(finding.found.endswith(ABSENT) for finding in topics):  # asking the clock of a broker writes to one
            yield from _asked("access", lambda: _access(settings))
            yield from _asked("clock", lambda: _broker_clock(settings))
            yield from _asked("workers", lambda: _workers(settings))
            yield from _asked("intake", lambda: _intake(settings))
            yield from _asked("letters", lambda: _letters(settings))
            yield from _asked("notify", lambda: _notify(settings, config))
    store = list(_asked("redis", lambda: _redis(settings)))
    yield from store
    if store[-1].verdict == "ok" and broker[0].verdict == "ok":
        yield from _asked("shards", lambda: _shards(settings))
        yield from _asked("terms", lambda: _terms(settings))
        yield from _asked("items", lambda: _spellings(settings))


def _asked(what: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What looking finds, or what it fails with."""
    from confluent_kafka import KafkaException

    try:
        yield from look()
    except KafkaException as error:  # such as a coordinator that is still loading, seconds after its broker began
        yield Finding(
            what, "unreachable", f"the broker does not answer ({error.args[0].str()})", "ask again in a moment"
        )
    except RestockError as error:
        found, _, cure = str(error).rpartition(": ")
        yield Finding(what, "unreachable" if isinstance(error, Unreachable) else "wrong", found, cure)


def _versions() -> Iterator[str]:
    for package in PACKAGES:
        try:
            yield f"{package} {metadata.version(package)}"
        except metadata.PackageNotFoundError:
            yield f"{package} missing"


def _kafka(settings: Settings) -> Iterator[Finding]:
    from stream.kafka.clients import reach

    started = time.monotonic()
    _, cluster = reach(settings)
    took_ms = (time.monotonic() - started) * 1_000
    brokers = f"{len(cluster.brokers)} broker" + "s" * (len(cluster.brokers) > 1)
    yield Finding("kafka", "ok", f"{settings.kafka}: {brokers}, answered in {took_ms:.0f} ms")


def _topics(settings: Settings) -> Iterator[Finding]:
    from schemas.topics import TOPICS
    from stream.kafka.topic_check import check

    differences = check(settings)
    for difference in differences:
        found, _, cure = str(difference).rpartition(": ")
        yield Finding("topics", "wrong" if difference.grave else "warning", found, cure)
    if not differences:
        yield Finding("topics", "ok", f"{len(TOPICS)} topics are as they should be")


def _access(settings: Settings) -> Iterator[Finding]:
    from stream.kafka.topic_access import forbidden

    lacking = forbidden(settings)
    for topic, operations in lacking.items():
        found = f"Kafka does not allow this client to {' and '.join(operations)} {topic}"
        yield Finding("access", "wrong", found, "change its access rules")
    if not lacking:
        yield Finding("access", "ok", "this client may read and write what a worker has to")


def _ledger(settings: Settings) -> Iterator[Finding]:
    from stream.preconditions import verify_ledger

    state = verify_ledger(settings)
    yield Finding(
        "ledger", "ok", f"{state.ledger} of {state.app}, {state.partitions} partitions, follows these settings"
    )


def _broker_clock(settings: Settings) -> Iterator[Finding]:
    from stream.kafka.broker_clock import skew_ms

    skew = skew_ms(settings)
    cure = "" if abs(skew) <= SKEW_MS else "set the clocks by NTP, on brokers and workers"
    yield Finding("clock", "warning" if cure else "ok", f"this machine is {skew:+d} ms from the broker", cure)


def _workers(settings: Settings) -> Iterator[Finding]:
    from stream.kafka.ledger_state import working

    count = working(settings)
    yield (
        Finding("workers", "ok", f"{count} running")
        if count
        else Finding("workers", "warning", "none is running", "start one with `restock worker`")
    )


def _intake(settings: Settings) -> Iterator[Finding]:
    from stream.kafka.ledger_state import unread

    ledger = settings.topic("ledger")
    if behind := {place: count for place, count in unread(settings).items() if place[0] != ledger}:
        (topic, number), worst = max(behind.items(), key=itemgetter(1))
        slow = worst > settings.ready_lag
        cure = "if that does not shrink, the worker's log and /readyz say what it waits for" if slow else ""
        found = f"the furthest behind is {topic}/{number}, by {worst:,} records"
        yield Finding("intake", "warning" if slow else "ok", found, cure)


def _letters(settings: Settings) -> Iterator[Finding]:
    from schemas.quantities import HOUR_MS
    from stream.kafka.topic_reader import TopicReader

    topic = settings.topic("dead-letters")
    with TopicReader(settings) as reader:
        stretches = reader.since(topic, round(time.time() * 1_000) - HOUR_MS)
        count = sum(1 for _ in islice(reader.read(topic, stretches), MOST_LETTERS))
    if count:
        cure = "`restock dead-letters list --since 1h` says why"
        many = f"{count:,} record{'s' * (count > 1)}{' or more' * (count == MOST_LETTERS)}"
        yield Finding("letters", "warning", f"{many} came to the dead letters within an hour", cure)
    else:
        yield Finding("letters", "ok", "nothing came to the dead letters within an hour")


def _notify(settings: Settings, config: Path | None) -> Iterator[Finding]:
    """Whether those whom `restock notify` is to tell were told; nothing where `[notify]` names nobody."""
    from agents.notify.process import look_at_told
    from agents.notify.settings import load_notify
    from schemas.quantities import instant

    try:
        mailings = load_notify(config).mailings()
    except WrongUse as error:  # its addresses may be known where it runs, and nowhere else
        found, _, cure = str(error).rpartition(": ")
        yield Finding("notify", "warning", found, cure)
        return
    told_by_name = {mailing.name: look_at_told(settings, mailing.name) for mailing in mailings}
    late_ms = time.time() * 1_000 - LATE_MS
    waiting = {name: told.sending.at_ms for name, told in told_by_name.items() if told.sending is not None}
    if late := {name: due_ms for name, due_ms in waiting.items() if due_ms < late_ms}:
        name = min(late, key=late.__getitem__)
        cure = "the log of `restock notify` says how it refuses; if none runs, start it"
        yield Finding("notify", "warning", f"{name} has not taken what was due at {instant(late[name])}", cure)
    elif told_by_name and not any(told.offsets for told in told_by_name.values()):
        yield Finding("notify", "warning", f"nobody of {len(told_by_name)} was ever told", "start `restock notify`")
    elif told_by_name:
        last = max((told.at_ms for told in told_by_name.values() if told.at_ms is not None), default=None)
        when = "nothing was due yet" if last is None else f"what was due last, at {instant(last)}, was taken"
        yield Finding("notify", "ok", when)


def _redis(settings: Settings) -> Iterator[Finding]:
    from stream.checkpoint.redis_client import reach_redis
    from stream.preconditions import node_info, verify_redis

    client = reach_redis(settings)
    server, memory = node_info(client, "server"), node_info(client, "memory")
    client.close()
    name, version = ("Valkey" if "valkey_version" in server else "Redis"), server.get("valkey_version")
    skew = round(time.time() * 1_000 - server.get("server_time_usec", time.time() * 1_000_000) / 1_000)
    if abs(skew) > SKEW_MS:
        yield Finding("redis", "warning", f"this machine is {skew:+d} ms from it", "set the clocks by NTP")
    verify_redis(settings)
    state = f"{name} {version or server.get('redis_version')}, evicts nothing, keeps an append-only file"
    yield Finding("redis", "ok", f"{mask(settings.redis)}: {state}")
    used, most = int(memory["used_memory"]), int(memory.get("maxmemory", 0))
    if used > MEMORY_SHARE * most > 0:
        full, cure = used >= most, "raise its maxmemory: no checkpoint is written once it is full"
        yield Finding("redis", "wrong" if full else "warning", f"it uses {used:,} of {most:,} bytes", cure)


def _shards(settings: Settings) -> Iterator[Finding]:
    from stream.checkpoint.reader import CheckpointReader
    from stream.kafka.topic_reader import TopicReader

    with TopicReader(settings) as reader, CheckpointReader(settings) as checkpoints:
        found = {shard: checkpoints.look(shard, {}) for shard in range(reader.partitions(settings.topic("ledger")))}
        if not found:  # the look at the topics has found that
            return
        holds = reader.bounds(settings.topic("ledger"))
    behind = {shard: holds[shard][1] - (at.next if at else 0) for shard, at in found.items()}
    worst = max(behind, key=behind.__getitem__)
    count = f"{sum(at is not None for at in found.values())} of {len(found)} have a checkpoint"
    yield Finding("shards", "ok", f"{count}; the furthest behind is {worst}, by {behind[worst]:,} records")
    for shard, at in found.items():
        first, end = holds[shard]
        if at is not None and not first <= at.next <= end:
            cure = "no worker can go on with it: its log and /readyz say what restores it"
            stands = f"the checkpoint of shard {shard} stands at {at.next}, and its ledger holds {first} to {end}"
            yield Finding("shards", "wrong", stands, cure)
    if lost := [shard for shard, at in found.items() if at is None and holds[shard][1] > 1]:
        cure = "run `restock rebuild`, or a worker; where one runs, its log and /readyz say whether the shard is parked"
        yield Finding("shards", "warning", f"shard {lost[0]} has a ledger, but no checkpoint ({len(lost)} such)", cure)
    if behind[worst] > settings.ready_lag:
        cure = "if that does not shrink, the worker's log says whether it is parked, and names the command"
        yield Finding("shards", "warning", f"shard {worst} is far behind", cure)


def _terms(settings: Settings) -> Iterator[Finding]:
    """Items that a policy leaves without stock, and is right by their terms."""
    from agents.cli.cards import known_names, shared_catalogue, stored_cards
    from agents.inspection.never_ordered import daily_demand, never_ordered

    names = dict.fromkeys(islice(known_names(settings), MOST_ITEMS))
    if not names:
        return
    suppliers, fold_settings = shared_catalogue(settings).suppliers, settings.fold_settings()
    found: dict[str, str] = {}
    for name, card in stored_cards(settings, names):
        if card is not None:
            never = never_ordered(card.terms(suppliers), fold_settings, daily_demand(card.item))
            found |= {name: never} if never is not None else {}
    first = min(found, default=None)
    looked = f"{len(names):,} items" if len(names) < MOST_ITEMS else f"the first {MOST_ITEMS:,} items"
    if first is None:
        yield Finding("terms", "ok", f"under those of {looked} it pays to order")
    else:
        never, _, cure = found[first].rpartition("; ")
        yield Finding("terms", "warning", f"{first} ({len(found):,} of {looked}): {never}", cure)


def _spellings(settings: Settings) -> Iterator[Finding]:
    """Items that are spelt almost alike: most often one, and a slip of the pen."""
    from agents.cli.cards import known_names
    from agents.cli.spellings import Spellings

    names = sorted(islice(known_names(settings), MOST_ITEMS))
    alike = list(Spellings([]).alike(names))
    if alike:
        name, nearest = alike[0]
        found = f"{nearest} and {name} are spelt almost alike ({len(alike):,} such items)"
        yield Finding("items", "warning", found, "publish all of an item's events under one name, and count it again")


def _line(finding: Finding) -> str:
    mark = f"{finding.verdict:<11}"
    if sys.stdout.isatty():
        mark = f"{_COLOURS[finding.verdict]}{mark}\033[0m"
    return f"{mark} {finding.what:<9} {finding.found}" + (f": {finding.cure}" if finding.cure else "")
