"""A server in this process with a console, and a browser of its admin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.visitor import ConsoleInside, Visitor


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[ConsoleInside]:
    """A server in this process."""
    made = ConsoleInside(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def admin(inside: ConsoleInside) -> Visitor:
    """A browser of its first admin, signed in."""
    return inside.admin()
