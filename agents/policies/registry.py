"""The policies there are, by the name an item is configured with. A new one adds a file and a line here."""

from collections.abc import Callable, Mapping

from agents.policies.base import Policy
from agents.policies.base_stock import BaseStock
from agents.policies.fql import Fql
from agents.policies.one_point_two import OnePointTwo
from agents.policies.pil import Pil
from agents.policies.pil_q import PilQ
from agents.policies.vanilla import QLearning

DEFAULT = "base-stock"
"""Who decides where an item names nobody, or somebody unknown."""
BASELINE = "base-stock"
"""Who decides when the champion fails, and whom it is compared with."""

POLICIES: Mapping[str, Callable[[], Policy]] = {
    "base-stock": BaseStock,
    "one-point-two": OnePointTwo,
    "fql": Fql,
    "pil": Pil,
    "pil-q": PilQ,
    "q-learning": QLearning,
}
