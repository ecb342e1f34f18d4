"""A server in this process with a console, and a browser of its admin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.console.web import proving
from tests.console.visitor import ConsoleInside, Visitor


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords cost a hundredth of what they cost people; what that is, `test_stolen` looks at."""
    monkeypatch.setattr(proving, "_MEMORY_KIB", 256)
    monkeypatch.setattr(proving, "_ROUNDS", 1)


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
