"""A keyring that takes calls and answers none of them: the window is drawn, answers, and says what is wrong."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator

import psutil
import pytest
import secretstorage
from jeepney import DBusAddress, new_method_call
from PySide6.QtCore import QTimer

from app.keys import ring
from app.paths import Profile
from app.viewmodels.notices import Screen
from tests.ui.driver import Driver, words_below

WAITS_S = 3.0  # in place of the program's own, which nobody wants to wait for here
Opened = Callable[..., Driver]


@pytest.fixture
def silent() -> Iterator[Callable[[], None]]:
    """Stops the keyring's daemon when called; it goes on after the test."""
    bus = secretstorage.dbus_init()
    address = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
    ask = new_method_call(address, "GetConnectionUnixProcessID", "s", ("org.freedesktop.secrets",))
    daemon = psutil.Process(bus.send_and_get_reply(ask, timeout=20).body[0])
    bus.close()
    yield daemon.suspend
    daemon.send_signal(signal.SIGCONT)


def test_a_keyring_that_hangs_leaves_the_window_alive_and_is_said(
    opened: Opened, laptop: Profile, silent: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ring.TIMEOUT <= 15
    defaults = ring.SystemKeyring.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "timeout", WAITS_S)
    silent()
    began, last, longest = time.monotonic(), time.monotonic(), 0.0

    def beat() -> None:
        nonlocal last, longest
        now = time.monotonic()
        longest, last = max(longest, now - last), now

    timer = QTimer()
    timer.timeout.connect(beat)
    timer.start(10)
    driver = opened(laptop)
    driver.until(lambda: driver.shell.screen is Screen.TROUBLE)
    took = time.monotonic() - began
    timer.stop()
    assert took < 2 * WAITS_S
    assert longest < 1.0, "the window stood still"
    assert "keyring" in words_below(driver.window)
