"""The forecasters and policies of one shard, by name: made when first needed, asked with care, stored by name.

Whatever a learner does, its shard goes on: one that raises an error, or answers with something that is no number, is
counted and passed over.
"""

from collections.abc import Mapping, Sequence
from math import isfinite

import msgspec

from agents.core.counters import Counters
from agents.core.learning_state import LearningState
from agents.core.shard_state import ShardState
from agents.forecasting import registry as forecasters
from agents.forecasting.base import LEVELS, Ahead, ClosedPeriod, DemandForecast, Forecaster, Rhythm
from agents.forecasting.correction import CorrectedPast
from agents.forecasting.lead_time import Known, LeadTimes
from agents.inventory.position import Wait
from agents.inventory.terms import Effective
from agents.policies import registry as policies
from agents.policies.base import Advice, Outcome, Policy, Situation
from agents.policies.contest.contest import Contest
from agents.policies.facts import DemandFacts, PastDemand
from agents.policies.newcomers import Newcomers
from schemas.quantities import DAY_MS

_WAITS, _NEWCOMERS = "waits ", "newcomers "
NEVER_AT = -1
"""The reorder point of an item that is not to be ordered."""
BY_HAND = "min-max"
"""The policy where a planner set a reorder point or a level by hand and named no policy."""


class Learners:
    """What forecasts and what decides in a shard."""

    def __init__(self, state: ShardState, counters: Counters) -> None:
        self._state = state
        self._counters = counters
        self._forecasters: dict[str, Forecaster] = {}
        self._policies: dict[str, Policy] = {}
        self._lead_times = LeadTimes()
        self._newcomers = Newcomers()
        self._shared: dict[str, bytes] = {}
        self._changed: dict[str, bytes] = {}

    def forecaster(self, wanted: str | None) -> Forecaster:
        """The shard's forecaster of that name; the default one where there is none."""
        name = wanted if wanted is not None and wanted in forecasters.FORECASTERS else forecasters.DEFAULT
        if name not in self._forecasters:
            period_days = self._state.frame.settings.period_ms / DAY_MS
            made = forecasters.FORECASTERS[name](Rhythm(season(period_days), period_days))
            made.load_shared(self._parts(f"forecaster {name} "))
            self._forecasters[name] = made
        return self._forecasters[name]

    def policy(self, wanted: str | None) -> Policy:
        """The shard's policy of that name; the default one where there is none."""
        name = wanted if wanted is not None and wanted in policies.POLICIES else policies.DEFAULT
        if name not in self._policies:
            made = policies.POLICIES[name]()
            made.load_shared(self._parts(f"policy {name} "))
            self._policies[name] = made
        return self._policies[name]

    def champion(self, terms: Effective) -> Policy:
        """The policy of an item: the one it names, else min-max where a planner set a level by hand."""
        by_hand = terms.reorder_point is not None or terms.order_up_to is not None
        return self.policy(BY_HAND if terms.policy is None and by_hand else terms.policy)

    def learning(self, terms: Effective) -> tuple[Policy, ...]:
        """Policies whose learning states an item keeps: its champion, and the baseline unless a contest holds it."""
        champion = self.champion(terms)
        return (champion,) if champion is self.baseline or isinstance(champion, Contest) else (champion, self.baseline)

    @property
    def baseline(self) -> Policy:
        """The policy that decides when the champion fails."""
        return self.policy(policies.BASELINE)

    def learn_waits(self, learning_state: LearningState, waits: Sequence[Wait]) -> None:
        """Learn from what came since the last review, and from what did not."""
        lead_times, period_ms = self._lead_times_of(learning_state), self._state.frame.settings.period_ms
        for wait in waits:
            if wait.kind == "came":
                self._lead_times.learn(lead_times, wait.supplier, int(wait.waited_ms / period_ms + 0.5), wait.share)
            elif wait.kind == "lost":
                self._lead_times.lose(lead_times, wait.supplier, wait.share)
            else:
                self._lead_times.find(lead_times, wait.supplier, wait.share)

    def lead_time(self, learning_state: LearningState, supplier: str | None, promised: int) -> tuple[float, ...]:
        """Chances of a lead time of 0, 1, 2… periods."""
        return self._lead_times.chances(self._lead_times_of(learning_state), supplier, promised)

    def _lead_times_of(self, learning_state: LearningState) -> Known:
        """What is known of an item's lead times; nothing where it was learned in other periods."""
        record, period_ms = learning_state.record, self._state.frame.settings.period_ms
        if record.period_ms != period_ms:
            record.waits, record.period_ms = self._lead_times.fresh(), period_ms
            record.past = PastDemand()
        return record.waits

    def learn_facts(
        self, learning_state: LearningState, kind: str, period: ClosedPeriod, ahead: Sequence[Ahead]
    ) -> None:
        """Take a closed period into the facts that orders are checked against, of the item and of its class."""
        record, strong = learning_state.record, self._newcomers.strong(kind)
        record.past.learn(period.demand, censored=period.censored, promotion=period.promotion, strong=strong)
        record.planned = max((each.promotion for each in ahead), default=0.0)
        self._newcomers.learn(kind, record.past)

    def facts(self, learning_state: LearningState, kind: str) -> DemandFacts:
        """What is known of an item's demand in an interval as long as its forecast's."""
        record = learning_state.record
        periods = len(record.forecast.path) if record.forecast is not None else 1
        usual, strong = self._newcomers.usual(kind), self._newcomers.strong(kind)
        return record.past.facts(max(1, periods), usual=usual, strong=strong, planned=record.planned)

    def forecast(
        self,
        forecaster: Forecaster,
        learning_state: LearningState,
        item: str,
        period: ClosedPeriod,
        ahead: Sequence[Ahead],
    ) -> DemandForecast:
        """Learn a closed period and look ahead; when that fails, the last forecast stands and learning begins anew."""
        try:
            state = learning_state.forecaster_state(forecaster)
            forecaster.learn(state, item, period, ahead)
            forecast = forecaster.forecast(state, item, ahead)
            if isfinite(forecast.mean + forecast.variance + sum(forecast.quantiles) + sum(forecast.path)):
                return forecast
        except Exception:  # noqa: BLE001 - see above
            learning_state.forecasters[forecaster.name] = (forecaster, forecaster.fresh())
        self._counters.failures[forecaster.name] += 1
        nothing = DemandForecast(float(len(ahead)), 0.0, 0.0, (0.0,) * len(LEVELS), (0.0,) * len(ahead))
        return learning_state.record.forecast or nothing

    def correct(
        self,
        forecaster: Forecaster,
        learning_state: LearningState,
        item: str,
        kind: str,
        past: CorrectedPast,
        *,
        whole: bool,
    ) -> None:
        """Have forecaster and facts know the past as it stands corrected; `whole` when nothing came before it."""
        try:
            forecaster.correct(learning_state.forecaster_state(forecaster), item, past)
        except Exception:  # noqa: BLE001 - see above
            learning_state.forecasters[forecaster.name] = (forecaster, forecaster.fresh())
            self._counters.failures[forecaster.name] += 1
        record, strong = learning_state.record, self._newcomers.strong(kind)
        was = record.past if whole else _facts_of(past.learned(), strong)
        record.past = record.past.corrected(was, _facts_of(past.periods, strong))

    def learn(self, policy: Policy, learning_state: LearningState, situation: Situation, outcome: Outcome) -> None:
        """Let a policy learn; when that fails it begins anew."""
        try:
            policy.learn(learning_state.policy_state(policy), situation, outcome)
        except Exception:  # noqa: BLE001 - see above
            self._counters.failures[policy.name] += 1
            learning_state.policies[policy.name] = (policy, policy.fresh())

    def ask(self, policy: Policy, learning_state: LearningState, situation: Situation) -> Advice | None:
        """A policy's advice; None when that fails."""
        try:
            advice = policy.decide(learning_state.peek(policy), situation)
            if isfinite(advice.quantity + advice.reorder_point + advice.order_up_to + advice.safety_stock):
                return _sane(advice, situation)
        except Exception:  # noqa: BLE001, S110 - see above; counted below
            pass
        self._counters.failures[policy.name] += 1
        return None

    def renew(self) -> None:
        """Make the forecasters anew, because time passes in another rhythm from here on."""
        self._lead_times.forget()
        self.dump()
        self._forecasters = {}

    # State --------------------------------------------------------------------------------------------------------

    def dump(self) -> Mapping[str, bytes]:
        """Everything the learners share."""
        learners: tuple[tuple[str, Mapping[str, Forecaster | Policy]], ...] = (
            ("forecaster", self._forecasters),
            ("policy", self._policies),
        )
        for kind, by_name in learners:
            for name, learner in by_name.items():
                self._keep(f"{kind} {name} ", learner.dump_shared())
        self._keep(_WAITS, self._lead_times.dump_shared())
        self._keep(_NEWCOMERS, self._newcomers.dump())
        return self._shared

    def changed(self) -> Mapping[str, bytes]:
        """What the learners share and has changed since the last call."""
        self.dump()
        changed, self._changed = self._changed, {}
        return changed

    def load(self, fields: Mapping[str, bytes]) -> None:
        """Read what learners share."""
        ours = {f: data for f, data in fields.items() if f.startswith(("forecaster ", "policy ", _WAITS, _NEWCOMERS))}
        self._shared.update(ours)
        self._lead_times.load_shared(self._parts(_WAITS))
        self._newcomers.load(self._parts(_NEWCOMERS))

    def _keep(self, prefix: str, parts: Mapping[str, bytes]) -> None:
        named = {f"{prefix}{part}": data for part, data in parts.items()}
        self._shared.update(named)
        self._changed.update(named)

    def _parts(self, prefix: str) -> dict[str, bytes]:
        return {f.removeprefix(prefix): data for f, data in self._shared.items() if f.startswith(prefix)}


def _facts_of(periods: Sequence[ClosedPeriod], strong: float) -> PastDemand:
    """What these periods alone say of an item's demand."""
    past = PastDemand()
    for period in periods:
        past.learn(period.demand, censored=period.censored, promotion=period.promotion, strong=strong)
    return past


def _sane(advice: Advice, situation: Situation) -> Advice:
    """The advice with levels that a position can reach: where nobody waits for goods, it never falls below nothing."""
    if situation.economics.stock_out == "backorder" or (advice.reorder_point >= NEVER_AT and advice.order_up_to >= 0):
        return advice
    return msgspec.structs.replace(
        advice, reorder_point=max(NEVER_AT, advice.reorder_point), order_up_to=max(0, advice.order_up_to)
    )


def season(period_days: float) -> int:
    """Open periods that make a season: a week of days, a year of weeks or months, a day of hours.

    >>> season(1.0), season(7.0), season(1 / 24)
    (7, 52, 24)
    """
    if period_days >= 28:
        return 12
    if period_days >= 7:
        return 52
    return 7 if period_days >= 1 else max(2, round(1 / period_days))
