"""A value on its way into a filter, or into a field of many records: the field's own editor, and what it holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.store.filters import Asks, is_parts
from app.ui.fields.base import FieldEditor, box, row_of
from app.ui.fields.plain import LineEditor
from app.ui.fields.ref import RefEditor
from app.ui.fields.table import editor_of
from app.ui.fields.time import DateEditor
from app.ui.kit.controls import CheckBox
from app.ui.theme.tokens import S4
from app.viewmodels.desk import Desk
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import Choice, Date, Field, Flag, Instant, Notes, Ref, Text, Value
from sync.protocol.joins import labelled
from sync.protocol.kinds import KINDS
from sync.protocol.texts import gettext as _

_NO_VALUE: Final = frozenset({Asks.EMPTY, Asks.NOT_EMPTY, Asks.MINE})


class YesNoEditor(FieldEditor):
    """Yes or no, where nothing said is not no."""

    def __init__(self, field: Field, name: str) -> None:
        super().__init__(field, name)
        self._box = box(name)
        self._box.addItem(_("Yes"), True)
        self._box.addItem(_("No"), False)
        row_of(self).addWidget(self._box)
        self._box.currentIndexChanged.connect(lambda at: self.put.emit(self._box.itemData(at)))
        self.setFocusProxy(self._box)

    def show_value(self, value: Value) -> None:
        """Show yes or no."""
        self._box.setCurrentIndex(1 if value is False else 0)
        self.put.emit(self._box.currentData())

    def first(self) -> QWidget:
        """The box."""
        return self._box


class OneEntry(QWidget):
    """One value of a field; `changed()` follows each letter."""

    changed = Signal()

    def __init__(self, field: Field, desk: Desk, name: str, value: Value, *, asked: bool) -> None:
        super().__init__()
        self._field = _shown_as(field) if asked else field
        self._desk = desk
        self._value = value
        self._problem: FieldProblem | None = None
        self._editor = self._made(name)
        row_of(self).addWidget(self._editor)
        self._editor.typed.connect(self._typed)
        self._editor.put.connect(self._put)
        if isinstance(self._editor, RefEditor):
            self._editor.refused.connect(self._refused)
        self._editor.show_value(value)
        self.setFocusProxy(self._editor.first())

    def _made(self, name: str) -> FieldEditor:
        field, type_ = self._field, self._field.type
        if isinstance(type_, Flag):
            return YesNoEditor(field, name)
        if isinstance(type_, Date):
            return DateEditor(field, name)
        if isinstance(type_, Text):
            return LineEditor(field, name)
        return editor_of(field, self._desk.currency(), self._propose, self._title_of)

    def _propose(self, field: Field, text: str, take: Callable[..., None]) -> None:
        assert isinstance(field.type, Ref)  # noqa: S101 - only references ask

        def known(found: list) -> None:  # type: ignore[type-arg]  # proposals, handed on as they are
            self._desk.sections.names.update({each.id: each.title for each in found})
            take(found)

        self._desk.propose(KINDS[field.type.to], text, known)

    def _title_of(self, id_: bytes) -> str:
        return self._desk.sections.names.get(id_, "")

    def _typed(self, text: str) -> None:
        try:
            self._put(self._field.type.parse(self._field.name, text))
        except FieldProblem as problem:
            self._refused(problem)

    def _put(self, value: Value) -> None:
        self._value, self._problem = value, None
        self._editor.set_wrong(False)
        self.changed.emit()

    def _refused(self, problem: FieldProblem) -> None:
        self._value, self._problem = None, problem
        self._editor.set_wrong(True)
        self.changed.emit()

    def value(self) -> Value:
        """What it holds, None when that is nothing. Raises FieldProblem."""
        if self._problem is not None:
            raise self._problem
        return self._value


class SeveralEntry(QWidget):
    """Some of a field's choices."""

    changed = Signal()

    def __init__(self, field: Field, chosen: tuple[Value, ...]) -> None:
        super().__init__()
        assert isinstance(field.type, Choice)  # noqa: S101 - only choices are asked so
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._boxes: list[tuple[Value, CheckBox]] = []
        for stored, label in field.type.choices:
            check = CheckBox(_(label))
            check.setAccessibleName(labelled(_(field.label), _(label)))
            check.setChecked(stored in chosen)
            check.toggled.connect(lambda _on: self.changed.emit())
            column.addWidget(check)
            self._boxes.append((stored, check))
        self.setFocusProxy(self._boxes[0][1])

    def values(self) -> tuple[Value, ...]:
        """The words that are chosen."""
        return tuple(stored for stored, check in self._boxes if check.isChecked())


class Entries(QWidget):
    """As many values as a test takes."""

    changed = Signal()

    def __init__(self, field: Field, asks: Asks, desk: Desk, values: tuple[Value, ...]) -> None:
        super().__init__()
        row = row_of(self, S4)
        name = _(field.label)
        self._several: SeveralEntry | None = None
        self._ones: list[OneEntry] = []
        if asks is Asks.ONE_OF:
            self._several = SeveralEntry(field, values)
            self._several.changed.connect(self.changed)
            row.addWidget(self._several)
            self.setFocusProxy(self._several)
            return
        names = (
            [_("{field}, from").format(field=name), _("{field}, to").format(field=name)]
            if asks is Asks.BETWEEN
            else [] if asks in _NO_VALUE else [name]
        )  # fmt: skip
        given = values if len(values) == len(names) else (None,) * len(names)
        column = QVBoxLayout()
        column.setSpacing(S4)
        row.addLayout(column)
        as_text = asks in (Asks.HAS, Asks.CONTAINS, Asks.CURRENCY)
        asked = msgspec.structs.replace(field, type=Text()) if as_text else field
        for each, value in zip(names, given, strict=True):
            one = OneEntry(asked, desk, each, value, asked=True)
            one.changed.connect(self.changed)
            column.addWidget(one)
            self._ones.append(one)
        if self._ones:
            self.setFocusProxy(self._ones[0])

    def values(self) -> tuple[Value, ...]:
        """What is asked for. Raises FieldProblem for a value that the field cannot hold."""
        if self._several is not None:
            return self._several.values()
        return tuple(one.value() for one in self._ones)


def _shown_as(field: Field) -> Field:
    """The field as it is asked for: a day for a moment, a text for what holds several or long ones."""
    if isinstance(field.type, Instant):
        return msgspec.structs.replace(field, type=Date())
    if is_parts(field) or isinstance(field.type, Notes):
        return msgspec.structs.replace(field, type=Text())
    return field
