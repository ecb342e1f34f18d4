"""Buses of a test's own, and a listener that takes them for the machine's."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.system.events import Event
from app.system.linux import LinuxListener
from tests.system.buses import Daemon, two_buses


@pytest.fixture
def buses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Daemon, Daemon]]:
    """The system bus and the session bus of this test."""
    with two_buses(tmp_path) as (system, session):
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", system.address)
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", session.address)
        monkeypatch.setenv("XDG_SESSION_ID", "1")
        yield system, session


class Heard:
    """A listener, and what it told."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.doing: Callable[[Event], None] = lambda _event: None
        self.listener = LinuxListener()
        self.listener.begin(self._take)
        assert self.listener.settled(10)

    def next(self, seconds: float = 10) -> Event | None:
        """What it tells next; None when it is silent for so long."""
        with contextlib.suppress(queue.Empty):
            return self.events.get(timeout=seconds)
        return None

    def _take(self, event: Event) -> None:
        self.doing(event)
        self.events.put(event)


@pytest.fixture
def listening() -> Iterator[Callable[[], Heard]]:
    """Begins to listen; ended with the test."""
    begun: list[Heard] = []

    def begin() -> Heard:
        begun.append(Heard())
        return begun[-1]

    yield begin
    for each in begun:
        each.listener.end()
