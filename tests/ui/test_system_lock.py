"""The system's own events lock the real window at once, over a real D-Bus: covered, closed, nothing typed is lost."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from secretstorage.exceptions import ItemNotFoundException

from app.keys import trusted_time
from app.keys.trusted_time import Sample
from app.paths import Profile
from app.services.session import ACTIVE, LOCK_CRYPTO, LOCK_UI, Session
from app.system.events import Event
from app.ui.lock import LockPage
from app.viewmodels.notices import Screen
from tests.keyring_of_tests import device_entries
from tests.system.buses import LogindService, SaverService, let_go, two_buses
from tests.ui import sample
from tests.ui.driver import Driver, words_below
from tests.ui.organisation import Organisation

Opened = Callable[..., Driver]
COVERED_S, CLOSED_S = 0.2, 1.0


class System:
    """What a machine's services say to the window."""

    def __init__(self, logind: LogindService, saver: SaverService) -> None:
        self.logind = logind
        self.saver = saver


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """Both buses with their services. The keyring stays where it is: it is spoken to on a line of its own."""
    with two_buses(tmp_path) as (bus, session), contextlib.ExitStack() as ending:
        logind, saver = LogindService(bus), SaverService(session)
        for service in (logind, saver):
            service.serve()
            ending.callback(service.close)
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        monkeypatch.setenv("XDG_SESSION_ID", "1")
        monkeypatch.setattr("app.system.linux.SESSION", session.address)
        yield System(logind, saver)


def listening(driver: Driver) -> None:
    driver.until(lambda: driver.desktop.listener is not None and driver.desktop.listener.settled(0))


EVENTS: dict[str, tuple[Callable[[System], None], str]] = {
    "sleep": (lambda system: system.logind.say_sleep(True), "went to sleep"),
    "session": (lambda system: system.logind.lock(), "with your session"),
    "switched": (lambda system: system.logind.change(Active=False), "somebody else"),
    "hint": (lambda system: system.logind.change(LockedHint=True), "with the screen"),
    "saver": (lambda system: system.saver.turn(True), "with the screen"),
}


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_each_event_covers_the_window_and_closes_the_store(
    opened: Opened, laptop: Profile, system: System, event: str
) -> None:
    driver = opened(laptop)
    listening(driver)
    session = driver.shell.session
    assert session is not None
    emit, said = EVENTS[event]
    began = time.monotonic()
    emit(system)
    driver.until(lambda: driver.shell.screen is Screen.LOCK)
    covered = time.monotonic() - began
    driver.until(lambda: session.stage == LOCK_UI)
    assert time.monotonic() - began < CLOSED_S
    assert covered < COVERED_S
    assert session.store._store is None
    driver.until(lambda: not driver.shell.busy)
    page = driver.window.shown
    assert isinstance(page, LockPage)
    assert said in words_below(page)
    assert driver.window.windowTitle() == "Fieldkeep"
    driver.press("Return")  # the button has the focus: nobody needs a mouse
    driver.until(lambda: driver.shell.screen is Screen.WORK)


def test_sleep_waits_for_the_keys_and_the_cover(opened: Opened, laptop: Profile, system: System) -> None:
    driver = opened(laptop)
    listening(driver)
    session = driver.shell.session
    assert session is not None
    hold = system.logind.holds.get(timeout=10)
    at: list[tuple[str, Screen]] = []

    def watch() -> None:
        if let_go(hold, 10):
            at.append((session.stage, driver.shell.screen))

    watching = threading.Thread(target=watch)
    watching.start()
    system.logind.say_sleep(True)
    driver.until(lambda: bool(at))
    watching.join()
    assert at == [(LOCK_UI, Screen.LOCK)]


def test_what_was_being_typed_is_there_after_the_unlock(
    opened: Opened, laptop: Profile, system: System
) -> None:
    """Case 89: a form that nobody saved is an op in the outbox before the store closes."""
    driver = opened(laptop)
    listening(driver)
    driver.press("Ctrl+N")
    driver.type("Typed as the lid closed")
    system.logind.say_sleep(True)
    driver.until(lambda: driver.shell.screen is Screen.LOCK and not driver.shell.busy)
    assert driver.shell.session is not None
    assert driver.shell.session.state.unsent >= 1
    driver.shell.locking.unlock()
    driver.until(lambda: driver.shell.screen is Screen.WORK and driver.desk.list.ready)
    driver.until(lambda: driver.row_of("Typed as the lid closed") >= 0)


def test_an_event_before_there_is_a_session_locks_what_opens(qtbot: QtBot, laptop: Profile) -> None:
    driver = Driver(qtbot, laptop)
    driver.shell.locking.heard(Event.SCREEN)  # it comes back at once, and is not forgotten
    driver.desktop.open()
    driver.until(lambda: driver.shell.screen is Screen.LOCK and not driver.shell.busy)
    assert driver.shell.session is not None
    assert driver.shell.session.stage == LOCK_UI
    assert driver.shell.desk is None
    driver.close()


def test_a_screen_that_was_locked_before_the_start(opened: Opened, laptop: Profile, system: System) -> None:
    driver = opened(laptop)
    listening(driver)
    assert driver.desktop.listener is not None
    driver.desktop.listener.end()
    system.saver.active = True
    driver.desktop.listener = None
    driver.desktop.listen()
    driver.until(lambda: driver.shell.screen is Screen.LOCK and not driver.shell.busy)


def test_a_window_that_hangs_holds_up_neither_lock_nor_sleep(
    opened: Opened, laptop: Profile, system: System
) -> None:
    driver = opened(laptop)
    listening(driver)
    session = driver.shell.session
    assert session is not None
    hold = system.logind.holds.get(timeout=10)
    began = time.monotonic()
    system.logind.say_sleep(True)
    assert let_go(hold, 5), "the screen's thread does nothing meanwhile"
    assert time.monotonic() - began < 3
    assert session.stage == LOCK_UI
    driver.until(lambda: driver.shell.screen is Screen.LOCK and not driver.shell.busy)


# --- without use


def turn(driver: Driver, seconds: float) -> None:
    """Let time pass, as it does over sleep: no timer of the window runs meanwhile."""
    locking = driver.shell.locking
    now = locking.clock()
    locking.clock = lambda: now + seconds


def test_the_first_key_after_too_long_only_locks(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    turn(driver, 601)
    QTest.keyClick(driver.window.windowHandle(), Qt.Key.Key_Delete)
    driver.until(lambda: driver.shell.screen is Screen.LOCK and not driver.shell.busy)
    page = driver.window.shown
    assert isinstance(page, LockPage)
    assert "Locked after 10 minutes without use." in words_below(page)


def test_use_keeps_it_open_and_a_person_may_want_it_sooner(opened: Opened, laptop: Profile) -> None:
    driver = opened(laptop)
    locking = driver.shell.locking
    assert locking.minutes() == 10
    turn(driver, 500)
    QTest.keyClick(driver.window.windowHandle(), Qt.Key.Key_Shift)
    turn(driver, 500)
    assert not locking.look_at_clock()
    assert [each for each in ("1", "10", "15", "policy") if locking.offered(each)] == ["1", "10", "policy"]
    driver.shell.choose_setting("lock_after", "1", lambda: None)
    assert locking.minutes() == 1
    driver.shell.choose_setting("lock_after", "30", lambda: None)
    assert locking.minutes() == 10, "never later than IT says"
    driver.shell.choose_setting("lock_after", "1", lambda: None)
    turn(driver, 61)
    driver.desktop.idle._look()
    driver.until(lambda: driver.shell.screen is Screen.LOCK and not driver.shell.busy)
    assert driver.shell.session is not None
    assert driver.shell.session.stage != ACTIVE


# --- asleep for very long

ASLEEP_S: Final = 22 * 86_400


@pytest.fixture
def asleep(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Turns the clocks by 22 days, as sleep does: the wall clock and the one since boot."""
    system_clock = trusted_time.system_clock

    def later() -> Sample:
        now = system_clock()
        return Sample(now.wall_ms + ASLEEP_S * 1_000, now.boottime_ns + ASLEEP_S * 10**9, now.boot_id)

    return lambda: monkeypatch.setattr(trusted_time, "system_clock", later)


def share_is_gone(session: Session) -> bool:
    with contextlib.suppress(ItemNotFoundException):  # while it goes
        return "share.1" not in device_entries(session.card.device)
    return False


def test_asleep_for_three_weeks_no_page_is_seen_again(
    opened: Opened, laptop: Profile, system: System, org: Organisation, asleep: Callable[[], None]
) -> None:
    driver = opened(laptop)
    listening(driver)
    driver.until(lambda: driver.shell.sync.last_ok and not driver.shell.sync.waiting)
    session = driver.shell.session
    assert session is not None
    system.logind.say_sleep(True)
    driver.until(lambda: driver.shell.screen is Screen.LOCK and not driver.shell.busy)
    org.stop()
    try:
        asleep()
        seen: list[Screen] = []
        unwatch = driver.shell.watch(lambda: seen.append(driver.shell.screen))
        system.logind.say_sleep(False)
        driver.shell.locking.unlock()  # the first thing that a person does
        driver.until(lambda: session.stage == LOCK_CRYPTO and not driver.shell.busy)
        driver.until(lambda: share_is_gone(session))
        driver.settle()
        unwatch()
        assert set(seen) <= {Screen.LOCK}
        assert not [word for word in sample.SECRET_WORDS if word in words_below(driver.window)]
    finally:
        org.start()
    driver.shell.try_now()
    driver.until(lambda: driver.shell.screen is Screen.WORK)


def test_a_sleep_that_nobody_told_of_ends_before_a_key_reaches_a_page(
    opened: Opened, laptop: Profile, org: Organisation, asleep: Callable[[], None]
) -> None:
    driver = opened(laptop)
    driver.until(lambda: driver.shell.sync.last_ok and not driver.shell.sync.waiting)
    session = driver.shell.session
    assert session is not None
    org.stop()
    try:
        asleep()
        QTest.keyClick(driver.window.windowHandle(), Qt.Key.Key_Delete)
        driver.until(lambda: driver.shell.screen is Screen.LOCK)
        driver.until(lambda: not driver.shell.busy)
        driver.shell.try_now()
        driver.until(lambda: session.stage == LOCK_CRYPTO)
        driver.until(lambda: share_is_gone(session))
    finally:
        org.start()
    driver.shell.try_now()
    driver.until(lambda: driver.shell.screen is Screen.WORK)
