"""The bar over a list that says how many rows are selected, what can be done with them, and how far that is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.store.bulk import Setting, settable
from app.ui.fields.base import box
from app.ui.kit.buttons import Button, Part, icon_button
from app.ui.kit.text import Line, Paragraph
from app.ui.theme import fonts
from app.ui.theme.palette import ink
from app.ui.theme.tokens import S4, S8, S12, S16, Colour, Step
from app.ui.value_entry import OneEntry, stops_of
from app.viewmodels import words
from app.viewmodels.desk import Desk
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import Tags
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

_HEIGHT: Final = 52
_PROGRESS: Final = 3
_MINUTE: Final = 60


class Progress(QWidget):
    """A thin line that fills."""

    def __init__(self) -> None:
        super().__init__()
        self._part = 0.0
        self.setFixedHeight(_PROGRESS)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_part(self, part: float) -> None:
        """Fill it, from 0 to 1."""
        self._part = part
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), ink(Colour.LINE))
        painter.fillRect(QRectF(0, 0, self.width() * self._part, self.height()), ink(Colour.ACCENT))


class SelectionBar(QFrame):
    """Stands in the place of the list's head.

    `left()` asks for the focus to go back into the list;
    `restacked()` says that the stops are others now.
    """

    left = Signal()
    restacked = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setProperty("part", "acting")
        self._desk = desk
        self._panel: SettingPanel | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head = QWidget()
        head.setFixedHeight(fonts.px(_HEIGHT) - _PROGRESS)
        row = QHBoxLayout(head)
        row.setContentsMargins(S4, 0, S8, 0)
        row.setSpacing(S4)
        self._clear = icon_button("close", _("Select nothing"))
        self._clear.clicked.connect(self.clear)
        self._told = Line("", Step.BODY, semibold=True)
        self._set = Button(_("Set …"), Part.LINK)
        self._set.clicked.connect(self.ask)
        self._export = Button(_("Export …"), Part.LINK)
        self._export.clicked.connect(self.export)
        self._delete = Button(_("Delete"), Part.LINK)
        self._delete.clicked.connect(self.delete)
        self._stop = Button(_("Stop"), Part.LINK)
        self._stop.clicked.connect(desk.acting.cancel)
        row.addWidget(self._clear)
        row.addWidget(self._told, 1)
        for button in (self._set, self._export, self._delete, self._stop):
            row.addWidget(button)
        column.addWidget(head)
        self._progress = Progress()
        column.addWidget(self._progress)
        self._place = QVBoxLayout()
        column.addLayout(self._place)
        self._spoken = ""
        self.refresh()

    def wanted(self) -> bool:
        """Whether there is something to say."""
        return self._desk.acting.running or bool(len(self._desk.sections.picked))

    def refresh(self) -> None:
        """Show what is selected, or how far an act is."""
        acting = self._desk.acting
        running = acting.running
        text = (
            _going(acting.going, acting.at, acting.total, acting.seconds_left()) if running else self._count()
        )
        self._told.setText(text)
        self._progress.show_part(acting.at / acting.total if running and acting.total else 0.0)
        for button in (self._clear, self._set, self._export, self._delete):
            button.setVisible(not running)
        self._stop.setVisible(running)
        if running or not self.wanted():
            self._close()
        if not running and self.wanted() and text != self._spoken:
            self._spoken = text
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def _count(self) -> str:
        count = len(self._desk.sections.picked)
        return ngettext("{n} selected", "{n} selected", count).format(n=words.number(count))

    # -- what a person does

    def ask(self) -> None:
        """Ask which field is to be set to what."""
        self._close()
        self._panel = SettingPanel(self._desk)
        self._panel.done.connect(self._leave_panel)
        self._panel.restacked.connect(self.restacked)
        self._place.addWidget(self._panel)
        self._panel.show()
        self.restacked.emit()
        self._panel.enter()

    def delete(self) -> None:
        """Delete all that is selected; a line says so and offers to undo."""
        self._desk.acting.do(self._desk.sections.picked.selection(), None)
        self._desk.sections.picked.clear()
        self.left.emit()

    def export(self) -> None:
        """Write all that is selected to a file."""
        name, _filter = QFileDialog.getSaveFileName(
            self, _("Export"), f"{_(self._desk.list.kind.plural)}.csv", _("Tables (*.csv)")
        )
        if name:
            self.export_to(Path(name))

    def export_to(self, path: Path) -> None:
        """Write all that is selected to this file."""
        self._desk.acting.export(self._desk.sections.picked.selection(), path)
        self.left.emit()

    def clear(self) -> None:
        """Select nothing."""
        self._desk.sections.picked.clear()
        self.left.emit()

    def stops(self) -> list[QWidget]:
        """What takes the focus by Tab, in reading order."""
        own: list[QWidget] = [self._clear, self._set, self._export, self._delete, self._stop]
        return [*own, *(self._panel.stops() if self._panel else ())]

    @property
    def panel(self) -> SettingPanel | None:
        """The question that is open."""
        return self._panel

    def _leave_panel(self) -> None:
        self._close()
        self.left.emit()

    def _close(self) -> None:
        panel, self._panel = self._panel, None
        if panel is not None:
            self._place.removeWidget(panel)
            panel.hide()
            panel.deleteLater()


class SettingPanel(QFrame):
    """Which field of all selected records is set, and to what; `done()` when it is asked or left."""

    done = Signal()
    restacked = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setProperty("part", "asking")
        self.setAccessibleName(_("Set a field"))
        self._desk = desk
        self._entry: OneEntry | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(S16, S12, S16, S12)
        column.setSpacing(S8)
        self._fields = box(_("Field"))
        self._known = {field.name: field for field in settable(desk.list.kind)}
        for field in self._known.values():
            label = _("Add tags") if isinstance(field.type, Tags) else _(field.label)
            self._fields.addItem(label, field.name)
        first = self._fields.findData("owner")
        self._fields.setCurrentIndex(max(0, first))
        self._fields.currentIndexChanged.connect(lambda _at: self._show_field())
        column.addWidget(self._fields)
        self._place = QVBoxLayout()
        column.addLayout(self._place)
        self._error = Paragraph("", Step.SMALL, Colour.BAD)
        self._error.hide()
        column.addWidget(self._error)
        row = QHBoxLayout()
        row.setSpacing(S8)
        self._go = Button(_("Set for all selected"))
        self._go.clicked.connect(self.go)
        self._empty = Button(_("Empty it"), Part.QUIET)
        self._empty.clicked.connect(lambda: self._do(None))
        self._cancel = Button(_("Cancel"), Part.QUIET)
        self._cancel.clicked.connect(self.done)
        row.addWidget(self._go)
        row.addWidget(self._empty)
        row.addStretch(1)
        row.addWidget(self._cancel)
        column.addLayout(row)
        self._show_field()

    def enter(self) -> None:
        """Put the focus into it."""
        self._fields.setFocus(Qt.FocusReason.TabFocusReason)

    def _show_field(self) -> None:
        old, self._entry = self._entry, None
        if old is not None:
            self._place.removeWidget(old)
            old.hide()
            old.deleteLater()
        field = self._known[self._fields.currentData()]
        name = _("Add tags") if isinstance(field.type, Tags) else _(field.label)
        self._entry = OneEntry(field, self._desk, name, None, asked=False)
        self._place.addWidget(self._entry)
        self._empty.setVisible(not field.required)
        self._error.hide()
        self.restacked.emit()

    def stops(self) -> list[QWidget]:
        """What takes the focus by Tab, in reading order."""
        inside = stops_of(self._entry) if self._entry is not None else []
        return [self._fields, *inside, self._go, self._empty, self._cancel]

    def go(self) -> None:
        """Set it, or say what is wrong."""
        if self._entry is None:
            return
        try:
            value = self._entry.value()
        except FieldProblem as problem:
            self._tell(" ".join(part for part in (problem.title, problem.hint) if part))
            return
        if value is None:
            self._tell(_("Enter a value, or empty the field."))
            return
        self._do(value)

    def _tell(self, text: str) -> None:
        self._error.setText(text)
        self._error.show()
        if self._entry is not None:
            self._entry.setFocus()

    def _do(self, value: object) -> None:
        picked = self._desk.sections.picked
        self._desk.acting.do(picked.selection(), Setting(self._fields.currentData(), value))
        self.done.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter sets, Esc leaves."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            focus = self.focusWidget()
            if isinstance(focus, QPushButton) and focus.hasFocus():
                focus.click()
            else:
                self.go()
        elif event.key() == Qt.Key.Key_Escape:
            self.done.emit()
        else:
            super().keyPressEvent(event)


def _going(what: str, at: int, total: int, seconds: float | None) -> str:
    """How far an act is, and how long it will still take."""
    done = _("{what}: {n} of {total}").format(what=what, n=words.number(at), total=words.number(total))
    if seconds is None:
        return done
    if seconds < _MINUTE:
        left = _("under a minute left")
    else:
        minutes = round(seconds / _MINUTE)
        left = ngettext("about {n} minute left", "about {n} minutes left", minutes).format(n=minutes)
    return f"{done}{words.DOT}{left}"
