"""Editors of several things: labelled values one under the other, and the parts of an address."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLineEdit, QWidget

from app.ui.fields.base import FieldEditor, box, column_of, line, show_text
from app.ui.kit.buttons import Button, Part, icon_button
from app.ui.theme import fonts
from app.ui.theme.tokens import S4, S8
from app.viewmodels import words
from sync.protocol.fields import Field, Several, Value
from sync.protocol.ids import new_element_id
from sync.protocol.texts import gettext as _


class _Element:
    """One value with its label, and the button that takes it away."""

    def __init__(self, owner: SeveralEditor, element: dict[str, Any], labels: tuple[str, ...]) -> None:
        self.id: str = element.get("id") or new_element_id()
        self.holder = QWidget()
        row = QHBoxLayout(self.holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(S4)
        self.label: QComboBox = box(_("{field}, label").format(field=owner.name))
        own = element.get("label") or ""
        for each in (*labels, *([own] if own and own not in labels else []), ""):
            self.label.addItem(words.label_of(each) if each else _("none"), each)
        self.label.setCurrentIndex(self.label.findData(own))
        self.label.setFixedWidth(fonts.px(104))
        self.line: QLineEdit = line(owner.name)
        self.line.setText(element.get("value") or "")
        self.line.setCursorPosition(0)
        self.remove: Button = icon_button("close", _("Remove this value"))
        row.addWidget(self.line, 1)
        row.addWidget(self.label)
        row.addWidget(self.remove)
        self.line.textEdited.connect(owner.tell)
        self.label.currentIndexChanged.connect(owner.tell)
        self.remove.clicked.connect(lambda: owner.take_away(self))
        owner.watch_focus(self.line, self.label, self.remove)

    def value(self) -> dict[str, Any]:
        """The element as a record holds it."""
        return {"id": self.id, "label": self.label.currentData() or "", "value": self.line.text()}


class SeveralEditor(FieldEditor):
    """Phones, e-mails, web addresses: as many as there are, each with a label."""

    def __init__(self, field: Field, name: str) -> None:
        super().__init__(field, name)
        assert isinstance(field.type, Several)  # noqa: S101 - the table of editors says so
        self._type = field.type
        self._elements: list[_Element] = []
        self._column = column_of(self, S4)
        self._add = Button(_("Add"), Part.LINK)
        self._add.setAccessibleName(_("Add to {field}").format(field=name))
        self._add.clicked.connect(lambda: self._grow(focus=True))
        foot = QHBoxLayout()
        foot.addWidget(self._add)
        foot.addStretch(1)
        self._column.addLayout(foot)
        self.watch_focus(self._add)

    def show_value(self, value: Value) -> None:
        """Show the elements; those that stand there already keep their widgets."""
        if not value and len(self._elements) == 1 and not self._elements[0].line.text().strip():
            return  # an empty one stands there already, and keeps its label
        # The labels of what stood here before say nothing about another record.
        wanted = [dict(element) for element in value or ()] or [{"label": self._type.labels[0]}]
        if [each.value() for each in self._elements] == wanted:
            return
        if self.has_inner_focus() and [e.id for e in self._elements if e.line.text().strip()] == [
            each.get("id") for each in wanted if each.get("value")
        ]:
            return  # the person is typing here, and only how it is written differs
        for old in self._elements:
            self._drop(old)
        self._elements = []
        for element in wanted:
            self._put(_Element(self, element, self._type.labels))

    def show_mask(self, value: Value) -> None:
        """Where somebody types, other lines take the place of these: what is written here is another thing now."""
        wanted = [dict(element) for element in value or ()]
        if [each.value() for each in self._elements if each.line.text()] != wanted:
            inside = self.has_inner_focus()
            if inside:
                self._add.setFocus()  # away from lines that go
            old, self._elements = self._elements, []
            for each in old:
                self._drop(each)
            super().show_mask(value)
            if inside:
                self.first().setFocus()

    def first(self) -> QWidget:
        """The first value, or the button that adds one."""
        return self._elements[0].line if self._elements else self._add

    def tell(self) -> None:
        """Tell what stands here; empty values are none."""
        self.put.emit([each.value() for each in self._elements if each.line.text().strip()] or None)

    def take_away(self, element: _Element) -> None:
        """Take one value away."""
        at = self._elements.index(element)
        self._elements.remove(element)
        self._drop(element)
        if self._elements:
            self._elements[min(at, len(self._elements) - 1)].line.setFocus()
        else:
            self._add.setFocus()
        self.tell()
        self.left.emit()

    def _grow(self, *, focus: bool) -> None:
        element = _Element(self, {"label": self._first_label()}, self._type.labels)
        self._put(element)
        if focus:
            element.line.setFocus()

    def _first_label(self) -> str:
        used = {each.label.currentData() for each in self._elements}
        return next((label for label in self._type.labels if label not in used), self._type.labels[0])

    def _put(self, element: _Element) -> None:
        self._column.insertWidget(self._column.count() - 1, element.holder)
        self._elements.append(element)
        self.restacked.emit()

    def stops(self) -> list[QWidget]:
        """Each value with its label and its button, then the button that adds one."""
        stops: list[QWidget] = []
        for element in self._elements:
            stops += [element.line, element.label, element.remove]
        return [*stops, self._add]

    def _drop(self, element: _Element) -> None:
        element.holder.hide()
        self._column.removeWidget(element.holder)
        element.holder.deleteLater()


# Row, column and columns taken of each part.
_PLACES = {
    "street": (0, 0, 2),
    "postcode": (1, 0, 1),
    "city": (1, 1, 1),
    "region": (2, 0, 1),
    "country": (2, 1, 1),
}


class AddressEditor(FieldEditor):
    """Street, postcode and city, region and country; kept as one thing."""

    def __init__(self, field: Field, name: str) -> None:
        super().__init__(field, name)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(S4)
        self._lines: dict[str, QLineEdit] = {}
        for part, (row, at, span) in _PLACES.items():
            label = _(words.ADDRESS_LABELS[part])
            made = line(_("{field}, {part}").format(field=name, part=label), label)
            made.textEdited.connect(self._told)
            grid.addWidget(made, row, at, 1, span)
            self._lines[part] = made
        grid.setColumnStretch(0, 2)
        grid.setColumnStretch(1, 3)
        grid.setHorizontalSpacing(S8)
        self.watch_focus(*self._lines.values())
        self.setFocusProxy(self._lines["street"])

    def show_value(self, value: Value) -> None:
        """Show the parts."""
        for part, made in self._lines.items():
            show_text(made, (value or {}).get(part, ""))

    def first(self) -> QWidget:
        """The street."""
        return self._lines["street"]

    def _told(self) -> None:
        parts = {part: made.text() for part, made in self._lines.items() if made.text().strip()}
        self.put.emit(parts or None)
