"""The class of an item among policies: items of the same terms, whose experience is worth sharing."""

from agents.policies.base import Situation

MOST_ODDS, MOST_WAIT = 9, 5


def class_of(situation: Situation) -> str:
    """What happens at a stock-out, whether orders cost something, how dear a shortage is, how long the wait.

    >>> from agents.forecasting.base import DemandForecast
    >>> from agents.policies.base import Economics
    >>> nothing = DemandForecast(1, 0.0, 0.0, (0.0,) * 5, (0.0,))
    >>> class_of(Situation("A@X", 0, 0, (), (0.0, 0.0, 0.0, 1.0), nothing, Economics(1.0, 99.0)))
    'pl62'
    """
    terms = situation.economics
    odds = min(int(1.0 + terms.shortage / max(terms.holding, 1e-9)).bit_length() - 1, MOST_ODDS)
    wait = min(len(situation.lead_time).bit_length() - 1, MOST_WAIT)
    return f"{'l' if terms.order_cost > 0.0 else 'p'}{terms.stock_out[0]}{odds}{wait}"
