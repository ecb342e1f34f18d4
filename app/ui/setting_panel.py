"""Asks which field of all that is selected is to be set, and to what."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from app.store.bulk import Setting, settable
from app.ui.fields.base import box
from app.ui.kit.buttons import Button, Part
from app.ui.kit.text import Paragraph
from app.ui.question import take_away, took_key
from app.ui.stops import stops_of
from app.ui.theme.tokens import S8, S12, S16, Colour, Step
from app.ui.value_entry import OneEntry
from app.viewmodels.desk import Desk
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import Tags
from sync.protocol.joins import sentences
from sync.protocol.texts import gettext as _


class SettingPanel(QFrame):
    """Which field of all selected records is set, and to what: `chosen(setting)`; `done()` when it is left."""

    chosen = Signal(object)
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
        self._known = {
            field.name: field
            for field in settable(desk.list.kind)
            if field.name not in desk.hidden(desk.list.kind)
        }
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
        take_away(self._place, old)
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
            self._tell(sentences(problem.title, problem.hint))
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
        self.chosen.emit(Setting(self._fields.currentData(), value))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter sets, Esc leaves."""
        if not took_key(self, event, self.go, self.done.emit):
            super().keyPressEvent(event)
