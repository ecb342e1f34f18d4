"""A server in this process with a console, and a browser of its admin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.console.web import proving
from tests.console.visitor import ConsoleInside, Visitor
from tests.server.driver import Device
from tests.server.inside import Inside
from tests.server.running import Org


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
def laptops(inside: Inside) -> list[Device]:
    """Two laptops of one person."""
    who = inside.person("ana@example.com")
    return [inside.device(who, f"LAP-{n}") for n in (1, 2)]


@pytest.fixture
def house(inside: Inside, laptops: list[Device], scripts: Path) -> Org:
    """The commands on the folders of that server, whose store is free for them."""
    inside.store.close()
    return Org(inside.folder, scripts)


@pytest.fixture
def admin(inside: ConsoleInside) -> Visitor:
    """A browser of its first admin, signed in."""
    return inside.admin()
