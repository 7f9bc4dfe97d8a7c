"""What the contestants for an item have cost so far, and how the event of a review shows it."""

from collections.abc import Mapping

from agents.core.learning_state import LearningState
from agents.policies.base import Policy
from agents.policies.contest.contest import Contest
from schemas.outbound import CostLedger
from schemas.quantities import money


def cost_ledger(contestants: Mapping[str, float], own: float, currency: str) -> CostLedger:
    """What champion, baseline and challengers have cost; without a contest there is only its own."""
    costs = dict(contestants)
    own = costs.pop("champion", own)
    beside = costs.pop("baseline", own)
    return CostLedger(
        champion=money(own, currency),
        baseline=money(beside, currency),
        challengers={name: money(cost, currency) for name, cost in sorted(costs.items())},
    )


def contest_costs(learning_state: LearningState, champion: Policy, baseline: str) -> dict[str, float]:
    """What champion, baseline and challengers, by name, have cost so far; nothing where there is no contest."""
    if not isinstance(champion, Contest):
        return {}
    roles = {champion.name: "champion", baseline: "baseline"}
    return {roles.get(name, name): cost for name, cost in champion.costs(learning_state.peek(champion)).items()}
