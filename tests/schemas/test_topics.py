"""Topics are declared once, items keep their partition for ever, and schemas/ imports next to nothing."""

import subprocess
import sys

from schemas.contract.json_schema import TYPES
from schemas.topics import TOPICS, place


def test_every_type_belongs_to_exactly_one_topic() -> None:
    declared = [name for topic in TOPICS.values() if topic.role in {"source", "output"} for name in topic.types]
    assert sorted(declared) == sorted(TYPES)


def test_the_logs_are_what_state_is_rebuilt_from() -> None:
    logs = {name for name, topic in TOPICS.items() if topic.role == "log"}
    assert logs == {"ledger", "journal"}
    assert {name for name, topic in TOPICS.items() if topic.retention == "long"} == logs
    assert {name for name, topic in TOPICS.items() if topic.partitions == "ledger"} == logs
    assert {topic.cleanup for topic in TOPICS.values()} == {"delete"}


def test_names_take_the_prefix() -> None:
    assert TOPICS["dead-letters"].name_with("eu.shop-") == "eu.shop-dead-letters"
    assert all(name == topic.name == topic.name_with("") for name, topic in TOPICS.items())


def test_an_item_stays_where_it_was_placed() -> None:
    """Pinned: with another hash an item's next events would go to another shard than its history."""
    items = ["TEA-01@BER1", "MUG-07@BER1", "TEA-01@MUC1", "Grüner Tee@Zürich", "🫖@東京"]
    assert [place(item, 12) for item in items] == [10, 5, 11, 8, 11]
    assert [place(item, 96) for item in items] == [10, 77, 95, 68, 71]


def test_items_spread_over_all_partitions() -> None:
    counts = [0] * 12
    for number in range(12_000):
        counts[place(f"SKU-{number}@BER1", 12)] += 1
    assert min(counts) > 850
    assert max(counts) < 1_150


def test_schemas_needs_only_msgspec_and_xxhash() -> None:
    script = (
        "import pkgutil, sys, importlib, schemas\n"
        "for each in pkgutil.iter_modules(schemas.__path__): importlib.import_module('schemas.' + each.name)\n"
        "foreign = {name.partition('.')[0] for name, module in sys.modules.items()\n"
        "           if 'site-packages' in (getattr(module, '__file__', None) or '')}\n"
        "print(*sorted(name for name in foreign if not name.startswith('_')))\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & {'agents', 'stream'}))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    third_party, ours = done.stdout.split("\n")[:2]
    may_be_there = {"typing_extensions", "coverage"}  # msgspec takes the one if there; the other measures this test
    assert set(third_party.split()) - may_be_there == {"msgspec", "xxhash"}
    assert ours == ""


def test_all_spellings_of_a_name_are_placed_together_where_somebody_asks_about_them() -> None:
    spellings = ["TEA-01@BER1", "tea-01@BER1", "TEA-01 @BER1", "\uff34EA-01@ber1"]
    assert len({place(name, 96, alike=True) for name in spellings}) == 1
    assert len({place(name, 96) for name in spellings}) == 4
