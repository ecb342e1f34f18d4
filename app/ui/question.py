"""What small questions within the window share: Enter answers, Esc leaves, and what is asked no more goes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLayout, QPushButton, QWidget


def took_key(
    question: QWidget, event: QKeyEvent, answer: Callable[[], None], leave: Callable[[], None]
) -> bool:
    """Whether a key was Enter or Esc: Enter presses the button that has the focus, else it answers; Esc leaves."""
    if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
        focus = question.focusWidget()
        if isinstance(focus, QPushButton) and focus.hasFocus():
            focus.click()
        else:
            answer()
    elif event.key() == Qt.Key.Key_Escape:
        leave()
    else:
        return False
    return True


def take_away(place: QLayout, part: QWidget | None) -> None:
    """Take a part out of its place at once; Qt lets it go when the event at hand is over."""
    if part is not None:
        place.removeWidget(part)
        part.hide()
        part.deleteLater()
