"""Opens the desktop: application, theme, fonts, window, loop."""

from __future__ import annotations

import os
import sys

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication

from app import settings
from app.paths import Profile
from app.ui.bridge import Bridge
from app.ui.theme.style import Look, Theme
from app.ui.window import PRODUCT, Window
from app.viewmodels.shell import Shell
from sync.protocol import texts


class Desktop:
    """Application, window and what stands behind them, in the order in which they are made and let go."""

    def __init__(self, profile: Profile, application: QApplication) -> None:
        self.application = application
        chosen = settings.load(profile)  # before there is a window that could wait for it
        self.theme = Theme(application, texts.language())
        self.theme.use(Look(chosen["theme"]))
        self.desk_bridge = Bridge("fieldkeep-desk")
        self.slow_bridge = Bridge("fieldkeep-slow")
        self.shell = Shell(profile, self.desk_bridge, self.slow_bridge)
        self.window = Window(self.shell)
        self.window.look_chosen.connect(lambda look: self.theme.use(Look(look)))

    def open(self) -> None:
        """Show the window, then open the profile behind it."""
        self.window.show()
        self.shell.start()

    def close(self) -> None:
        """End both background threads; after this no answer comes any more."""
        self.desk_bridge.close()
        self.slow_bridge.close()


def open_desktop(profile: Profile) -> int:
    """Open the desktop on a profile and run it to its end; the exit code."""
    application = make_application()
    desktop = Desktop(profile, application)
    desktop.window.gone.connect(application.quit)
    desktop.open()
    code = application.exec()
    desktop.close()
    return code


def make_application() -> QApplication:
    """The Qt application; the language in use is settled before, since it decides the Han shapes."""
    # fontconfig reads this for Han shapes; a locale that the system does not have would make Qt complain.
    os.environ["FC_LANG"] = texts.language().replace("_", "-").lower()
    QLocale.setDefault(QLocale(texts.language()))
    QApplication.setApplicationName(PRODUCT)
    QApplication.setDesktopFileName("fieldkeep")
    application = QApplication(sys.argv[:1])
    application.setQuitOnLastWindowClosed(False)
    return application
