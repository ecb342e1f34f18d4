"""What the messages of Windows and macOS mean; the listeners themselves have not been run there."""

from __future__ import annotations

import sys

import pytest

from app.system import macos, windows
from app.system.events import LOCKING, Deaf, Event, system_listener


@pytest.mark.parametrize(
    ("message", "what", "event"),
    [
        (windows.WM_WTSSESSION_CHANGE, 0x7, Event.SCREEN),
        (windows.WM_WTSSESSION_CHANGE, 0x8, None),  # unlocked
        (windows.WM_WTSSESSION_CHANGE, 0x2, Event.SWITCHED),
        (windows.WM_WTSSESSION_CHANGE, 0x4, Event.SWITCHED),
        (windows.WM_POWERBROADCAST, 0x4, Event.SLEEP),
        (windows.WM_POWERBROADCAST, 0x12, Event.WOKE),
        (windows.WM_POWERBROADCAST, 0xA, None),  # mains or battery
        (windows.WM_CLOSE, 0x7, None),
    ],
)
def test_windows_messages(message: int, what: int, event: Event | None) -> None:
    assert windows.event_of(message, what) is event


def test_macos_messages() -> None:
    assert macos.event_of_note(macos.SCREEN_LOCKED) is Event.SCREEN
    assert macos.event_of_note("com.apple.screenIsUnlocked") is None
    assert macos.event_of_power(macos.WILL_SLEEP) is Event.SLEEP
    assert macos.event_of_power(macos.CAN_SLEEP) is None
    assert macos.event_of_power(macos.HAS_POWER) is Event.WOKE


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="begins listeners that find nothing here")
@pytest.mark.parametrize("made", [windows.WindowsListener, macos.MacListener, Deaf])
def test_a_listener_that_finds_nothing_says_so_and_ends(made: type) -> None:
    listener = made()
    listener.begin(print)
    assert listener.settled(10)
    assert not any(each.there for each in listener.standing())
    listener.end()


def test_waking_asks_for_no_lock_by_itself() -> None:
    assert Event.WOKE not in LOCKING
    assert len(LOCKING) == len(Event) - 1
    assert system_listener() is not None
