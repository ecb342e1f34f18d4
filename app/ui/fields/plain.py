"""Editors of one thing: a line, notes, a choice, yes or no, tags, a sum of money."""

from __future__ import annotations

from decimal import Decimal

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app.ui.fields.base import FieldEditor, box, line, row_of, show_text
from app.ui.kit.controls import CheckBox
from app.ui.theme import fonts
from app.ui.theme.tokens import Step
from sync.protocol import money
from sync.protocol.fields import Choice, Field, Value
from sync.protocol.texts import gettext as _

CURRENCIES = (
    "USD",
    "EUR",
    "CNY",
    "GBP",
    "JPY",
    "CHF",
    "HKD",
    "TWD",
    "INR",
    "KRW",
    "AUD",
    "CAD",
    "SEK",
    "SGD",
)
_NOTES_LINES = 4


class LineEditor(FieldEditor):
    """One line of text; also whole numbers and persons."""

    def __init__(self, field: Field, name: str) -> None:
        super().__init__(field, name)
        self._line = line(name)
        row_of(self).addWidget(self._line)
        self._line.textEdited.connect(self.typed)
        self.watch_focus(self._line)
        self.setFocusProxy(self._line)

    def show_value(self, value: Value) -> None:
        """Show a text or a number."""
        show_text(self._line, "" if value is None else str(value))

    def first(self) -> QWidget:
        """The line."""
        return self._line


class NotesEditor(FieldEditor):
    """Text of many lines."""

    def __init__(self, field: Field, name: str) -> None:
        super().__init__(field, name)
        self._text = QPlainTextEdit()
        self._text.setFont(fonts.font(Step.BODY))
        self._text.setAccessibleName(name)
        self._text.setTabChangesFocus(True)
        self._text.setMinimumHeight(fonts.line_height(Step.BODY) * _NOTES_LINES + 14)
        self._text.setMaximumHeight(fonts.line_height(Step.BODY) * 3 * _NOTES_LINES)
        row_of(self).addWidget(self._text)
        self._text.textChanged.connect(lambda: self.typed.emit(self._text.toPlainText()))
        self.watch_focus(self._text)
        self.setFocusProxy(self._text)

    def show_value(self, value: Value) -> None:
        """Show a text; the cursor of one that stands there already stays."""
        if self._text.toPlainText() != (value or ""):
            with QSignalBlocker(self._text):
                self._text.setPlainText(value or "")

    def first(self) -> QWidget:
        """The text."""
        return self._text


class ChoiceEditor(FieldEditor):
    """One of a few; empty where the field need not be filled."""

    def __init__(self, field: Field, name: str) -> None:
        super().__init__(field, name)
        assert isinstance(field.type, Choice)  # noqa: S101 - the table of editors says so
        self._box = box(name)
        if not field.required:
            self._box.addItem(_("none"), None)
        for stored, label in field.type.choices:
            self._box.addItem(_(label), stored)
        self._box.setFixedWidth(fonts.px(240))
        row = row_of(self)
        row.addWidget(self._box)
        row.addStretch(1)
        self._box.currentIndexChanged.connect(lambda at: self.put.emit(self._box.itemData(at)))
        self.watch_focus(self._box)
        self.setFocusProxy(self._box)

    def show_value(self, value: Value) -> None:
        """Show a choice; one of a newer version is added as it is."""
        at = self._box.findData(value)
        with QSignalBlocker(self._box):
            if at < 0 and value is not None:
                self._box.addItem(str(value), value)
                at = self._box.count() - 1
            self._box.setCurrentIndex(at)

    def first(self) -> QWidget:
        """The box."""
        return self._box


class FlagEditor(FieldEditor):
    """Yes or no."""

    def __init__(self, field: Field, name: str) -> None:
        super().__init__(field, name)
        self._check = CheckBox(_("Yes"))
        self._check.setAccessibleName(name)
        row = row_of(self)
        row.addWidget(self._check)
        row.addStretch(1)
        self._check.toggled.connect(lambda on: self.put.emit(on))
        self.watch_focus(self._check)
        self.setFocusProxy(self._check)

    def show_value(self, value: Value) -> None:
        """Show yes or no; nothing said is no."""
        with QSignalBlocker(self._check):
            self._check.setChecked(bool(value))

    def first(self) -> QWidget:
        """The check box."""
        return self._check


class TagsEditor(FieldEditor):
    """Short words parted by commas."""

    def __init__(self, field: Field, name: str) -> None:
        super().__init__(field, name)
        self._line = line(name, _("Part them with commas"))
        row_of(self).addWidget(self._line)
        self._line.textEdited.connect(self.typed)
        self.watch_focus(self._line)
        self.setFocusProxy(self._line)

    def show_value(self, value: Value) -> None:
        """Show the words in order."""
        show_text(self._line, ", ".join(value or ()))

    def first(self) -> QWidget:
        """The line."""
        return self._line


class MoneyEditor(FieldEditor):
    """An amount and its currency; a currency written with the amount wins."""

    def __init__(self, field: Field, name: str, currency: str) -> None:
        super().__init__(field, name)
        self._line = line(name)
        self._line.setMaximumWidth(fonts.px(160))
        self._box = box(_("{field}, currency").format(field=name))
        self._box.addItems(sorted({*CURRENCIES, currency}))
        self._box.setCurrentText(currency)
        self._box.setFixedWidth(fonts.px(92))  # three capitals of any currency, and the sign that it opens
        self._own = currency
        row = row_of(self)
        row.addWidget(self._line)
        row.addWidget(self._box)
        row.addStretch(1)
        self._line.textEdited.connect(self._told)
        self._box.currentTextChanged.connect(self._told)
        self.watch_focus(self._line, self._box)
        self.setFocusProxy(self._line)

    def show_value(self, value: Value) -> None:
        """Show a sum."""
        with QSignalBlocker(self._box):
            currency = value["currency"] if value else self._own
            if self._box.findText(currency) < 0:
                self._box.addItem(currency)
            self._box.setCurrentText(currency)
        show_text(self._line, _plain(value["minor"], value["currency"]) if value else "")

    def first(self) -> QWidget:
        """The amount."""
        return self._line

    def _told(self) -> None:
        try:
            value = money.parse(self._line.text(), self._box.currentText())
        except ValueError:
            self.typed.emit(self._line.text())  # the field itself says what is wrong with it
            return
        self.put.emit(value)


def _plain(minor: int, currency: str) -> str:
    """An amount to be edited: grouped, with its fraction only when it has one."""
    decimal: Decimal = money.decimal(minor, currency)
    whole = decimal == decimal.to_integral_value()
    return f"{decimal:,.0f}" if whole else f"{decimal:,f}"
