"""A line for a secret: what is typed goes, letter by letter, into bytes that can be wiped, and no text ever holds it.

Qt's own password line keeps the secret in texts that nobody can overwrite, with each letter typed one more. Here the
line holds one dot for each letter, and nothing else; so it is edited at its end alone, or emptied.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QGuiApplication, QInputMethodEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit

from app.keys.secret import SecretBytes, wipe_buffer
from app.ui.theme import fonts
from sync.protocol.texts import gettext as _

LETTERS_MAX: Final = 128
_DOT: Final = "•"
_ROOM: Final = 4 * LETTERS_MAX  # bytes of UTF-8


class SecretLine(QLineEdit):
    """`typed()` follows each change; `entered()` is the Return key."""

    typed = Signal()
    entered = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self._bytes = bytearray(_ROOM)  # never grown: a buffer that moves leaves its old place as it was
        self._lengths: list[int] = []  # of each letter in bytes
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setInputMethodHints(Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhHiddenText)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setAcceptDrops(False)
        self.setAccessibleName(name)
        self.setFont(fonts.font())

    @property
    def letters(self) -> int:
        """How many letters it holds."""
        return len(self._lengths)

    def take(self) -> SecretBytes:
        """What was typed; the line is empty after that."""
        made = self.copied()
        self.empty()
        return made

    def copied(self) -> SecretBytes:
        """What was typed, to be wiped by the caller; the line keeps its own."""
        return SecretBytes(memoryview(self._bytes)[: sum(self._lengths)])

    def same(self, other: SecretLine) -> bool:
        """Whether both hold the same."""
        with self.copied() as mine, other.copied() as theirs:
            return mine.same(theirs)

    def empty(self) -> None:
        """Hold nothing."""
        wipe_buffer(self._bytes)
        self._lengths.clear()
        self._show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """A letter is added, Backspace takes the last one, Delete, Ctrl+Backspace and Esc take all."""
        key, controlled = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        elif event.matches(QKeySequence.StandardKey.Paste):
            self._add(QGuiApplication.clipboard().text().strip())
        elif _empties(key, controlled=controlled) and (self._lengths or key != Qt.Key.Key_Escape):
            self.empty()
        elif key == Qt.Key.Key_Backspace:
            self._drop_last()
        elif event.text() and event.text().isprintable() and not _commands(event):
            self._add(event.text())
        elif key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab) or controlled or not event.text():
            super().keyPressEvent(event) if not _edits(event) else event.accept()
        else:
            event.ignore()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """A letter that is put together of several keys."""
        self._add(event.commitString())

    def event(self, event: QEvent) -> bool:
        """No shortcut of the window takes a letter away from here, and what a screen reader sets is not taken."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and not _commands(event)
        ):
            event.accept()
            return True
        return bool(super().event(event))

    def _add(self, text: str) -> None:
        for letter in text:
            if not letter.isprintable() or len(self._lengths) >= LETTERS_MAX:
                continue
            coded = letter.encode()
            at = sum(self._lengths)
            self._bytes[at : at + len(coded)] = coded
            self._lengths.append(len(coded))
        self._show()

    def _drop_last(self) -> None:
        if self._lengths:
            length = self._lengths.pop()
            at = sum(self._lengths)
            self._bytes[at : at + length] = bytes(length)
        self._show()

    def _show(self) -> None:
        if len(self.text()) != len(self._lengths):
            self.setText(_DOT * len(self._lengths))
        self.setAccessibleDescription(_("{n} characters").format(n=len(self._lengths)))
        self.typed.emit()


def _empties(key: int, *, controlled: bool) -> bool:
    return key in (Qt.Key.Key_Delete, Qt.Key.Key_Escape) or (key == Qt.Key.Key_Backspace and controlled)


def _commands(event: QKeyEvent) -> bool:
    held = event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier)
    # AltGr comes as both, or as none, and makes letters.
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
    return held not in (Qt.KeyboardModifier.NoModifier, both, Qt.KeyboardModifier.GroupSwitchModifier)


def _edits(event: QKeyEvent) -> bool:
    """Keys by which Qt's line would change or move its dots: in the middle of them there is nothing to edit."""
    keys = QKeySequence.StandardKey
    return any(
        event.matches(each)
        for each in (
            keys.Cut, keys.Copy, keys.SelectAll, keys.Undo, keys.Redo, keys.DeleteStartOfWord, keys.DeleteEndOfWord,
            keys.MoveToPreviousChar, keys.MoveToNextChar, keys.MoveToStartOfLine, keys.MoveToEndOfLine,
            keys.SelectPreviousChar, keys.SelectNextChar, keys.SelectStartOfLine, keys.SelectEndOfLine,
            keys.DeleteEndOfLine, keys.DeleteCompleteLine, keys.MoveToPreviousWord, keys.MoveToNextWord,
        )
    )  # fmt: skip
