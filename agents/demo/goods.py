"""What the simulated shop sells, in the terms a planner would give each article: supplier, lead time, costs, packs."""

from datetime import UTC, datetime
from functools import cached_property
from math import ceil
from typing import Literal

import msgspec

from agents.demo.outgoing import EventWriter, OutgoingEvent
from agents.policies.base import Economics
from agents.simulation.shop import Article, Shop
from agents.simulation.supplier import Supplier
from schemas.inbound import ItemConfigured, PromotionScheduled, StockCounted, SupplierConfigured
from schemas.quantities import DAY_MS, item, money

FIRST_DAY_MS = 1_704_067_200_000
"""Monday, 1 January 2024: the simulated year lies in the past, since no event may come from the future."""
LOCATION = "BER1"
HOLDING_RATE = 0.25
"""A year's cost of holding, as a share of the unit cost."""
PACKS = (1, 2, 4, 6, 12, 24, 48, 96)
"""Cartons that suppliers sell in; an article comes in the largest that holds no more than a week of demand."""
OPENING_DAYS = 10
"""Days of demand on the shelf when the shop opens."""


class Source(msgspec.Struct, frozen=True):
    """A supplier: what is agreed, and what happens."""

    name: str
    lead_time_days: int
    """As configured."""
    lead_times: tuple[int, ...]
    """As they turn out, each as likely as it is often named."""


SOURCES = (
    Source("near", 1, (1, 1, 1, 2)),
    Source("usual", 3, (2, 3, 3, 3, 4)),
    Source("far", 6, (5, 6, 6, 7, 8)),
)


class Good(msgspec.Struct, frozen=True):
    """One article on the shelf of the location."""

    number: int
    article: Article
    source: Source
    pack: int
    opening: int

    @property
    def name(self) -> str:
        """The item."""
        return item(self.article.sku, LOCATION)

    @property
    def economics(self) -> Economics:
        """What holding and missing a unit costs a day; the margin is what a lost sale loses."""
        holding = self.article.unit_cost * HOLDING_RATE / 365
        shortage = round(self.article.price - self.article.unit_cost, 2)
        return Economics(
            holding=holding,
            shortage=shortage,
            critical_ratio=shortage / (shortage + holding),
            order_multiple=self.pack,
        )


class Assortment:
    """All goods of a shop, its suppliers, and what a planner publishes about them before the doors open."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.goods = tuple(_good(number, article) for number, article in enumerate(shop.articles))
        self.by_name = {good.name: good for good in self.goods}

    @property
    def most_telling(self) -> Good:
        """The good whose chart shows most: the one that sells best of those with promotions, if there are any."""
        return max(self.goods, key=lambda good: (bool(good.article.model.promotions), good.article.model.mean))

    @cached_property
    def suppliers(self) -> dict[str, Supplier]:
        """What becomes of orders, by the supplier's name: one in seven comes in two parts, some of those fall short."""
        return {
            source.name: Supplier(
                seed=self.shop.seed, lead_times=source.lead_times, partial_chance=0.15, short_chance=0.2
            )
            for source in SOURCES
        }

    def plan(self) -> list[OutgoingEvent]:
        """Suppliers, items and the promotions of the year."""
        writer, begin = EventWriter("planner.demo"), FIRST_DAY_MS
        events = [
            writer.write(
                f"supplier-{source.name}",
                begin,
                SupplierConfigured(supplier=source.name, lead_time_days=source.lead_time_days),
            )
            for source in SOURCES
        ]
        for good in self.goods:
            article = good.article
            configured = ItemConfigured(
                sku=article.sku,
                location=LOCATION,
                unit_cost=money(article.unit_cost),
                price=money(article.price),
                holding_rate=HOLDING_RATE,
                shortage_cost=money(good.economics.shortage),
                supplier=good.source.name,
                order_multiple=good.pack,
                abc_class=_class(article),
            )
            events.append(writer.write(f"item-{article.sku}", begin, configured))
            for number, promotion in enumerate(article.model.promotions, 1):
                name = f"promotion-{article.sku}-{number}"
                scheduled = PromotionScheduled(
                    promotion_id=name,
                    sku=article.sku,
                    location=LOCATION,
                    starts=moment(promotion.first),
                    ends=moment(promotion.last + 1),
                    discount=promotion.discount,
                )
                events.append(writer.write(name, begin, scheduled))
        return events

    def opening_counts(self) -> list[OutgoingEvent]:
        """What lies on the shelf when the shop opens."""
        return [count(good, 0, good.opening) for good in self.goods]


def count(good: Good, day: int, counted: int) -> OutgoingEvent:
    """Somebody counted an item at the beginning of a day."""
    name = f"count-{good.article.sku}-{day}"
    begins = FIRST_DAY_MS + day * DAY_MS
    event = StockCounted(sku=good.article.sku, location=LOCATION, count_id=name, counted=counted, as_of=moment(day))
    return EventWriter("warehouse.demo").write(name, begins, event)


def moment(day: int) -> datetime:
    """When a day of the simulation begins."""
    return datetime.fromtimestamp((FIRST_DAY_MS + day * DAY_MS) / 1000, UTC)


def _good(number: int, article: Article) -> Good:
    mean = article.model.mean
    pack = max(pack for pack in PACKS if pack <= max(1.0, 7 * mean))
    source = SOURCES[number % len(SOURCES)]
    return Good(number, article, source, pack, opening=ceil(mean * (OPENING_DAYS + source.lead_time_days)))


def _class(article: Article) -> Literal["A", "B", "C"]:
    """A, B or C by the turnover of an ordinary day."""
    turnover = article.model.mean * article.price
    return "A" if turnover >= 50 else "B" if turnover >= 10 else "C"
