"""`fql`: full-feedback Q-learning over the whole state, for zero and short lead times and slow enough items.

It reaches the optimum itself, not the best of a family, and pays with a table that grows with stock and lead time:
for study and for few items. Where the table would be too large, or lead times are random, it does what PIL does.
"""

import math
from collections.abc import Mapping
from typing import ClassVar

import msgspec
import numpy as np

from agents.kernel.compiled import Records
from agents.kernel.records import read
from agents.policies.base import Advice, Outcome, Situation
from agents.policies.pil_q.averages import AVERAGES, learn, sound, variance_of
from agents.policies.projection.route import Route, route
from agents.policies.rules.pil import Pil
from agents.policies.tabular.tables import LevelTable, LostSalesTable, step
from schemas.stored import decoder_of

MOST_CELLS = 60_000
SETTLE = 30
"""Periods to look at before the table is sized; they are swept then."""


class FqlState(msgspec.Struct):
    """What is known of one item."""

    averages: Records = msgspec.field(default_factory=lambda: np.zeros(1, AVERAGES))
    table: LostSalesTable | LevelTable | None = None
    sweeps: int = 0
    lead_time: int = 0
    past: list[int] = msgspec.field(default_factory=list)
    """The last demands: those of a lead time and a period for a table of levels, those before sizing otherwise."""


class StoredFql(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A state as it is stored; the table as little-endian float32."""

    version: int
    averages: bytes
    sweeps: int
    lead_time: int
    past: list[int]
    shape: list[int]
    lowest: int | None
    table: bytes


_decode = decoder_of(StoredFql, "a state of fql")


class Fql:
    """Full-feedback tabular Q-learning."""

    name: ClassVar[str] = "fql"
    version: ClassVar[int] = 3

    def __init__(self) -> None:
        self.fallback = Pil()

    def fresh(self) -> FqlState:
        """Know nothing."""
        return FqlState()

    def decide(self, state: FqlState, situation: Situation) -> Advice:
        """Order what the table finds cheapest; where there is none (yet), do as PIL does."""
        advice = self.fallback.decide(None, situation)
        way, terms = route(situation.lead_time), situation.economics
        if state.table is None or state.lead_time != way.longest or not way.certain:
            return advice
        if isinstance(state.table, LevelTable):
            quantity = state.table.best(situation.position, terms.order_cost, self._doubt(state, situation))
        else:
            due = [0] * (way.longest + 1)
            for order in situation.pipeline:
                due[min(int(order.due + 0.5), way.longest)] += order.quantity
            quantity = state.table.best(situation.available + due[0], tuple(due[1 : way.longest]))
        return msgspec.structs.replace(
            advice,
            quantity=float(quantity if situation.may_order else 0),
            arm=f"table after {state.sweeps} periods",
            expected_cost=None,
        )

    def quantity(self, state: FqlState, situation: Situation) -> float:
        """What `decide` would order."""
        return self.decide(state, situation).quantity

    def learn(self, state: FqlState, situation: Situation, outcome: Outcome) -> None:
        """Sweep the table with the period's demand."""
        terms, way = situation.economics, route(situation.lead_time)
        demand = max(int(outcome.demand + 0.5), 0)
        learn(state.averages, float(demand), -1.0)
        if outcome.censored:
            return
        backlog = terms.stock_out == "backorder"
        keep = way.longest + 1 if backlog else 1
        if state.table is None:
            keep = max(SETTLE, keep)
        state.past = [*state.past, demand][-keep:]
        if state.lead_time != way.longest:
            state.table, state.sweeps, state.lead_time = None, 0, way.longest
        if state.table is not None and state.sweeps & (state.sweeps - 1):  # looked at again after 2, 4, 8… sweeps
            self._sweep(state, demand, state.past, situation)
            return
        news = [demand] if state.table is not None else state.past
        self._size(state, way, situation)
        for end in range(len(state.past) - len(news), len(state.past)):
            self._sweep(state, state.past[end], state.past[: end + 1], situation)

    def _doubt(self, state: FqlState, situation: Situation) -> float:
        """How much dearer a higher level may look and still be tried: not at all, where demand is seen."""
        del state, situation
        return 0.0

    def _sweep(self, state: FqlState, demand: int, past: list[int], situation: Situation) -> None:
        """One demand, seen from every state."""
        terms = situation.economics
        if state.table is None:
            return
        state.sweeps += 1
        rate = step(state.sweeps)
        if isinstance(state.table, LevelTable):
            served = sum(past[-state.lead_time - 1 :])
            state.table.sweep(demand, served, terms.holding, terms.shortage, terms.order_cost, rate)
        else:
            state.table.sweep(demand, terms.holding, terms.shortage, terms.order_cost, rate)

    def _size(self, state: FqlState, way: Route, situation: Situation) -> None:
        """Make a table large enough for what has been seen, or let it grow; none where it would be too large."""
        terms = situation.economics
        if not way.certain or terms.review_periods > 1 or state.averages["periods"][0] < SETTLE:
            return
        averages = state.averages[0]
        mean, variance = float(averages["mean"][0]), variance_of(averages, 0)
        lot = math.sqrt(2.0 * max(terms.order_cost, 0.0) * mean / max(terms.holding, 1e-9))
        cover = way.longest + 1
        top_order = int(mean + 3.0 * math.sqrt(variance) + 1.5 * lot) + 3
        top_stock = int(cover * mean + 4.0 * math.sqrt(variance * cover) + 1.5 * lot) + 4
        if terms.stock_out == "backorder" or way.longest == 0:
            lowest = -top_stock if terms.stock_out == "backorder" else 0
            if state.table is None and 2 * top_stock - lowest < MOST_CELLS:
                state.table = LevelTable.start(lowest, 2 * top_stock)
        elif (top_stock + 1) * (top_order + 1) ** way.longest > MOST_CELLS:
            state.table = None
        elif isinstance(state.table, LostSalesTable):
            state.table.grow(top_stock, top_order)
        else:
            state.table = LostSalesTable.start(top_stock, top_order, way.longest)

    def rehearsal(self, state: FqlState) -> None:
        """Keep no shadows."""

    def dump(self, state: FqlState) -> bytes:
        """Write an item's state."""
        table = state.table
        stored = StoredFql(
            self.version,
            state.averages.tobytes(),
            state.sweeps,
            state.lead_time,
            state.past,
            [] if table is None else list(table.q.shape),
            table.lowest if isinstance(table, LevelTable) else None,
            b"" if table is None else table.q.astype("<f8").tobytes(),
        )
        return msgspec.msgpack.encode(stored)

    def load(self, data: bytes) -> FqlState:
        """Read an item's state."""
        stored = _decode(data)
        cells = math.prod(stored.shape) if stored.shape else 0
        dimensions = 1 if stored.lowest is not None else stored.lead_time + 1
        if (
            stored.version != self.version
            or len(stored.averages) != AVERAGES.itemsize
            or cells > MOST_CELLS
            or len(stored.table) != 8 * cells
            or min([*stored.shape, 1, stored.sweeps, stored.lead_time]) < 0
            or (stored.shape and len(stored.shape) != dimensions)
        ):
            raise ValueError(f"not a state of fql version {self.version}: its parts do not fit together")
        averages = read(stored.averages, AVERAGES)
        if not sound(averages[0]):
            raise ValueError(f"not a state of fql version {self.version}: its averages are out of range")
        state = FqlState(averages, None, stored.sweeps, stored.lead_time, stored.past)
        if stored.shape:
            q = np.frombuffer(stored.table, dtype="<f8").astype(float).reshape(stored.shape)
            if not np.isfinite(q).all():
                raise ValueError("not a state of fql: the table holds numbers that are none")
            state.table = LostSalesTable(q) if stored.lowest is None else LevelTable(q, stored.lowest)
        return state

    def dump_shared(self) -> Mapping[str, bytes]:
        """Share nothing."""
        return {}

    def load_shared(self, parts: Mapping[str, bytes]) -> None:
        """Take nothing in."""
