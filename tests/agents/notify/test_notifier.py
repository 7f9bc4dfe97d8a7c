"""Each matter is news in exactly one notification, whatever is refused and whenever the process dies."""

import re
from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.notify.delivery_counts import DeliveryCounts
from agents.notify.hours import Hours
from agents.notify.mailing import Mailing
from agents.notify.matters import KnownItem, Matters, RecordPlace
from agents.notify.notifier import Notifier, NotTold
from agents.notify.recipient import Recipient, Url
from agents.notify.remembered import Remembered
from agents.notify.told import Place, Told, committed_of, told_of
from agents.notify.wording import NotificationText
from schemas.outbound import OutputEvent, Severity
from schemas.quantities import DAY_MS, HOUR_MS, MINUTE_MS
from tests.fakes.outputs import alert, proposal

HOURS = Hours(ZoneInfo("Europe/Berlin"), 450, (720, 960), (1200, 420))
START_MS = 1_772_000_000_000
ACME, OTHER = KnownItem("acme", "A"), KnownItem("other", "C")


class Died(Exception):
    """The process ends here."""


class GroupsInMemory:
    """What consumer groups keep, as bytes would."""

    def __init__(self) -> None:
        self.places: dict[str, dict[tuple[str, int], Place]] = {}
        self.dies = False
        self.kept = 0

    def told(self, mailing: str) -> Told:
        return told_of(self.places.get(mailing, {}))

    def keep(self, mailing: str, told: Told) -> None:
        if self.dies and told.sending is None:  # it was sent, and nobody knows
            raise Died
        self.places[mailing] = committed_of(told)
        self.kept += 1


class RememberingChannel:
    def __init__(self) -> None:
        self.taken: list[NotificationText] = []
        self.refuses = False

    def send(self, text: NotificationText) -> None:
        if self.refuses:
            raise NotTold("refused with 503")
        self.taken.append(text)


class News(NamedTuple):
    at_ms: int
    text: NotificationText


class Town:
    """A notifier, what it reads, and a clock; `restart` makes it anew as a process would."""

    def __init__(self, *recipients: Recipient, known: dict[str, KnownItem] | None = None) -> None:
        self.recipients = recipients or (Recipient("buyers", Url("json://127.0.0.1")),)
        self.known = known or {}
        self.memory = GroupsInMemory()
        self.channel = RememberingChannel()
        self.now_ms = START_MS
        self.read: dict[tuple[str, int], int] = {("alerts", 0): 0, ("replenishments", 0): 0}
        self.matters = Matters()
        self.news: list[News] = []
        self.counts = DeliveryCounts(
            (each.name, urgency) for each in self.recipients for urgency in ("at-once", "digest")
        )
        self.restart()

    def restart(self, remembered: Remembered | None = None) -> None:
        mailings = [
            Mailing(recipient, urgency, HOURS, 5 * MINUTE_MS)
            for recipient in self.recipients
            for urgency in ("at-once", "digest")
        ]
        channels = {recipient.name: self.channel for recipient in self.recipients}
        self.notifier = Notifier(
            mailings,
            self.memory,
            channels,
            self._find,
            lines=1_000,
            retry_ms=5_000,
            counts=self.counts,
            remembered=remembered,
        )

    def _find(self, items: Collection[str]) -> dict[str, KnownItem]:
        return {item: self.known[item] for item in items if item in self.known}

    def happens(self, event: OutputEvent) -> None:
        partition = event.topic, 0
        self.matters.take(RecordPlace(*partition, self.read[partition], self.now_ms), event)
        self.read[partition] += 1

    def round(self, after_ms: int = 0) -> list[NotificationText]:
        self.now_ms += after_ms
        before = len(self.channel.taken)
        try:
            self.notifier.round(self.matters, self.read, self.now_ms)
        except Died:
            self.restart()
        said = self.channel.taken[before:]
        self.news += [News(self.now_ms, text) for text in said]
        return said

    def morning(self) -> list[NotificationText]:
        while HOURS.shown(self.now_ms)[-5:] != "07:30":
            self.now_ms += MINUTE_MS - self.now_ms % MINUTE_MS
        return self.round()


def lines_of(text: str, heading: str) -> list[str]:
    """The items under `New` or `Still open`."""
    parts = re.split(r"^(New|Still open)(?: since [^:]+:\d+)?: \d+$", text, flags=re.MULTILINE)
    under = dict(zip(parts[1::2], parts[2::2], strict=True))
    return re.findall(r"^  (\S+): ", under.get(heading, ""), flags=re.MULTILINE)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["raise", "raise", "raise", "clear", "refuse", "die", "wait"]),
        st.integers(0, 7),
        st.sampled_from(["critical", "warning", "info"]),
        st.sampled_from([0, MINUTE_MS, 6 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS, 9 * HOUR_MS]),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(begins_hours=st.integers(0, 23), steps=STEPS)
def test_each_alert_is_news_once_and_nothing_but_critical_in_quiet_hours(
    begins_hours: int, steps: list[tuple[str, int, Severity, int]]
) -> None:
    town, episodes = Town(), 0
    town.now_ms += begins_hours * HOUR_MS
    open_now: dict[str, tuple[str, Severity]] = {}
    for what, number, severity, wait_ms in steps:
        sku = f"S{episodes}" if what == "raise" else next(iter(list(open_now)[number:]), None)
        if what == "raise" and sku:
            episodes += 1
            open_now[sku] = f"eps-{sku}", severity
            town.happens(alert(f"{sku}@BER1", severity=severity, episode=f"eps-{sku}", time_ms=town.now_ms))
        elif what == "clear" and sku:
            episode, of_it = open_now.pop(sku)
            town.happens(alert(f"{sku}@BER1", "cleared", of_it, episode=episode, time_ms=town.now_ms))
        town.channel.refuses, town.memory.dies = what == "refuse", what == "die"
        for text in town.round(wait_ms):
            named = set(lines_of(text.text, "New") + lines_of(text.text, "Still open"))
            assert named, "nobody is told of nothing"
            assert named <= open_now.keys(), "what is over is not told"
            if HOURS.is_quiet(town.now_ms):
                assert {open_now[sku][1] for sku in named} == {"critical"}
    town.channel.refuses = town.memory.dies = False
    town.round(DAY_MS)
    town.morning()
    town.round(MINUTE_MS)  # after what was refused before
    keys = defaultdict(set)
    for _, text in town.news:
        for sku in lines_of(text.text, "New"):
            keys[sku].add(text.key)
    assert all(len(of_sku) == 1 for of_sku in keys.values())
    wanted = {sku for sku, (_, severity) in open_now.items() if severity != "info"}
    assert wanted <= keys.keys(), "nothing is forgotten"


def test_what_is_critical_is_told_at_once_at_night_and_a_burst_is_one_message() -> None:
    town = Town()
    town.morning()
    town.now_ms += 16 * HOUR_MS  # 23:30
    for number in range(700):
        town.happens(alert(f"S{number}@BER1", severity="critical", kind="stock_out"))
    (text,) = town.round()
    assert text.title == "restock: 700 critical: 700 stock out"
    town.happens(alert("LATE@BER1", severity="critical", kind="stock_out"))
    assert town.round(MINUTE_MS) == [], "gathered for five minutes"
    (text,) = town.round(4 * MINUTE_MS)
    assert text.title == "restock: stock out: LATE@BER1"


def test_a_morning_list_names_what_is_new_and_what_is_still_open() -> None:
    town = Town()
    town.morning()
    town.happens(alert("OLD@BER1"))
    (noon,) = town.round(5 * HOUR_MS)
    assert lines_of(noon.text, "New") == ["OLD"]
    town.happens(alert("NEW@BER1"))
    town.happens(alert("INFO@BER1", severity="info"))
    assert town.round(9 * HOUR_MS) == [], "21:30 is quiet: 16:00 is made up for in the morning"
    (text,) = town.morning()
    assert (lines_of(text.text, "New"), lines_of(text.text, "Still open")) == (["NEW"], ["OLD"])
    assert text.title == "restock: 1 new, 1 still open"
    assert town.round(5 * HOUR_MS) == [], "nothing is new at noon"


def test_a_digest_is_by_supplier_class_and_location_the_worst_first() -> None:
    town = Town(known={"A@BER1": ACME, "B@BER1": ACME, "C@MUC1": OTHER})
    town.morning()
    for item in ("C@MUC1", "A@BER1", "B@BER1"):
        town.happens(alert(item))
    (text,) = town.round(5 * HOUR_MS)
    headings = re.findall(r"^\S.*, class .*$", text.text, flags=re.MULTILINE)
    assert headings == ["acme, class A, BER1: 2", "other, class C, MUC1: 1"]


def test_the_alerts_of_an_item_are_one_line() -> None:
    town = Town()
    town.morning()
    town.happens(alert("A@BER1", severity="critical", kind="stock_out", time_ms=START_MS))
    town.happens(alert("A@BER1", severity="critical", kind="negative_stock", time_ms=START_MS))
    (text,) = town.round()
    assert "  A: negative stock, stock out since 2026-02-25 07:13: 3 available, 40 on order" in text.text
    assert lines_of(text.text, "New") == ["A"]


def test_a_recipient_hears_of_its_suppliers_only_and_another_does_not_wait_for_it() -> None:
    acme = Recipient("acme", Url("json://127.0.0.1"), suppliers=("acme",))
    town = Town(acme, known={"A@BER1": ACME, "C@MUC1": OTHER})
    town.happens(alert("C@MUC1", severity="critical"))
    assert town.round() == []
    town.happens(alert("A@BER1", severity="critical"))
    (text,) = town.round(1_000)
    assert lines_of(text.text, "New") == ["A"], "what it is not told of starts no pause"


def test_a_proposal_waits_until_it_is_approved_or_declined() -> None:
    town = Town(known={f"{sku}@BER1": KnownItem("acme", "A", frozenset({"rep-a", "rep-b"})) for sku in "AB"})
    town.happens(proposal("A@BER1", "rep-a", asks=("ask_above_units",)))
    town.happens(proposal("B@BER1", "rep-b"))
    town.happens(proposal("C@BER1", "rep-c", asks=("beyond_facts",)))
    (text,) = town.morning()
    assert lines_of(text.text, "New") == ["A", "B"], "the third is asked about by its alert"
    assert "ask above units, `restock explain rep-a`" in text.text
    town.happens(proposal("A@BER1", "rep-a", requested=True))
    (text,) = town.round(DAY_MS)
    assert lines_of(text.text, "Still open") == ["B"]
    town.known["B@BER1"] = ACME
    assert town.round(DAY_MS) == [], "declined: the checkpoint has it no more"


def test_a_proposal_that_no_checkpoint_has_yet_is_told() -> None:
    town = Town(known={"A@BER1": ACME})
    town.morning()
    town.now_ms += 5 * HOUR_MS
    town.happens(proposal("A@BER1", "rep-a"))
    (text,) = town.round()
    assert lines_of(text.text, "New") == ["A"]


def test_what_becomes_worse_is_told_again_and_what_is_repeated_is_not() -> None:
    town = Town()
    town.happens(alert("A@BER1", severity="warning"))
    assert len(town.morning()) == 1
    town.happens(alert("A@BER1", severity="warning"))
    assert town.round(5 * HOUR_MS) == []
    town.happens(alert("A@BER1", severity="critical"))
    (text,) = town.round()
    assert text.severity == "critical"


def test_a_refused_notification_is_sent_again_later_and_later_under_its_key() -> None:
    town = Town()
    town.channel.refuses = True
    town.happens(alert("A@BER1", severity="critical"))
    town.round()
    pauses = []
    for _ in range(4):
        pauses.append(town.notifier.next_try_ms["buyers-at-once"] - town.now_ms)
        town.round(pauses[-1])
    assert pauses == [5_000, 10_000, 20_000, 40_000]
    at_once = "buyers", "at-once"
    assert (town.counts.failed[at_once], town.counts.waiting[at_once], town.counts.delivered.total()) == (5, True, 0)
    key = town.memory.told("buyers-at-once").key("buyers-at-once")
    town.restart()
    town.channel.refuses = False
    town.happens(alert("B@BER1", severity="critical"))
    (text,) = town.round()
    assert (text.key, lines_of(text.text, "New")) == (key, ["A"]), "the stretch stays as it was written down"
    assert town.notifier.refused == {}
    assert (town.counts.waiting[at_once], town.counts.delivered[at_once]) == (False, 1)
    assert town.counts.told_ms == {at_once: town.now_ms, ("buyers", "digest"): 0}
    (text,) = town.round(5 * MINUTE_MS)
    assert lines_of(text.text, "New") == ["B"]


def test_what_ends_while_it_is_refused_waits_no_more() -> None:
    town = Town()
    town.channel.refuses = True
    town.happens(alert("A@BER1", severity="critical"))
    town.round()
    assert town.counts.waiting["buyers", "at-once"]
    town.happens(alert("A@BER1", "cleared"))
    assert town.round(MINUTE_MS) == []
    assert not town.counts.waiting["buyers", "at-once"]


def told_and_not_counted() -> tuple[Town, Remembered]:
    """Somebody was told, and the broker was away when that was to be counted."""
    town, remembered = Town(), Remembered()
    town.restart(remembered)
    town.happens(alert("A@BER1", severity="critical"))
    town.memory.dies = True
    assert len(town.round()) == 1
    town.memory.dies = False
    return town, remembered


def test_a_broker_that_is_away_when_it_is_to_be_counted_has_nobody_told_twice() -> None:
    town, remembered = told_and_not_counted()
    town.restart(remembered)
    assert town.round() == []
    assert remembered.taken == set()
    assert town.memory.told("buyers-at-once").sending is None


def test_a_broker_that_forgot_what_was_kept_has_nobody_told_twice() -> None:
    town, remembered = told_and_not_counted()
    town.memory.places.clear()
    town.happens(alert("B@BER1", severity="critical"))
    town.restart(remembered)
    assert town.round() == []
    (text,) = town.round(5 * MINUTE_MS)
    assert lines_of(text.text, "New") == ["B"]


def test_a_digest_that_is_refused_until_the_evening_is_sent_in_the_morning_without_what_has_ended() -> None:
    town = Town()
    town.morning()
    town.happens(alert("A@BER1"))
    town.happens(alert("B@BER1"))
    town.channel.refuses = True
    town.round(9 * HOUR_MS)
    town.channel.refuses = False
    assert town.round(5 * HOUR_MS) == [], "21:30"
    town.happens(alert("B@BER1", "cleared"))
    (text,) = town.round(9 * HOUR_MS + 30 * MINUTE_MS)
    assert lines_of(text.text, "New") == ["A"]


def test_a_long_list_names_the_worst_and_counts_the_rest() -> None:
    town = Town()
    mailing = Mailing(town.recipients[0], "digest", HOURS, 0)
    notifier = Notifier(
        [mailing], town.memory, {"buyers": town.channel}, town._find, lines=3, retry_ms=1, counts=DeliveryCounts(())
    )
    for number in range(10):
        town.happens(alert(f"S{number}@BER1", kind="overdue_replenishment" if number else "low_stock"))
    town.morning()
    town.memory.places.clear()
    notifier.round(town.matters, town.read, town.now_ms)
    text = town.channel.taken[-1].text
    assert lines_of(text, "New") == ["S0", "S1", "S2"]
    assert "and 7 more: 7 overdue replenishment" in text


def test_places_are_committed_again_before_a_broker_forgets_them() -> None:
    town = Town()
    town.morning()
    town.round()
    kept = town.memory.kept
    town.round(HOUR_MS - 1)
    assert town.memory.kept == kept
    town.round(1)
    assert town.memory.kept == kept + 2, "both mailings"


def test_a_topic_made_anew_is_told_from_its_beginning() -> None:
    told = Told({("alerts", 0): 900}, 5).within({("alerts", 0): 3})
    assert told == Told({}, 5)
    assert Told({("alerts", 0): 2}, 5).begin({("alerts", 0): 900}, 6).within({("alerts", 0): 3}).sending is None


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_the_morning_comes_once_on_days_when_clocks_change(day: str) -> None:
    from datetime import datetime

    midnight = int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp() * 1_000)
    moments = {HOURS.last_moment(midnight + minute * MINUTE_MS) for minute in range(20 * 60)}
    assert sorted(HOURS.shown(moment)[-5:] for moment in moments) == ["07:30", "12:00", "16:00", "16:00"]
