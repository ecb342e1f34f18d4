"""Linux tells of sleep, locked screens and other users over a real D-Bus; whatever a bus does, nobody waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from app.system.events import Event, Source
from app.system.linux import LOGIND, OF_SESSION
from tests.system.buses import (
    FREEDESKTOP,
    GNOME,
    OTHER,
    OWN,
    Daemon,
    LogindService,
    SaverService,
    Service,
    let_go,
)
from tests.system.conftest import Heard

Buses = tuple[Daemon, Daemon]
Listening = Callable[[], Heard]


@pytest.fixture
def logind(buses: Buses) -> Iterator[LogindService]:
    service = LogindService(buses[0])
    service.serve()
    yield service
    service.close()


def there(heard: Heard) -> dict[Source, bool]:
    return {each.source: each.there for each in heard.listener.standing()}


def until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """Poll a condition with a deadline."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        if time.monotonic() > end:
            return False
        pause.wait(0.01)
    return True


def test_sleep_waits_until_the_lock_is_done_and_no_longer(
    logind: LogindService, listening: Listening
) -> None:
    heard, may_end = listening(), threading.Event()
    hold = logind.holds.get(timeout=10)

    def slow(event: Event) -> None:
        if event is Event.SLEEP:
            may_end.wait(10)

    heard.doing = slow
    assert there(heard)[Source.SLEEP_DELAY]
    logind.say_sleep(True)
    assert not let_go(hold, 0.3), "sleep came while the lock was being done"
    may_end.set()
    assert heard.next() is Event.SLEEP
    assert let_go(hold, 10)
    logind.say_sleep(False)
    assert heard.next() is Event.WOKE
    assert not let_go(logind.holds.get(timeout=10), 0.1), "the next sleep is held up again"


def test_sleep_comes_though_the_lock_fails(logind: LogindService, listening: Listening) -> None:
    heard = listening()
    hold = logind.holds.get(timeout=10)

    def fail(_event: Event) -> None:
        raise RuntimeError("a bug")

    heard.doing = fail
    logind.say_sleep(True)
    assert let_go(hold, 10)
    heard.doing = lambda _event: None
    logind.holds.get(timeout=10)  # the line is taken up anew
    logind.lock()
    assert heard.next() is Event.SESSION


def test_only_our_own_session_is_locked(logind: LogindService, listening: Listening) -> None:
    heard = listening()
    logind.lock(OTHER)
    logind.change(OTHER, Active=False)
    logind.lock(OWN)
    assert heard.next() is Event.SESSION
    logind.change(Active=True)
    logind.change(Active=False)
    assert heard.next() is Event.SWITCHED
    logind.change(LockedHint=False)
    logind.change(LockedHint=True)
    assert heard.next() is Event.SCREEN
    assert heard.next(0.1) is None


def test_a_session_that_nobody_names_hears_every_lock(
    logind: LogindService, listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_SESSION_ID")
    logind.methods.pop("GetSessionByPID")
    heard = listening()
    logind.lock(OTHER)
    assert heard.next() is Event.SESSION


def test_the_system_bus_is_believed_of_logind_alone(
    buses: Buses, logind: LogindService, listening: Listening
) -> None:
    heard = listening()
    stranger = Service(buses[0])
    stranger.serve()
    stranger.emit("/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PrepareForSleep", "b", True)
    stranger.emit(OWN, OF_SESSION, "Lock", "")
    assert heard.next(0.3) is None
    logind.lock()
    assert heard.next() is Event.SESSION
    stranger.close()


@pytest.mark.parametrize("name", [GNOME, FREEDESKTOP])
def test_the_screen_savers_of_the_desktops(buses: Buses, listening: Listening, name: str) -> None:
    saver = SaverService(buses[1], name)
    saver.serve()
    heard = listening()
    assert there(heard)[Source.SCREEN_SAVER]
    saver.turn(False)
    saver.turn(True)
    assert heard.next() is Event.SCREEN
    assert heard.next(0.1) is None
    saver.close()


def test_a_screen_that_was_locked_before_anybody_listened(
    buses: Buses, logind: LogindService, listening: Listening
) -> None:
    saver = SaverService(buses[1])
    saver.active = True
    saver.serve()
    assert listening().next() is Event.SCREEN
    saver.close()
    logind.properties["LockedHint"] = True
    assert listening().next() is Event.SCREEN


def test_a_saver_that_comes_later_is_heard(buses: Buses, listening: Listening) -> None:
    heard = listening()
    assert not there(heard)[Source.SCREEN_SAVER]
    saver = SaverService(buses[1])
    saver.serve()
    saver.turn(True)
    assert heard.next() is Event.SCREEN
    saver.close()


def test_a_bus_that_dies_is_taken_up_again(buses: Buses, listening: Listening) -> None:
    first = LogindService(buses[0])
    first.serve()
    heard = listening()
    hold = first.holds.get(timeout=10)
    buses[0].stop()
    assert until(lambda: not there(heard)[Source.LOGIND])
    assert let_go(hold, 10), "nobody holds up sleep over a bus that is gone"
    first.close()
    buses[0].start()
    second = LogindService(buses[0])
    second.properties["Active"] = False  # another user took the screen meanwhile
    second.serve()
    assert until(lambda: there(heard)[Source.LOGIND])
    assert heard.next() is Event.SWITCHED
    second.lock()
    assert heard.next() is Event.SESSION
    second.close()


def test_logind_that_starts_anew_gets_another_hold(buses: Buses, listening: Listening) -> None:
    first = LogindService(buses[0])
    first.serve()
    heard = listening()
    first.holds.get(timeout=10)
    first.close()
    assert until(lambda: not there(heard)[Source.LOGIND])
    second = LogindService(buses[0])
    second.serve()
    second.holds.get(timeout=10)
    assert until(lambda: there(heard)[Source.SLEEP_DELAY])
    second.close()


def test_no_bus_at_all_costs_nobody_anything(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/bus")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    begun = time.monotonic()
    heard = listening()
    assert not any(there(heard).values())
    heard.listener.end()
    assert time.monotonic() - begun < 5


def test_a_logind_that_answers_nothing_does_not_hold_up_the_end(buses: Buses) -> None:
    silent = Service(buses[0], LOGIND)  # takes calls and never answers
    heard = Heard()
    began = time.monotonic()
    heard.listener.end()
    assert time.monotonic() - began < 9
    silent._line.close()
