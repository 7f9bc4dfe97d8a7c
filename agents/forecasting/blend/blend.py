"""The default forecaster: experts on an item's own past and regressions shared by its shard, blended by their regret.

At every review it takes in the period that closed, judges the filed forecast whose horizon has passed, and files a new
one. The shared models learn in the order in which items are reviewed, in batches by count. So a run in one piece and a
run that was stopped and restored at any point give the same forecasts, bit for bit.

docs/concepts/forecasting.md explains it to a planner; docs/decisions/0020 to 0023 say why it is so.

>>> from agents.forecasting.base import Ahead, ClosedPeriod, Rhythm
>>> blend, day = Blend(Rhythm()), 86_400_000
>>> state = blend.fresh()
>>> for number in range(60):
...     plan = [Ahead((number + k) * day, (number + k + 1) * day) for k in (1, 2, 3)]
...     blend.learn(state, "TEA-01@BER1", ClosedPeriod(number * day, (number + 1) * day, 4.0 + number % 3), plan)
>>> forecast = blend.forecast(state, "TEA-01@BER1", plan)
>>> 12 < forecast.mean < 18, forecast.quantiles == tuple(sorted(forecast.quantiles)), len(forecast.path)
(True, True, 3)
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from agents.forecasting.base import LEVELS, Ahead, ClosedPeriod, DemandForecast, Rhythm
from agents.forecasting.blend import item as stored_item
from agents.forecasting.blend.closing import JUDGED, LEARNED, close, recall
from agents.forecasting.blend.foretelling import MEAN, PATH, QUANTILES, VARIANCE, foretell
from agents.forecasting.blend.item import BlendState, turn
from agents.forecasting.blend.negative_binomial import table
from agents.forecasting.blend.population import POPULATION
from agents.forecasting.blend.shared_model import SharedModel
from agents.forecasting.correction import CorrectedPast
from agents.forecasting.rhythm import pace_of
from agents.kernel.compiled import Numbers
from agents.kernel.records import read

MOST_SHARED_MODELS = 2
"""Horizons with a shared model of their own; any other horizon uses the nearest of them."""
VERSION = 8
"""Of what is stored of an item and of a shard."""
_PARTS = ("weights", "waiting", "kept")
_UNKNOWN_PRICE = -1.0


class Blend:
    """The blend of experts of one shard."""

    name: ClassVar[str] = "blend"
    version: ClassVar[int] = VERSION

    def __init__(self, rhythm: Rhythm) -> None:
        self._pace = pace_of(rhythm)
        self._phases = int(self._pace["phases"][0])
        self._table = table()
        self._population = np.zeros(1, POPULATION)
        self._models: dict[int, SharedModel] = {}
        self._untaught = SharedModel(self._phases)
        self._changed: set[str] = set()
        self._mark = f"v{VERSION} {rhythm.season} {rhythm.period_days:g} "
        self._learned: tuple[BlendState, tuple[Ahead, ...], DemandForecast] | None = None
        """What was learned last: whose period, with which plan, and the forecast for it."""

    def fresh(self) -> BlendState:
        """Know nothing of an item."""
        return stored_item.begin(self._pace)

    def learn(self, state: BlendState, item: str, period: ClosedPeriod, ahead: Sequence[Ahead] = ()) -> None:
        """Take in a period, judge the forecast that is due, file a new one."""
        del item
        self._learned = None
        if period.is_open:
            horizon = self._nearest(int(state.record["horizon"][0]))
            model = self._models.get(horizon, self._untaught)
            came = close(
                state.record, state.filed, self._pace, self._population, model.record, model.weights, model.samples,
                _closed(period),
            )  # fmt: skip
            self._changed.add("population")
            if came >= JUDGED:
                self._changed.add(f"waiting {horizon}")
            if came == LEARNED:
                self._changed |= {f"weights {horizon}", f"kept {horizon}"}
        if ahead:
            coming = _coming(ahead)
            if len(coming) != state.record["horizon"][0]:
                self._turn(state, len(coming))
            self._learned = state, tuple(ahead), self._foretell(state, ahead, coming, files=period.is_open)

    def forecast(self, state: BlendState, item: str, ahead: Sequence[Ahead]) -> DemandForecast:
        """The forecast made while learning, if that came last and for the same plan; else one made for this plan."""
        del item
        if self._learned is not None and self._learned[0] is state and self._learned[1] == tuple(ahead):
            return self._learned[2]
        return self._foretell(state, ahead, _coming(ahead), files=False)

    def correct(self, state: BlendState, item: str, past: CorrectedPast) -> None:
        """Learn the item's past again; its shard has learned what it has learned, and how well experts did stays.

        That is forgotten after a slip of the pen only, whose errors would rule for months.
        """
        del item
        again = self.fresh()
        for period in past.periods:
            if period.is_open:
                recall(again.record, self._pace, self._population, _closed(period))
        state.remember(again)
        if past.is_slip():
            state.forget_errors()
        corrections = past.corrections()
        filed = state.filed[: state.record["filed"][0]]
        for number, left in enumerate(filed["left"].tolist()):
            passed = state.record["horizon"][0] - left
            changes = sum(each.now - each.was for each in corrections if each.age < passed)
            filed["total"][number] = max(0.0, filed["total"][number] + changes)
        self._learned = None

    def shifted(self, state: BlendState) -> bool:
        """Whether the last period raised the alarm."""
        return bool(state.record["shifted"][0])

    def _foretell(self, state: BlendState, ahead: Sequence[Ahead], coming: Numbers, *, files: bool) -> DemandForecast:
        """A forecast for this plan, and its open periods; where it `files`, the forecast waits to be judged."""
        if not len(coming):
            nothing = (0.0,) * len(ahead)
            return DemandForecast(float(len(ahead)), 0.0, 0.0, (0.0,) * len(LEVELS), nothing)
        model, answer = self._models.get(self._nearest(len(coming)), self._untaught), np.empty(PATH + len(coming))
        foretell(
            state.record, state.filed, self._pace, self._population, model.record, model.weights, self._table,
            coming, files, answer,
        )  # fmt: skip
        found = answer.tolist()
        path = found[PATH:]
        if len(path) < len(ahead):
            shares = iter(path)
            path = [next(shares) if period.is_open else 0.0 for period in ahead]
        return DemandForecast(
            float(len(ahead)), found[MEAN], found[VARIANCE], tuple(found[QUANTILES:PATH]), tuple(path)
        )

    def _turn(self, state: BlendState, horizon: int) -> None:
        """Have an item turn to another horizon, with a model of its own where there is room."""
        if horizon and horizon not in self._models and len(self._models) < MOST_SHARED_MODELS:
            self._models[horizon] = SharedModel(self._phases)
            self._changed |= {f"{part} {horizon}" for part in _PARTS}
        turn(state.record, horizon)

    def _nearest(self, horizon: int) -> int:
        """The horizon with a model whose ratio to this one is nearest to 1."""
        if horizon in self._models or not self._models:
            return horizon
        wanted = max(horizon, 1)
        return min(self._models, key=lambda known: (max(known / wanted, wanted / known), known))

    # State --------------------------------------------------------------------------------------------------------

    def dump(self, state: BlendState) -> bytes:
        """Write what is known of an item."""
        return stored_item.write(state)

    def load(self, data: bytes) -> BlendState:
        """Read it back."""
        return stored_item.load(data, self._pace)

    def dump_shared(self) -> Mapping[str, bytes]:
        """Write the parts that changed since the last call."""
        changed, self._changed = sorted(self._changed), set()
        return {f"{self._mark}{part}": self._dump_part(part) for part in changed}

    def load_shared(self, parts: Mapping[str, bytes]) -> None:
        """Read all parts; those of another version or rhythm are left alone, and learning begins anew."""
        marked = {part: data for part, data in parts.items() if part.startswith(self._mark)}
        parts = {part.removeprefix(self._mark): data for part, data in marked.items()}
        horizons = [part.removeprefix("weights ") for part in parts if part.startswith("weights ")]
        self._learned = None
        if "population" in parts:
            self._population = read(parts["population"], POPULATION)
            if len(self._population) != 1 or not 0 <= self._population["known"][0] <= self._pace["trend"][0]:
                raise ValueError("not what a shard's items have in common")
        for horizon in horizons[:MOST_SHARED_MODELS]:
            if not horizon.isdecimal() or any(f"{part} {horizon}" not in parts for part in _PARTS):
                raise ValueError(f"the shared model of horizon {horizon!r} is not complete")
            model = SharedModel(self._phases)
            model.load(*(parts[f"{part} {horizon}"] for part in _PARTS))
            self._models[int(horizon)] = model

    def _dump_part(self, part: str) -> bytes:
        if part == "population":
            return self._population.tobytes()
        kind, _, horizon = part.partition(" ")
        model = self._models[int(horizon)]
        if kind == "weights":
            return model.weights.tobytes()
        return model.dump_waiting() if kind == "waiting" else model.dump_kept()


def _coming(ahead: Sequence[Ahead]) -> Numbers:
    """The open periods of a plan, as the kernel takes them."""
    rows = [(each.starts, each.ends, each.promotion, each.price or _UNKNOWN_PRICE) for each in ahead if each.is_open]
    return np.array(rows, np.float64)


def _closed(period: ClosedPeriod) -> Numbers:
    """What is known of a period once it has closed, as the kernel takes it."""
    price = period.price or _UNKNOWN_PRICE
    known = (period.starts, period.ends, period.promotion, price, period.demand, period.censored)
    return np.array(known, np.float64)
