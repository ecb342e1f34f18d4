"""A page of cards, each about something to decide: the focus keeps its place, and one key decides the card it is on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.ui.kit.buttons import Button
from app.ui.kit.placeholder import Placeholder
from app.ui.pages import Page
from app.ui.theme.tokens import S12, TEXT_WIDTH

T = TypeVar("T")


class CardPage(Page, Generic[T]):
    """`show_cards` lays them out anew; `decides` says which key does what with a card's matter."""

    def __init__(self, heading: str, below: str, width: int = TEXT_WIDTH) -> None:
        super().__init__(heading, below, width)
        self._held = QWidget()
        self._cards: list[tuple[T, QWidget]] = []
        self._entering = False  # the focus goes to the first card once there is one
        self.column.addWidget(self._held)

    def show_cards(
        self, matters: Sequence[T], card: Callable[[T], QWidget], none: Placeholder | None
    ) -> None:
        """Show these, or `none` above them; the focus stays at its place, where the next one stands once one is
        decided.
        """
        at = self._at()
        old, self._held = self._held, QWidget()
        column = QVBoxLayout(self._held)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(S12)
        if none is not None:
            column.addWidget(none)
        self._cards = [(each, card(each)) for each in matters]
        for _each, made in self._cards:
            column.addWidget(made)
        self.column.replaceWidget(old, self._held)
        old.hide()
        old.deleteLater()
        if at is not None:
            self._enter_card(at)
        elif self._entering and self._cards:
            self._entering = False
            within: QWidget | None = self.window().focusWidget()
            if within is not None and self.isAncestorOf(within):
                self._enter_card(0)

    def enter(self) -> None:
        """Put the focus on the first card, so that its keys work at once."""
        self._entering = not self._enter_card(0)
        if self._entering:
            super().enter()

    def _enter_card(self, at: int) -> bool:
        """Put the focus on the card at this place, or the last one; whether there is one that takes it."""
        first = self._cards[min(at, len(self._cards) - 1)][1].findChild(Button) if self._cards else None
        if first is not None:
            first.setFocus()
        return first is not None

    def decides(self) -> Mapping[str, Callable[[T], None]]:
        """What each key does, for whoever may decide."""
        return {}

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """One key for each way to decide, on the card that has the focus."""
        pressed = QKeySequence(event.keyCombination()).toString(QKeySequence.SequenceFormat.PortableText)
        at, decide = self._at(), self.decides().get(pressed)
        if decide is not None and at is not None:
            decide(self._cards[at][0])
            return
        super().keyPressEvent(event)

    def _at(self) -> int | None:
        """The place of the card that has the focus."""
        within: QWidget | None = self.focusWidget()
        if within is None:
            return None
        return next((at for at, (_each, card) in enumerate(self._cards) if card.isAncestorOf(within)), None)


def between(*widgets: QWidget) -> QWidget:
    """Widgets at the left of their row."""
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return holder
