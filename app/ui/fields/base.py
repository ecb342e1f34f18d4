"""What every field's editor does, and the pieces that several of them are made of."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.ui.kit.controls import Chooser
from app.ui.theme import fonts
from app.ui.theme.tokens import S8, Step
from sync.protocol.fields import Field, Value

_COMES_BACK: Final = frozenset({Qt.FocusReason.PopupFocusReason, Qt.FocusReason.MenuBarFocusReason})


class FieldEditor(QWidget):
    """The editor of one field.

    `typed(text)` is text to be parsed by the field, `put(value)` a value; `left()` says that the focus has gone,
    `restacked()` that its stops are others now.
    """

    typed = Signal(str)
    put = Signal(object)
    left = Signal()
    restacked = Signal()

    def __init__(self, field: Field, name: str) -> None:
        super().__init__()
        self.field = field
        self.name = name  # the label in the reader's language

    def show_value(self, value: Value) -> None:
        """Show a value without telling anybody."""
        raise NotImplementedError

    def show_mask(self, value: Value) -> None:
        """Show what stands in place of a value that has become hidden, even over what is being typed or chosen."""
        for popup in self.findChildren(QWidget):
            if isinstance(popup, QComboBox):
                popup.hidePopup()
            elif popup.windowType() is Qt.WindowType.Popup and popup.isVisible():
                popup.close()
        self.show_value(value)

    def first(self) -> QWidget:
        """The widget that takes the focus first."""
        raise NotImplementedError

    def stops(self) -> list[QWidget]:
        """The widgets in it that take the focus, in reading order."""
        here = [each for each in self.findChildren(QWidget) if each.window() is self.window()]  # no popups
        return [each for each in here if each.focusPolicy() & Qt.FocusPolicy.TabFocus]

    def has_inner_focus(self) -> bool:
        """Whether the person is in this editor now."""
        focus = self.focusWidget() if self.isActiveWindow() else None
        return focus is not None and focus.hasFocus() and self.isAncestorOf(focus)

    def set_wrong(self, wrong: bool) -> None:
        """Draw the border in the tone of an error, or not."""
        first = self.first()
        tone = "bad" if wrong else ""
        if isinstance(first, QLineEdit) and (first.property("tone") or "") != tone:
            first.setProperty("tone", tone)
            first.style().unpolish(first)
            first.style().polish(first)

    def set_usable(self, usable: bool) -> None:
        """Have the value changed, or only looked at: text can still be gone through and copied then."""
        for child in self.findChildren(QWidget):
            if isinstance(child, (QLineEdit, QPlainTextEdit)):
                child.setReadOnly(not usable)
            elif isinstance(child, (QAbstractButton, QComboBox)):
                child.setEnabled(usable)

    def watch_focus(self, *widgets: QWidget) -> None:
        """Tell `left` when the focus goes out of any of these."""
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tell that the focus has gone; takes no event away.

        What pops up over the form, such as the palette or a menu, gives it back: a value half typed stays as it is.
        """
        if isinstance(event, QFocusEvent) and event.lostFocus() and event.reason() not in _COMES_BACK:
            self.left.emit()
        return super().eventFilter(watched, event)


def line(name: str, hint: str = "") -> QLineEdit:
    """A line to type in, with its name for screen readers."""
    made = QLineEdit()
    made.setFont(fonts.font(Step.BODY))
    made.setAccessibleName(name)
    made.setPlaceholderText(hint)
    return made


def show_text(widget: QLineEdit, text: str) -> None:
    """Put a text into a line without telling anybody; one that stands there already keeps its cursor."""
    if widget.text() != text:
        with QSignalBlocker(widget):
            widget.setText(text)
            widget.setCursorPosition(0)


def box(name: str) -> Chooser:
    """A box of choices with its name."""
    made = Chooser()
    made.setAccessibleName(name)
    return made


def row_of(owner: QWidget, spacing: int = S8) -> QHBoxLayout:
    """A row without margins as the layout of a widget."""
    made = QHBoxLayout(owner)
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(spacing)
    return made


def column_of(owner: QWidget, spacing: int = S8) -> QVBoxLayout:
    """A column without margins as the layout of a widget."""
    made = QVBoxLayout(owner)
    made.setContentsMargins(0, 0, 0, 0)
    made.setSpacing(spacing)
    return made
