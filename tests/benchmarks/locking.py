"""How long a lock by the system takes: from its signal on the bus to a covered window, and to a store closed with its
key out of memory. A real window on a real store and server, real D-Bus daemons; each time something is half typed.

    python packaging/keyring_session.py -- python -m tests.benchmarks.locking [--rounds 60] [--many 20000]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QCoreApplication
from PySide6.QtTest import QTest

from app.services.session import Session
from app.ui.run import Desktop, make_application
from app.viewmodels.notices import Screen
from tests.system.buses import Daemon, LogindService
from tests.ui.organisation import fill, organisation

COVERED_MS: Final = 200.0
CLOSED_MS: Final = 1_000.0
WAIT_S: Final = 60.0


def until(condition: Callable[[], object]) -> None:
    """Run the window until something is so."""
    end = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        QCoreApplication.processEvents()


class Times:
    """One figure, measured many times."""

    def __init__(self, name: str, most: float) -> None:
        self.name = name
        self.most = most
        self.ms: list[float] = []

    def line(self) -> str:
        """p50, p95 and p99, beside what they must reach."""
        cuts = statistics.quantiles(self.ms, n=100, method="inclusive")
        p50, p95, p99 = cuts[49], cuts[94], cuts[98]
        said = "met" if p99 <= self.most else "NOT MET"
        return f"{self.name:<44} {p50:8.1f} {p95:8.1f} {p99:8.1f}   ≤ {self.most:.0f} at p99: {said}"


class Watch(threading.Thread):
    """Looks from outside when the store is closed and its key forgotten: the screen's thread does not tell."""

    def __init__(self, session: Session, began: float) -> None:
        super().__init__(daemon=True)
        self._session = session
        self._began = began
        self.ms = 0.0

    def run(self) -> None:
        """Poll, a millisecond at a time."""
        pause = threading.Event()
        while self._session.stage == "active" or self._session.store._store is not None:
            pause.wait(0.001)
        self.ms = (time.perf_counter() - self._began) * 1000


def measure(desktop: Desktop, logind: LogindService, rounds: int) -> list[Times]:
    """Lock and unlock so many times."""
    covered, closed = (
        Times("signal to covered window", COVERED_MS),
        Times("signal to closed store, no key", CLOSED_MS),
    )
    shell, window = desktop.shell, desktop.window
    signals: tuple[Callable[[], None], ...] = (
        logind.lock,
        lambda: logind.say_sleep(True),
        lambda: logind.change(LockedHint=True),
    )
    for at in range(rounds):
        until(lambda: shell.screen is Screen.WORK and shell.desk is not None and shell.desk.list.ready)
        window.activateWindow()
        QTest.keyClicks(window.focusWidget(), f"half typed {at}")
        session = shell.session
        assert session is not None
        began = time.perf_counter()
        watch = Watch(session, began)
        watch.start()
        signals[at % len(signals)]()
        until(lambda: shell.screen is Screen.LOCK)  # painted: the window repaints before it goes on
        covered.ms.append((time.perf_counter() - began) * 1000)
        until(lambda watch=watch: not watch.is_alive())  # type: ignore[misc]
        closed.ms.append(watch.ms)
        logind.say_sleep(False)
        until(lambda: not shell.busy)
        shell.locking.unlock()
    return [covered, closed]


def run(rounds: int, many: int) -> list[Times]:
    """Make the window and its ground, and lock it so many times."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bus = Daemon(folder, "system")
        bus.start()
        stack.callback(bus.stop)
        logind = LogindService(bus)
        logind.serve()
        stack.callback(logind.close)
        os.environ.update(DBUS_SYSTEM_BUS_ADDRESS=bus.address, XDG_SESSION_ID="1")
        org = stack.enter_context(organisation(folder / "org"))
        laptop = org.laptop("laptop", org.person("laptop"))
        fill(laptop, many=many)
        desktop = Desktop(laptop, make_application())
        desktop.open()
        until(lambda: desktop.shell.screen is Screen.WORK)
        desktop.listen()
        until(lambda: desktop.listener is not None and desktop.listener.settled(0))
        found = measure(desktop, logind, rounds)
        done: list[bool] = []
        desktop.shell.close(lambda: done.append(True))
        until(lambda: done)
        desktop.close()
    return found


def main() -> int:
    """Measure and print."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--rounds", type=int, default=60)
    asked.add_argument("--many", type=int, default=20_000)
    said = asked.parse_args()
    found = run(said.rounds, said.many)
    sys.stdout.write(f"{said.rounds} locks, {said.many:,} customers{'':<14}    p50      p95      p99   ms\n")
    sys.stdout.writelines(f"{each.line()}\n" for each in found)
    return 0 if all("NOT" not in each.line() for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
