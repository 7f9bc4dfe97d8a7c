"""What policies have in common that remember nothing: an empty state, and nothing to share."""

from collections.abc import Mapping

from agents.policies.base import Advice, Outcome, Situation


class Stateless:
    """The half of the `Policy` protocol that is the same for every fixed rule."""

    def fresh(self) -> None:
        """Nothing is known, ever."""

    def decide(self, state: None, situation: Situation) -> Advice:
        """Apply the rule."""
        raise NotImplementedError

    def quantity(self, state: None, situation: Situation) -> float:
        """What `decide` would order."""
        return self.decide(state, situation).quantity

    def learn(self, state: None, situation: Situation, outcome: Outcome) -> None:
        """Learn nothing."""

    def rehearsal(self, state: None) -> None:
        """Keep no shadows."""

    def dump(self, state: None) -> bytes:
        """Write nothing."""
        del state
        return b""

    def load(self, data: bytes) -> None:
        """Read nothing, and nothing else."""
        if data:
            raise ValueError(f"the state of a policy without memory is empty, not {len(data)} bytes: rebuild the item")

    def dump_shared(self) -> Mapping[str, bytes]:
        """Share nothing."""
        return {}

    def load_shared(self, parts: Mapping[str, bytes]) -> None:
        """Take nothing in."""
