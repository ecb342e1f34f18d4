"""What the house tests leave behind for those that come after them: nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.house import tree


@pytest.fixture(scope="package", autouse=True)
def _parsed_for_these_alone() -> Iterator[None]:
    """A million nodes of syntax trees would be looked through at every collection of garbage."""
    yield
    tree.parsed.cache_clear()
