"""The stops of the Tab key: which widgets take the focus, and in which order."""

from __future__ import annotations

import itertools

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def stops_of(*parts: QWidget) -> list[QWidget]:
    """The widgets that take the focus by Tab in these parts and below them, in reading order."""
    found: list[QWidget] = []
    for part in parts:
        here = [part, *(each for each in part.findChildren(QWidget) if each.window() is part.window())]
        found += [each for each in here if each.focusPolicy() & Qt.FocusPolicy.TabFocus]
    return found


def put_in_order(stops: list[QWidget]) -> None:
    """Have Tab go from one to the next: Qt puts what is made later last."""
    for before, after in itertools.pairwise(stops):
        QWidget.setTabOrder(before, after)
