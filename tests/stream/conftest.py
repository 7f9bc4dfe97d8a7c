"""What the tests of shards share."""

import pytest

from tests.fakes.toy_core import ToyCore


@pytest.fixture
def toy_core() -> type[ToyCore]:
    """The class itself: every owner that takes a shard makes one."""
    return ToyCore
