"""The port behind which each operating system tells that nobody may look now: sleep, a locked screen, another user.

A listener never raises and never keeps anybody waiting: where the system says nothing, it says so in `standing`, and
tries again by itself.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Protocol

import msgspec


class Event(StrEnum):
    """What the system tells. All but the last one ask for a lock at once."""

    SLEEP = "sleep"  # about to suspend or hibernate; a closed lid comes as this
    SCREEN = "screen"  # the screen was locked, or its saver came on
    SESSION = "session"  # somebody asked the system to lock this session
    SWITCHED = "switched"  # another user has the screen, or the line to a remote one is cut
    WOKE = "woke"  # back from sleep: timers stood still meanwhile


LOCKING: Final = frozenset({Event.SLEEP, Event.SCREEN, Event.SESSION, Event.SWITCHED})


class Source(StrEnum):
    """What is listened to."""

    LOGIND = "logind"
    SLEEP_DELAY = "sleep_delay"  # sleep waits until the keys are out
    SCREEN_SAVER = "screen_saver"
    WINDOWS = "windows"
    MACOS = "macos"


class Heard(msgspec.Struct, frozen=True):
    """Whether a source is listened to, and who answers there or why nobody does."""

    source: Source
    there: bool
    said: str = ""


OnEvent = Callable[[Event], None]


class Listener(Protocol):
    """Tells of the system's events, in a thread of its own."""

    def begin(self, on_event: OnEvent) -> None:
        """Listen from now on. `on_event` comes back when it has done what the event asks for: sleep waits for it."""

    def settled(self, seconds: float) -> bool:
        """Wait until it is known of every source whether it is there; whether that is known by then."""

    def standing(self) -> list[Heard]:
        """What is listened to."""

    def end(self) -> None:
        """Listen no more."""


class Deaf:
    """For a system that nothing is known of."""

    def begin(self, on_event: OnEvent) -> None:
        """Nothing ever comes."""

    def settled(self, seconds: float) -> bool:
        """At once."""
        return True

    def standing(self) -> list[Heard]:
        """Nothing."""
        return []

    def end(self) -> None:
        """Nothing was begun."""


def system_listener() -> Listener:
    """The listener of this system."""
    system: str = (
        sys.platform
    )  # named, so that the type checker does not take the other systems for dead code
    if system.startswith("linux"):
        from app.system.linux import LinuxListener

        return LinuxListener()
    if system == "win32":
        from app.system.windows import WindowsListener

        return WindowsListener()
    if system == "darwin":
        from app.system.macos import MacListener

        return MacListener()
    return Deaf()
