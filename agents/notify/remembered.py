"""What a process knows of its notifications beside what its consumer groups say; it outlives its notifiers.

A notifier ends when Kafka is away, and another follows in the same process. What the first was told by recipients, and
what it kept, must not depend on a broker that was killed and has lost the newest of it.
"""

from agents.notify.told import Told


class Remembered:
    """Of every mailing of the process."""

    def __init__(self) -> None:
        self.taken: set[str] = set()
        """Keys of what was taken and is not yet counted as told: nothing of it is sent twice."""
        self.told: dict[str, Told] = {}
        """What was kept last."""
