"""Opens the real desktop on a profile and takes pictures of what it shows, light and dark.

    python packaging/demo/drive.py PROFILE OUTDIR SCENE      (scenes: open, lock, wiped)

Run as a process of its own for each scene, inside the demo's keyring session and with a display.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app import compose
from app.paths import Profile
from app.ui.run import Desktop, make_application
from app.ui.theme.style import Look
from app.ui.workplace import Workplace
from app.viewmodels.desk import Desk
from app.viewmodels.notices import Screen

WAIT_S = 60.0
CHOSEN = 3  # a customer that the demo itself has not written into
SETTLE_S = 0.3  # for a display that draws in its own time


class Drive:
    """One open desktop."""

    def __init__(self, profile: Path, outdir: Path) -> None:
        self._outdir = outdir
        self.desktop = Desktop(Profile(profile), make_application())
        self.shell, self.window = self.desktop.shell, self.desktop.window
        self.desktop.open()
        self.until(lambda: self.shell.screen is not Screen.STARTING)

    @property
    def desk(self) -> Desk:
        """What the open window knows; the demo stops when it is not open."""
        if self.shell.desk is None:
            raise SystemExit(f"the window shows {self.shell.screen}: {self.shell.notice.title}")
        return self.shell.desk

    @property
    def work(self) -> Workplace:
        """The open window's content."""
        if not isinstance(self.window.shown, Workplace):
            raise SystemExit(f"the window shows {self.shell.screen}: {self.shell.notice.title}")
        return self.window.shown

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition with the window alive."""
        end = time.monotonic() + WAIT_S
        while not condition():
            QApplication.processEvents()
            time.sleep(0.005)
            if time.monotonic() > end:
                raise SystemExit("the window did not come so far")

    def settle(self) -> None:
        """Let everything be drawn."""
        end = time.monotonic() + SETTLE_S
        self.until(lambda: time.monotonic() > end)

    def shoot(self, name: str) -> None:
        """One picture in each look: of the screen where it shows our window, of the window where it does not."""
        for look in (Look.LIGHT, Look.DARK):
            self.desktop.theme.use(look)
            self.settle()
            picture = None
            if QGuiApplication.platformName() == "xcb":
                picture = self.window.screen().grabWindow(self.window.winId())
            if picture is None or picture.isNull():
                picture = self.window.grab()
            picture.save(str(self._outdir / f"{name}-{look}.png"))

    def close(self) -> None:
        """Close the window as a person does."""
        gone: list[bool] = []
        self.window.gone.connect(lambda: gone.append(True))
        self.window.close()
        self.until(lambda: gone)
        self.desktop.close()


def open_scene(drive: Drive) -> None:
    """List with a customer's first page; then a search."""
    desk = drive.desk
    drive.until(lambda: desk.list.ready and desk.counts is not None and drive.shell.sync.last_ok)
    drive.work.list.rows.choose(min(CHOSEN, desk.list.count() - 1))
    drive.until(lambda: desk.detail is not None)
    drive.shoot("list")
    first = desk.list.row(drive.work.list.rows.chosen_row())
    drive.work.seek()
    drive.work.search.setText(first.title[:4] if first is not None else "")
    drive.until(lambda: desk.found.ready and desk.found.count())
    drive.work.list.onward()
    drive.settle()
    drive.shoot("search")


def locked_scene(drive: Drive) -> None:
    """The lock page."""
    drive.until(lambda: drive.shell.screen is Screen.LOCK)
    drive.shoot("lock")


def wiped_scene(drive: Drive) -> None:
    """The wiped page."""
    drive.until(lambda: drive.shell.screen is Screen.WIPED)
    drive.shoot("wiped")


SCENES = {"open": open_scene, "lock": locked_scene, "wiped": wiped_scene}


def main() -> int:
    """Play one scene."""
    profile, outdir, scene = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    compose.prepare()
    compose.take_profile(Profile(profile))
    drive = Drive(profile, outdir)
    SCENES[scene](drive)
    drive.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
