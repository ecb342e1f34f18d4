"""One condition being made or changed, between the chips and the list: which field, what is asked, which values."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.store.filters import Asks, Condition, checked
from app.ui.fields.base import box, line
from app.ui.kit.buttons import Button, Part
from app.ui.kit.text import Paragraph
from app.ui.question import take_away, took_key
from app.ui.stops import stops_of
from app.ui.theme.tokens import S4, S8, S12, S16, Colour, Step
from app.ui.value_entry import Entries
from app.viewmodels import narrow
from app.viewmodels.desk import Desk
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import Field
from sync.protocol.joins import sentences
from sync.protocol.kinds import Kind
from sync.protocol.texts import gettext as _

WORDS: Final = ""  # in place of a field's name


class FilterEditor(QFrame):
    """`applied(condition)` carries a Condition, `worded(text)` the words; `removed()` and `left()` carry
    nothing; `restacked()` says that its stops are others now."""

    applied = Signal(object)
    worded = Signal(str)
    removed = Signal()
    left = Signal()
    restacked = Signal()

    def __init__(self, desk: Desk, kind: Kind, condition: Condition | None, words: str) -> None:
        super().__init__()
        self.setProperty("part", "asking")
        self.setAccessibleName(_("Filter"))
        self._desk = desk
        self._kind = kind
        self._condition = condition
        self._entries: Entries | None = None
        self._words = line(_("Words"), _("Words that stand in it"))
        self._words.setText(words)
        column = QVBoxLayout(self)
        column.setContentsMargins(S16, S12, S16, S12)
        column.setSpacing(S8)
        self._fields, self._asks = box(_("Field")), box(_("What is asked"))
        top = QHBoxLayout()
        top.setSpacing(S4)
        top.addWidget(self._fields, 3)
        top.addWidget(self._asks, 2)
        column.addLayout(top)
        self._place = QVBoxLayout()
        self._place.addWidget(self._words)
        column.addLayout(self._place)
        self._error = Paragraph("", Step.SMALL, Colour.BAD)
        self._error.hide()
        column.addWidget(self._error)
        column.addLayout(self._buttons(changing=condition is not None or bool(words)))
        self._fields.addItem(_("Words"), WORDS)
        for field in narrow.fields_of(kind, desk.hidden(kind)):
            self._fields.addItem(_(field.label), field.name)
        chosen = condition.field if condition is not None else WORDS
        first = kind.columns[1].name if not words and condition is None and len(kind.columns) > 1 else chosen
        self._fields.setCurrentIndex(max(0, self._fields.findData(first)))
        self._show_field()
        self._fields.currentIndexChanged.connect(lambda _at: self._show_field())
        self._asks.currentIndexChanged.connect(lambda _at: self._show_values())

    def _buttons(self, *, changing: bool) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(S8)
        apply, remove, cancel = (
            Button(_("Apply")),
            Button(_("Remove"), Part.QUIET),
            Button(_("Cancel"), Part.QUIET),
        )
        apply.clicked.connect(self.apply)
        remove.clicked.connect(self.removed)
        cancel.clicked.connect(self.left)
        self._verbs = [apply, remove, cancel] if changing else [apply, cancel]
        for verb in self._verbs:
            if verb is cancel:
                row.addStretch(1)
            row.addWidget(verb)
        if not changing:
            remove.deleteLater()
        return row

    # -- what is shown

    def enter(self) -> None:
        """Put the focus where the next word goes: into the field of a new condition, into the value of one."""
        target: QWidget = self._fields if self._condition is None else self._first()
        target.setFocus(Qt.FocusReason.TabFocusReason)

    def stops(self) -> list[QWidget]:
        """What takes the focus by Tab, in reading order."""
        inside = [self._words] if self._entries is None else stops_of(self._entries)
        return [self._fields, self._asks, *inside, *self._verbs]

    def _first(self) -> QWidget:
        if self._fields.currentData() == WORDS:
            return self._words
        if self._entries is not None and self._entries.focusProxy() is not None:
            return self._entries
        return self._asks

    def _field(self) -> Field | None:
        return self._kind.by_name.get(self._fields.currentData())

    def _show_field(self) -> None:
        field = self._field()
        with QSignalBlocker(self._asks):
            self._asks.clear()
            if field is not None:
                for asks in narrow.asked_of(field):
                    self._asks.addItem(narrow.asks_words(field, asks), str(asks))
                if self._condition is not None and self._condition.field == field.name:
                    self._asks.setCurrentIndex(max(0, self._asks.findData(str(self._condition.test))))
        self._asks.setVisible(field is not None)
        self._words.setVisible(field is None)
        self._show_values()

    def _show_values(self) -> None:
        old, self._entries = self._entries, None
        take_away(self._place, old)
        field = self._field()
        self._tell("")
        if field is None:
            self.restacked.emit()
            return
        asks = Asks(self._asks.currentData())
        held = self._condition
        values = held.values if held is not None and held.field == field.name else ()
        self._entries = Entries(field, asks, self._desk, values)
        self._place.addWidget(self._entries)
        self.restacked.emit()

    def _tell(self, text: str) -> None:
        self._error.setText(text)
        self._error.setVisible(bool(text))

    # -- what a person does

    def apply(self) -> None:
        """Ask it, or say what is wrong with it."""
        field = self._field()
        if field is None or self._entries is None:
            self.worded.emit(self._words.text().strip())
            return
        try:
            made = checked(
                self._kind, Condition(field.name, Asks(self._asks.currentData()), self._entries.values())
            )
        except FieldProblem as problem:
            self._tell(sentences(problem.title, problem.hint))
            self._first().setFocus()
            return
        self.applied.emit(made)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter applies, Esc leaves."""
        if not took_key(self, event, self.apply, self.left.emit):
            super().keyPressEvent(event)
