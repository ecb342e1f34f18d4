"""A real organisation, enrolled laptops and the real window, with a watch over the screen's thread."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.keys.ring import SystemKeyring
from app.paths import Profile
from app.services.session import Session
from app.store.db import Database
from app.ui import sweeping
from tests.ui.driver import Driver
from tests.ui.organisation import Organisation, fill, organisation

_watched: list[str] = []  # folders in which the screen's thread may open no file
_opened: list[str] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _watched and threading.current_thread() is threading.main_thread():
        path = str(arguments[0])
        if any(path.startswith(folder) for folder in _watched):
            _opened.append(path)


sys.addaudithook(_hook)


@pytest.fixture(autouse=True)
def _swept_here() -> Iterator[None]:
    """As in the desktop, garbage is collected in the screen's thread alone: see app/ui/sweeping.py."""
    gc.disable()
    yield
    sweeping.sweep()
    gc.enable()


@pytest.fixture(scope="session")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organisation]:
    """An organisation whose server runs in a process of its own."""
    with organisation(tmp_path_factory.mktemp("organisation")) as made:
        yield made


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A device name that is nobody else's."""
    return f"laptop-{abs(hash(request.node.nodeid)) % 10**9}"


@pytest.fixture
def person(org: Organisation, name: str) -> str:
    """A person of this test alone."""
    return org.person(name)


@pytest.fixture
def laptop(org: Organisation, name: str, person: str) -> Profile:
    """An enrolled profile with the sample in it."""
    made = org.laptop(name, person)
    fill(made)
    return made


@pytest.fixture
def off_screen_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Fails when the screen's thread waits for store or keyring, or opens a file of a folder given to it."""
    wrong: list[str] = []
    watched: tuple[tuple[type, str], ...] = (
        (Session, "call"), (Session, "run_replica"), (Session, "unlock"), (Session, "lock"), (Session, "close"),
        (SystemKeyring, "get"), (SystemKeyring, "set"), (SystemKeyring, "delete"),
        (Database, "all"), (Database, "one"), (Database, "first"), (Database, "execute"),
    )  # fmt: skip
    for owner, method in watched:
        _watch(monkeypatch, owner, method, wrong)
    yield lambda folder: _watched.append(str(folder))
    _watched.clear()
    wrong.extend(_opened)
    _opened.clear()
    assert not wrong, f"in the screen's thread: {wrong}"


def _watch(monkeypatch: pytest.MonkeyPatch, owner: type, method: str, wrong: list[str]) -> None:
    real = getattr(owner, method)

    def watched(*arguments: Any, **named: Any) -> Any:
        if _watched and threading.current_thread() is threading.main_thread():
            wrong.append(f"{owner.__name__}.{method}")
        return real(*arguments, **named)

    monkeypatch.setattr(owner, method, watched)


@pytest.fixture
def opened(qtbot: QtBot, off_screen_thread: Callable[[Path], None]) -> Iterator[Callable[[Profile], Driver]]:
    """Opens the real window on a profile; it is closed as a person closes it."""
    drivers: list[Driver] = []

    def open_it(profile: Profile, size: tuple[int, int] = (1440, 900)) -> Driver:
        driver = Driver(qtbot, profile, size)
        driver.when_closed = _watched.clear
        off_screen_thread(profile.folder)
        drivers.append(driver)
        driver.open()
        return driver

    yield open_it
    for driver in drivers:
        driver.close()
