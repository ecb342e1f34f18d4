"""The window of one record that was torn off: its page, in step with the main window, and keys of its own."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QVBoxLayout

from app.commands import Command
from app.ui.aside import AsideLine
from app.ui.record_pane import RecordPane
from app.ui.shortcuts import bind
from app.ui.theme import fonts, icons
from app.ui.theme.tokens import Colour
from app.ui.titles import title
from app.viewmodels.shell import Shell
from app.viewmodels.torn import Torn
from sync.protocol.texts import gettext as _

NAME = "record"  # under which its size is kept
WIDTH, HEIGHT = 760, 780
LEAST_WIDTH, LEAST_HEIGHT = 420, 420


class TornWindow(QFrame):
    """`left()` asks for its end; `run` does in the main window what is not about this record."""

    left = Signal()

    def __init__(self, shell: Shell, torn: Torn, run: Callable[[Command], None], number: int) -> None:
        super().__init__()
        self.torn = torn
        self.number = number  # among the windows of its kind
        self._shell = shell
        self._run_elsewhere = run
        self._going = False
        self.setProperty("part", "page")
        self.setWindowTitle(title(_(torn.kind.label), number))
        self.setWindowIcon(icons.icon("company", Colour.ACCENT))
        self.setMinimumSize(LEAST_WIDTH, LEAST_HEIGHT)
        kept = shell.settings.sizes(NAME)
        self.resize(*(kept if len(kept) == 2 else (fonts.px(WIDTH), fonts.px(HEIGHT))))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.pane = RecordPane(torn)
        self.pane.left.connect(self.left)
        column.addWidget(self.pane, 1)
        self.aside = AsideLine()
        self.aside.gone.connect(torn.hush)
        column.addWidget(self.aside)
        self._unwatch = [
            torn.on_detail.watch(self._show),
            torn.on_aside.watch(lambda: self.aside.show_aside(torn.aside)),
        ]
        bind(self, self.run)
        closing = QShortcut(QKeySequence("Ctrl+W"), self)
        closing.activated.connect(self.pane.leave)
        self._show()

    def _show(self) -> None:
        if self.torn.editor is not None:
            self.pane.show_editor(self.torn.editor)

    def run(self, command: Command) -> None:
        """What is about this record is done here, all else in the main window."""
        here: dict[str, Callable[[], None]] = {
            "edit": self.pane.edit,
            "undo": self.torn.undo,
            "delete": self.torn.delete,
            "tear_off": self.pane.leave,
        }
        if command.id in here:
            here[command.id]()
        else:
            self._run_elsewhere(command)

    def begin(self) -> None:
        """Come to the front, with the focus at the first stop."""
        self.show()
        self.raise_()
        self.activateWindow()
        if self.focusWidget() is None:
            self.focusNextChild()

    def let_go(self) -> None:
        """Stop watching, and go with all that is shown."""
        if self._going:
            return
        self._going = True
        self._shell.keep_left(self._shell.settings.sized(NAME, (self.width(), self.height())))
        for unwatch in self._unwatch:
            unwatch()
        self.pane.let_go()
        self.hide()
        self.setParent(None)
        self.deleteLater()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc leaves."""
        if event.key() == Qt.Key.Key_Escape:
            self.pane.leave()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closed by the system's own means: as by key, and nothing holds it up."""
        event.accept()
        if not self._going:
            self.left.emit()
