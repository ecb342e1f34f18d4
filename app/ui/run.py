"""Opens the desktop: application, theme, fonts, window, loop."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Final

from PySide6.QtCore import QLocale, QSocketNotifier, QTimer
from PySide6.QtWidgets import QApplication

from app import settings
from app.paths import Profile
from app.services.early import Early
from app.system.events import Listener, system_listener
from app.ui import qt_texts, warm
from app.ui.bridge import Bridge
from app.ui.idle import IdleWatch
from app.ui.sweeping import Sweeper
from app.ui.theme.style import STYLE, WORN, Look, Theme
from app.ui.titles import PRODUCT
from app.ui.window import NAME, Window
from app.viewmodels.notices import Screen
from app.viewmodels.shell import Shell
from sync.protocol import texts

SHOWN_MS: Final = 100  # there is a window by then, whatever keyring and store do
LISTEN_MS: Final = 1_500  # what the system tells is heard from the first list on, and by then without one
START_MS: Final = 10_000  # a start is over by then, whatever page it has led to
YIELD_S: Final = (
    0.001  # after this, a thread that computes gives way to the screen's, which waits for it at a key
)


class Desktop:
    """Application, window and what stands behind them, in the order in which they are made and let go."""

    def __init__(self, profile: Profile, application: QApplication, early: Early | None = None) -> None:
        self.application = application
        chosen = settings.load(profile)  # before there is a window that could wait for it
        self.theme = Theme(application, texts.language())
        self.theme.use(Look(chosen["theme"]))
        self.sweeper = Sweeper(application)  # before there is a thread beside this one
        self.warming: threading.Thread | None = None  # loads the rest, once the first list is painted
        self.desk_bridge = Bridge("fieldkeep-desk")
        self.slow_bridge = Bridge("fieldkeep-slow")
        self.shell = Shell(profile, self.desk_bridge, self.slow_bridge, self._after_paint, early)
        self.window = Window(self.shell)
        self.window.take_sizes(chosen.sizes(NAME))
        self._unwatch: Callable[[], None] | None = None
        self.idle = IdleWatch(application, self.shell.locking)
        self.listener: Listener | None = None
        self.window.look_chosen.connect(lambda look: self.theme.use(Look(look)))

    def open(self) -> None:
        """Open the profile, and show the window: with its first list, or soon without where that is awaited."""
        _import_workplace()
        self._unwatch = self.shell.watch(self._show_page)
        self.shell.start()
        QTimer.singleShot(LISTEN_MS, self.listen)
        QTimer.singleShot(SHOWN_MS, self._show)
        QTimer.singleShot(START_MS, self.sweeper.begin)

    def listen(self) -> None:
        """Hear what the system tells. A screen that was locked before is heard of as well."""
        if self.listener is None and not self.window.closing:
            self.listener = system_listener()
            self.listener.begin(self.shell.locking.heard)

    def _show_page(self) -> None:
        """At once where no list is awaited, which would be painted without its rows and then with them."""
        if self.shell.screen is not Screen.WORK:
            self._show()

    def _show(self) -> None:
        """Once, and never what somebody has closed already."""
        unwatch, self._unwatch = self._unwatch, None
        if unwatch is not None:
            unwatch()
            if not self.window.closing:
                self.window.show()

    def _after_paint(self, call: Callable[[], None]) -> None:
        def painted() -> None:
            self.sweeper.begin()
            call()
            self.listen()
            if self.warming is None:
                self.warming = warm.begin()

        self._show()
        self.window.after_paint(painted)

    def close(self) -> None:
        """End both background threads; after this no answer comes any more."""
        self._unwatch = None
        self.idle.end()
        if self.listener is not None:
            self.listener.end()
        self.desk_bridge.close()
        self.slow_bridge.close()


def open_desktop(profile: Profile, early: Early, asked: socket.socket | None) -> int:
    """Open the desktop on a profile whose opening is under way, and run it to its end; the exit code.

    `asked` is where it is heard that the process is to end.
    """
    sys.setswitchinterval(YIELD_S)
    application = make_application()
    desktop = Desktop(profile, application, early)
    desktop.window.gone.connect(application.quit)
    with closed_when_asked(desktop.window, asked):
        desktop.open()
        code = application.exec()
    desktop.close()
    return code


def _import_workplace() -> None:
    """While keyring and store answer, which they do in other threads."""
    import app.ui.workplace  # noqa: F401

    # All this stays until the end and is never looked through again. The store may be open by now, but no record has
    # been read from it: what a lock has to let go is not among it.
    gc.freeze()


@contextlib.contextmanager
def closed_when_asked(window: Window, asked: socket.socket | None) -> Iterator[None]:
    """Close the window as a person does once the process is asked to end, or has been before there was one."""
    if asked is None:
        yield
        return
    notifier = QSocketNotifier(asked.fileno(), QSocketNotifier.Type.Read)
    notifier.activated.connect(window.close)
    try:
        yield
    finally:
        notifier.setEnabled(False)


def make_application() -> QApplication:
    """The Qt application; the language in use is settled before, since it decides the Han shapes."""
    # fontconfig reads this for Han shapes; a locale that the system does not have would make Qt complain.
    os.environ["FC_LANG"] = texts.language().replace("_", "-").lower()
    QLocale.setDefault(QLocale(texts.language()))
    QApplication.setApplicationName(PRODUCT)
    QApplication.setDesktopFileName("fieldkeep")
    application = QApplication([*sys.argv[:1], "-style", STYLE])
    application.setProperty(WORN, STYLE)
    application.setQuitOnLastWindowClosed(False)
    qt_texts.speak(application, texts.language())
    return application
