"""Drives the real window as a person does: keys, and waiting for what is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QCoreApplication, QEvent, QModelIndex, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.paths import Profile
from app.ui.command_palette import CommandPalette
from app.ui.run import Desktop
from app.ui.workplace import Workplace
from app.viewmodels.desk import Desk
from app.viewmodels.notices import Screen

WAIT_MS = 20_000


class Driver:
    """The desktop of one profile."""

    def __init__(self, qtbot: QtBot, profile: Profile, size: tuple[int, int] = (1440, 900)) -> None:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        self.qtbot = qtbot
        self.application = application
        self.desktop = Desktop(profile, application)
        self.window = self.desktop.window
        self.shell = self.desktop.shell
        self.window.resize(*size)
        self.when_closed: Callable[[], None] = lambda: None
        self._gone = False
        self.window.gone.connect(self._has_gone)

    def _has_gone(self) -> None:
        self._gone = True

    def open(self) -> None:
        """Show the window and wait until it has found its screen."""
        self.desktop.open()
        self.until(lambda: self.shell.screen is not Screen.STARTING)
        self.window.activateWindow()
        self.until(self.window.isActiveWindow)
        if self.shell.screen is Screen.WORK:
            self.until(lambda: self.desk.list.ready and self.desk.counts is not None)

    def close(self) -> None:
        """Close the window and wait for the end."""
        if not self._gone:
            self.window.close()
            self.until(lambda: self._gone)
            self.desktop.close()
            self.window.deleteLater()
            self.settle()
        self.when_closed()

    # -- what stands here

    @property
    def desk(self) -> Desk:
        """The open workplace's view model."""
        assert self.shell.desk is not None
        return self.shell.desk

    @property
    def work(self) -> Workplace:
        """The open workplace."""
        assert isinstance(self.window.shown, Workplace)
        return self.window.shown

    def focus(self) -> QWidget:
        """The widget with the focus."""
        found = self.application.focusWidget()
        assert found is not None
        return found

    # -- doing

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition."""
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=WAIT_MS)

    def settle(self) -> None:
        """Let everything that is due happen, destruction too."""
        for _turn in range(3):
            QCoreApplication.processEvents()
            QCoreApplication.sendPostedEvents(None, int(QEvent.Type.DeferredDelete.value))

    def press(self, keys: str) -> None:
        """Press keys such as "Ctrl+N" where the focus is."""
        combination = QKeySequence(keys)[0]  # type: ignore[index]  # it is a sequence at run time
        target = self.application.focusWidget() or self.window
        QTest.keyClick(target, combination.key(), combination.keyboardModifiers())
        self.settle()

    def type(self, text: str) -> None:
        """Type a text where the focus is, as an input method gives it for Chinese."""
        target = self.focus()
        if text.isascii():
            QTest.keyClicks(target, text)
        elif isinstance(target, QLineEdit):
            target.insert(text)
            target.textEdited.emit(target.text())
        elif isinstance(target, QPlainTextEdit):
            target.insertPlainText(text)
        self.settle()

    def choose(self, title: str) -> None:
        """Choose a row of the list by its title, with the arrow keys."""
        rows = self.work.list.rows
        rows.setFocus()
        self.until(lambda: self.row_of(title) >= 0)
        rows.choose(self.row_of(title))
        self.until(lambda: self.desk.detail is not None and self.desk.detail.record.title == title)
        self.settle()

    @property
    def palette(self) -> CommandPalette:
        """The palette that is open."""
        assert self.work.asking.palette is not None
        return self.work.asking.palette

    def offers(self) -> list[str]:
        """What the palette offers, once it has everything."""
        self.until(lambda: self.palette.settled)
        rows = (self.palette.rows.row(at) for at in range(self.palette.rows.count()))
        return [row.title for row in rows if row is not None]

    def offer(self, title: str) -> None:
        """Choose an answer of the palette with the arrow keys and take it."""
        for _step in range(self.offers().index(title) - self.palette.rows.chosen_row()):
            self.press("Down")
        self.press("Return")

    def row_of(self, title: str) -> int:
        """Where a title stands in the list; -1 while it is not there."""
        rows = self.desk.rows
        found = (at for at in range(rows.count()) if (row := rows.row(at)) is not None and row.title == title)
        return next(found, -1)

    def titles(self) -> list[str]:
        """The titles in the list that are here."""
        rows = self.desk.rows
        return [row.title for at in range(rows.count()) if (row := rows.row(at)) is not None]


def stops(root: QWidget) -> Iterator[QWidget]:
    """Every widget below a root that takes the focus by Tab."""
    for widget in (root, *root.findChildren(QWidget)):
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisibleTo(root) and widget.isEnabled():
            yield widget


def words_below(root: QWidget) -> str:
    """Every text that any widget below a root holds, seen or not."""
    found: list[str] = []
    for widget in (root, *root.findChildren(QWidget)):
        found += [
            widget.accessibleName(),
            widget.accessibleDescription(),
            widget.toolTip(),
            widget.windowTitle(),
        ]
        if isinstance(widget, (QLabel, QAbstractButton, QLineEdit)):
            found.append(widget.text())
        elif isinstance(widget, QPlainTextEdit):
            found.append(widget.toPlainText())
        elif isinstance(widget, QComboBox):
            found += [widget.itemText(at) for at in range(widget.count())]
        elif isinstance(widget, QAbstractItemView) and widget.model() is not None:
            model = widget.model()
            found += [str(model.index(at, 0).data()) for at in range(model.rowCount(QModelIndex()))]
    return "\n".join(found)
