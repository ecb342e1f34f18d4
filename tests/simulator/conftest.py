"""The organisation that every run begins with, laid once."""

from __future__ import annotations

import pytest

from tests.simulator.ground import Ground, lay


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """The organisation that every run begins with."""
    return lay(tmp_path_factory.mktemp("simulator"))
