"""The one window: shows what the shell says, and destroys what it no longer says.

There is a window before keyring and store are asked; the workplace is imported while they answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import QMainWindow

from app.commands import BY_ID
from app.ui.after_paint import AfterPaint
from app.ui.clipboard import ClipboardGuard
from app.ui.lock import LockPage, StartingPage, TroublePage, WipedPage
from app.ui.screenshots import shield
from app.ui.theme import icons
from app.ui.theme.tokens import Colour
from app.ui.titles import title
from app.viewmodels.desk import Desk
from app.viewmodels.notices import Screen
from app.viewmodels.opened import Uses
from app.viewmodels.ruled import refusal
from app.viewmodels.shell import Shell
from sync.protocol.kinds import KINDS
from sync.protocol.texts import gettext as _
from sync.protocol.uses import COPY

if TYPE_CHECKING:
    from app.ui.enrol import EnrolPage
    from app.ui.workplace import Workplace

    Shown = Workplace | EnrolPage | LockPage | WipedPage | TroublePage | StartingPage

NAME = "main"  # under which its size is kept
TICK_MS = 60_000


class Window(QMainWindow):
    """`gone()` follows when the window was closed and everything is saved; `look_chosen` is a change of theme."""

    gone = Signal()
    look_chosen = Signal(str)

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self._shell = shell
        self.closing = False
        self._uses = Uses()
        self._screen: Screen | None = None
        self.shown: Shown = StartingPage()
        self._work: Workplace | None = None  # what is shown, when that is the workplace
        self.setWindowTitle(title())
        self.setWindowIcon(icons.icon("company", Colour.ACCENT))
        self.setMinimumSize(480, 420)
        self.resize(_on_screen(QSize(1440, 900)))
        self.setCentralWidget(self.shown)
        self._unwatch = shell.watch(self.refresh)
        self._tick = QTimer(self)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(shell.tick)
        self._tick.start()
        self._clipboard = ClipboardGuard(
            self, QGuiApplication.clipboard(), lambda: shell.ruled, self._not_copied
        )
        self._unwatch_ruled = shell.on_sync.watch(lambda: self._shield(shell.ruled.shields))
        self._shielded = False

    def take_sizes(self, kept: Sequence[int]) -> None:
        """Be as large as it was left the last time, where that is known."""
        if len(kept) == 3:
            self.resize(_on_screen(QSize(kept[0], kept[1])))
            if kept[2]:
                self.setWindowState(Qt.WindowState.WindowMaximized)

    def refresh(self) -> None:
        """Show the shell's screen; the one before is destroyed and not hidden."""
        shell = self._shell
        if shell.screen is self._screen and shell.screen is not Screen.WORK:
            self.shown.refresh()
            return
        if shell.screen is self._screen and self._work is not None:
            return
        old, work = self.shown, self._work
        self._screen, self._work = shell.screen, None
        self.shown = self._build()
        if work is not None:
            work.let_go()
            self._clipboard.clear()  # locked or wiped: what was copied goes with the page
        if isinstance(old, LockPage):
            old.let_go()
        self.takeCentralWidget()
        self.setCentralWidget(self.shown)
        old.setParent(None)
        old.deleteLater()
        if self._work is None:
            self.setWindowTitle(title())
        self.shown.show()  # what is not shown yet cannot take the focus
        self.shown.begin()
        if shell.screen in (Screen.LOCK, Screen.WIPED):
            self.repaint()  # at once, whatever waits: nothing of a record is on the screen any more

    def _build(self) -> Shown:
        shell = self._shell
        builders: dict[Screen, Callable[[], Shown]] = {
            Screen.ENROL: self._enrolling,
            Screen.LOCK: lambda: LockPage(shell),
            Screen.WIPED: lambda: WipedPage(shell),
            Screen.TROUBLE: lambda: TroublePage(shell),
        }
        if shell.screen is Screen.WORK and shell.desk is not None:
            return self._workplace(shell.desk)
        return builders.get(shell.screen, StartingPage)()

    def _enrolling(self) -> EnrolPage:
        from app.ui.enrol import EnrolPage

        return EnrolPage(self._shell)

    def _workplace(self, desk: Desk) -> Workplace:
        from app.ui.workplace import Workplace

        made = self._work = Workplace(self._shell, desk, self._uses)
        made.section_shown.connect(self._entitle)
        made.look_chosen.connect(self.look_chosen)
        self._entitle(desk.section)
        return made

    def after_paint(self, call: Callable[[], None]) -> None:
        """Call it once the list has been painted as it is now; soon when no list is shown."""
        AfterPaint(self if self._work is None else self._work.list.rows.viewport(), call)

    def _entitle(self, section: str) -> None:
        """The section in the title, never a record's name."""
        name = _(KINDS[section].plural) if section in KINDS else _(BY_ID[section].title)
        self.setWindowTitle(title(name))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Hide at once; the process ends when drafts are saved and the store is closed."""
        event.accept()
        if not self.closing:
            self.closing = True
            self._tick.stop()
            self.hide()
            self._clipboard.clear()
            if self._work is not None:
                self._work.torn.let_go()
                self._work.keep_left()
            size = self.normalGeometry().size() if self.isMaximized() else self.size()
            sizes = (size.width(), size.height(), int(self.isMaximized()))
            self._shell.keep_left(self._shell.settings.sized(NAME, sizes))
            self._shell.close(self._gone)

    def _shield(self, wanted: bool) -> None:
        if wanted is not self._shielded:
            self._shielded = wanted
            shield(self, wanted)

    def _not_copied(self) -> None:
        desk = self._shell.desk
        if desk is not None:
            desk.say(refusal(desk.session, COPY))

    def _gone(self) -> None:
        self._unwatch()
        self._unwatch_ruled()
        self.gone.emit()


def _on_screen(size: QSize) -> QSize:
    """As large as that, and no larger than what the screen has room for. Without a screen to look at, just so."""
    if QGuiApplication.platformName() == "offscreen":
        return size
    return size.boundedTo(QGuiApplication.primaryScreen().availableSize())
