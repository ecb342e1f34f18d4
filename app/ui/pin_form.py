"""Choosing a PIN: typed twice, with an honest word about how long it holds, and the one in force where it is known."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.keys.secret import SecretBytes
from app.ui.kit.secret_line import SecretLine
from app.ui.kit.text import Paragraph, label
from app.ui.theme import fonts
from app.ui.theme.tokens import S4, S8, Colour, Step
from app.viewmodels.pin import PinChoice
from sync.protocol.texts import gettext as _

_WIDTH = 340


class PinForm(QFrame):
    """`entered()` when all is typed; `problem` says what is not right yet."""

    entered = Signal()

    def __init__(self, choice: PinChoice, *, current: bool) -> None:
        super().__init__()
        self._choice = choice
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(S4)
        self.lines: list[SecretLine] = []
        self.current = self._line(column, _("PIN in force")) if current else None
        self.new = self._line(column, _("New PIN or passphrase"))
        self._meter = Paragraph(choice.rule(), Step.SMALL, Colour.SOFT)
        column.addWidget(self._meter)
        column.addSpacing(S8)
        self.again = self._line(column, _("Once more"))
        self._told = Paragraph("", Step.SMALL, Colour.BAD)
        self._told.hide()
        column.addWidget(self._told)
        self.new.typed.connect(self._measure)
        self._unwatch = choice.watch(self._show)

    def _line(self, column: QVBoxLayout, name: str) -> SecretLine:
        words = label(name, Step.BODY, semibold=True)
        made = SecretLine(name)
        made.setMaximumWidth(fonts.px(_WIDTH))
        words.setBuddy(made)
        column.addWidget(words)
        column.addWidget(made)
        made.typed.connect(self._hush)
        made.entered.connect(self._on)
        self.lines.append(made)
        return made

    def begin(self) -> None:
        """Put the focus into the first line."""
        self.lines[0].setFocus()

    def let_go(self) -> None:
        """Hold nothing that was typed."""
        self._unwatch()
        self._choice.close()
        self.empty()

    def empty(self) -> None:
        """Empty all lines."""
        for line in self.lines:
            line.empty()

    def taken(self) -> tuple[SecretBytes, SecretBytes | None] | None:
        """The new one and the one in force; None, and what is not right is said, where they do not fit."""
        if not self.new.same(self.again):
            self.again.empty()
            self.again.setFocus()
            self.tell(_("Both must be the same. Type it once more."))
            return None
        if (problem := self._choice.unfit(self.new.letters)) is not None:
            self.tell(problem)
            self.new.setFocus()
            return None
        made = self.new.take(), self.current.take() if self.current is not None else None
        self.empty()
        return made

    def tell(self, text: str) -> None:
        """Say what is not right."""
        self._told.setText(text)
        self._told.setVisible(bool(text))

    def stops(self) -> list[QWidget]:
        """What takes the focus by Tab."""
        return list(self.lines)

    def _on(self) -> None:
        """Return goes to the next line, and from the last one on."""
        at = next((n for n, line in enumerate(self.lines) if line.hasFocus()), len(self.lines) - 1)
        if at + 1 < len(self.lines):
            self.lines[at + 1].setFocus()
        else:
            self.entered.emit()

    def _hush(self) -> None:
        if self._told.isVisible():
            self.tell("")

    def _measure(self) -> None:
        self._choice.measure(self.new.copied())

    def _show(self) -> None:
        self._meter.setText(self._choice.said())
