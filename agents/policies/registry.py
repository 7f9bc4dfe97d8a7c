"""The policies there are, by the name an item is configured with. A new one adds a file and a line here.

Another package adds an entry point (`agents/forecasting/brought.py`).
"""

from collections.abc import Callable, Mapping

from agents.forecasting.brought import brought
from agents.policies.base import Policy
from agents.policies.contest.contest import Contest
from agents.policies.pil_q.pil_q import PilQ
from agents.policies.rules.base_stock import BaseStock
from agents.policies.rules.capped_base_stock import CappedBaseStock
from agents.policies.rules.min_max import MinMax
from agents.policies.rules.newsvendor import Newsvendor
from agents.policies.rules.one_point_two import OnePointTwo
from agents.policies.rules.pil import Pil
from agents.policies.rules.reorder_level import ReorderLot, ReorderUpTo
from agents.policies.tabular.fql import Fql
from agents.policies.tabular.hql import Hql
from agents.policies.tabular.q_learning import QLearning

DEFAULT = "pil-q"
"""Who decides where an item names nobody, or somebody unknown."""
BASELINE = "pil"
"""Who decides when the champion fails, and what it is compared with in decisions."""


def contest(champion: Policy, *, rehearses: bool = False) -> Contest:
    """Let a learned policy act under the eyes of simple rules."""
    return Contest(champion, Pil(), (BaseStock(), CappedBaseStock(), OnePointTwo()), rehearses=rehearses)


_OURS: Mapping[str, Callable[[], Policy]] = {
    "R-s-Q": ReorderLot,
    "base-stock": BaseStock,
    "capped-base-stock": CappedBaseStock,
    "fql": lambda: contest(Fql()),
    "hql": lambda: contest(Hql()),
    "min-max": MinMax,
    "newsvendor": Newsvendor,
    "one-point-two": OnePointTwo,
    "pil": Pil,
    "pil-q": lambda: contest(PilQ(), rehearses=True),
    "q-learning": lambda: contest(QLearning()),
    "s-S": ReorderUpTo,
}
POLICIES: Mapping[str, Callable[[], Policy]] = {**_OURS, **brought("restock.policies", _OURS)}
