"""An import, pages of a server and somebody who types, all at once: every delay of the loop of the window."""

from __future__ import annotations

import datetime as dt
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import Qt, QTimer

from app.paths import Profile
from app.services.exchange.progress import Progress
from app.services.importing import Importing
from app.services.session import Session
from tests.benchmarks import window
from tests.benchmarks.importing import write_file
from tests.benchmarks.seen import Shown, let_run

PAUSE_MS: Final = 50  # between two letters


class Recording:
    """A timer of two milliseconds: when it rang, since the start, and by how much it was late; milliseconds."""

    def __init__(self) -> None:
        self.rings: list[tuple[float, float]] = []
        self._began = self._due = 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(window.BEAT_MS)
        self._timer.timeout.connect(self._ring)

    def start(self) -> None:
        """Begin."""
        self._began = time.perf_counter()
        self._due = self._began + window.BEAT_MS / 1000
        self._timer.start()

    def stop(self) -> list[tuple[float, float]]:
        """End; what was recorded."""
        self._timer.stop()
        return self.rings

    def _ring(self) -> None:
        now = time.perf_counter()
        self.rings.append(((now - self._began) * 1000, max(0.0, (now - self._due) * 1000)))
        self._due = now + window.BEAT_MS / 1000


def at_once(profile: Profile, rows: int) -> dict[str, Any]:
    """The recording, idle for two seconds first, and what was done meanwhile."""
    shown = Shown(profile)
    session = shown.desktop.shell._session
    assert session is not None
    pages = list(window._pages(session, rows))
    let_run(2000)
    recording = Recording()
    took: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="fieldkeep-bench-") as folder:
        file = Path(folder) / "customers.csv"
        write_file(file, rows // 2)
        works = [
            threading.Thread(target=_timed, args=(took, "import", _import, session, file)),
            threading.Thread(target=_timed, args=(took, "pages", window._apply, session, pages)),
        ]
        recording.start()
        let_run(2000)
        for each in works:
            each.start()
        keys: list[float] = []
        while any(each.is_alive() for each in works):
            for text in window.TYPED:
                keys += window.typed(shown, text, PAUSE_MS)
                if not any(each.is_alive() for each in works):
                    break
        rings = recording.stop()
    shown.close()
    return {"rings": rings, "keys": keys, "took": took}


def _import(session: Session, file: Path) -> None:
    importing = Importing(session, [file], dt.date(2026, 7, 1), "EUR")
    importing.plan(Progress())
    importing.bring(Progress())


def _timed(took: dict[str, float], name: str, work: Any, *args: Any) -> None:
    began = time.perf_counter()
    work(*args)
    took[name] = time.perf_counter() - began
