"""`q-learning`: tabular Q-learning as older literature has it, kept so that the comparison can be shown.

State: buckets of the position and of the last demand, both in periods of average demand; action: how many periods to
order; ε-greedy; only the pair that was lived learns. Watkins (1989); for inventory: Giannoccaro, Pontrandolfo (2002),
"Inventory management in supply chains: a reinforcement learning approach", Int. J. Production Economics.
"""

import math
from collections.abc import Mapping
from typing import ClassVar

import msgspec
import numpy as np
import numpy.typing as npt

from agents.policies.base import Advice, Outcome, Situation
from agents.policies.chance import uniform
from schemas.stored import decoder_of

POSITIONS, DEMANDS, ACTIONS = 16, 3, 9
"""Buckets of half a period of demand, of quiet to lively last periods, and orders in steps of half a period."""
RATE, DISCOUNT = 0.1, 0.95
LEAST_EXPLORATION = 0.02


class QLearningState(msgspec.Struct):
    """What is known of one item."""

    periods: int = 0
    mean: float = 0.0
    last: int | None = None
    """The place of the last review."""
    q: npt.NDArray[np.float32] = msgspec.field(
        default_factory=lambda: np.zeros((POSITIONS * DEMANDS, ACTIONS), dtype=np.float32)
    )
    lively: int = 1


class StoredQLearning(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A state as it is stored; the table as little-endian float32."""

    version: int
    periods: int
    mean: float
    last: int | None
    lively: int
    q: bytes


_decode = decoder_of(StoredQLearning, "a state of q-learning")


class QLearning:
    """Vanilla tabular Q-learning."""

    name: ClassVar[str] = "q-learning"
    version: ClassVar[int] = 2

    def fresh(self) -> QLearningState:
        """Know nothing."""
        return QLearningState()

    def decide(self, state: QLearningState, situation: Situation) -> Advice:
        """Order what the table finds best, or now and then anything, to learn."""
        place, unit = _place(state, situation), _unit(state, situation)
        chance = uniform(situation.item, situation.period, "explore")
        exploration = max(LEAST_EXPLORATION, 1.0 / math.sqrt(1.0 + state.periods))
        if chance < exploration:
            action = min(int(chance / exploration * ACTIONS), ACTIONS - 1)
        else:
            action = int(state.q[place].argmin())
        quantity = action * unit if situation.may_order else 0.0
        level = situation.position + round(int(state.q[place].argmin()) * unit)
        return Advice(quantity, level - 1, level, 0, arm=f"order {action / 2:g} periods of demand")

    def quantity(self, state: QLearningState, situation: Situation) -> float:
        """What `decide` would order."""
        return self.decide(state, situation).quantity

    def learn(self, state: QLearningState, situation: Situation, outcome: Outcome) -> None:
        """Q(place, action) ← Q + α (cost + γ min Q(next place) − Q), for what was really ordered."""
        terms = situation.economics
        if state.last is not None:
            place = state.last
            action = min(max(round(outcome.ordered / max(_unit(state, situation), 1e-9)), 0), ACTIONS - 1)
            lost = (
                max(outcome.demand - outcome.sold, 0.0) if terms.stock_out == "lost" else max(-situation.available, 0)
            )
            cost = terms.holding * max(situation.available, 0) + terms.shortage * lost
            cost += terms.order_cost * (outcome.ordered > 0)
            following = float(state.q[self._next(state, situation, outcome)].min())
            state.q[place, action] += RATE * (cost + DISCOUNT * following - state.q[place, action])
        state.periods += 1
        state.mean += max(1.0 / state.periods, 0.01) * (outcome.demand - state.mean)
        state.lively = _lively(outcome.demand, state.mean)
        state.last = _place(state, situation)

    def _next(self, state: QLearningState, situation: Situation, outcome: Outcome) -> int:
        return _bucket(situation.position, _unit(state, situation)) * DEMANDS + _lively(outcome.demand, state.mean)

    def rehearsal(self, state: QLearningState) -> None:
        """Keep no shadows."""

    def dump(self, state: QLearningState) -> bytes:
        """Write an item's state."""
        table = state.q.astype("<f4").tobytes()
        return msgspec.msgpack.encode(
            StoredQLearning(self.version, state.periods, state.mean, state.last, state.lively, table)
        )

    def load(self, data: bytes) -> QLearningState:
        """Read an item's state."""
        stored = _decode(data)
        whole = stored.version == self.version and len(stored.q) == 4 * POSITIONS * DEMANDS * ACTIONS
        place = stored.last or 0
        sound = stored.periods >= 0 and 0.0 <= stored.mean < math.inf and 0 <= stored.lively < DEMANDS
        if not (whole and sound and 0 <= place < POSITIONS * DEMANDS):
            raise ValueError(f"not a state of q-learning version {self.version}: its parts do not fit together")
        q = np.frombuffer(stored.q, dtype="<f4").astype(np.float32).reshape(POSITIONS * DEMANDS, ACTIONS)
        if not np.isfinite(q).all():
            raise ValueError("not a state of q-learning: the table holds numbers that are none")
        return QLearningState(stored.periods, stored.mean, stored.last, q, stored.lively)

    def dump_shared(self) -> Mapping[str, bytes]:
        """Share nothing."""
        return {}

    def load_shared(self, parts: Mapping[str, bytes]) -> None:
        """Take nothing in."""


def _unit(state: QLearningState, situation: Situation) -> float:
    """Half a period of demand, at least one unit."""
    level = state.mean if state.periods else situation.forecast.mean / max(situation.forecast.horizon, 1.0)
    return max(level / 2.0, 0.5)


def _bucket(position: float, unit: float) -> int:
    return min(max(int(position / unit / 2.0), 0), POSITIONS - 1)


def _place(state: QLearningState, situation: Situation) -> int:
    return _bucket(situation.position, _unit(state, situation)) * DEMANDS + state.lively


def _lively(demand: float, mean: float) -> int:
    return 0 if demand < 0.5 * mean else 1 if demand <= 1.5 * mean else 2
