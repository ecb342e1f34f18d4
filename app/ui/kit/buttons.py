"""Buttons: plain, main, danger, quiet, link and chip, each at least as large as a finger."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton

from app.ui.theme import fonts, icons
from app.ui.theme.palette import ink
from app.ui.theme.tokens import ICON, RADIUS, RING, Colour, Step


class Part(StrEnum):
    """What a button is on its page; one main button per page."""

    PLAIN = "plain"
    MAIN = "main"
    DANGER = "danger"
    QUIET = "quiet"
    LINK = "link"
    CHIP = "chip"


_INKS = {
    Part.MAIN: Colour.ON_ACCENT,
    Part.DANGER: Colour.BAD,
    Part.LINK: Colour.ACCENT,
    Part.QUIET: Colour.SOFT,
}


class Button(QPushButton):
    """A button with a verb on it; `icon` names an icon that stands before the verb."""

    def __init__(self, verb: str, part: Part = Part.PLAIN, icon: str = "") -> None:
        super().__init__(verb)
        self._part = part
        self.setProperty("part", str(part))
        self.setFont(fonts.font(Step.BODY, semibold=True))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAutoDefault(False)
        if icon:
            self.setIcon(icons.icon(icon, _INKS.get(part, Colour.TEXT)))
            self.setIconSize(QSize(ICON, ICON))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses the button that has the focus, as Space does."""
        plainly = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if plainly and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the button; on accent the ring needs a gap to be seen."""
        super().paintEvent(event)
        if self._part is Part.MAIN and self.hasFocus():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(ink(Colour.ON_ACCENT), 1.5))
            inset = RING + 0.75
            painter.drawRoundedRect(
                QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), RADIUS - 2, RADIUS - 2
            )


def icon_button(icon: str, name: str, colour: Colour = Colour.SOFT) -> Button:
    """A quiet button with an icon alone: `name` is its tooltip and what screen readers say."""
    made = Button("", Part.QUIET)
    made.setIcon(icons.icon(icon, colour))
    made.setIconSize(QSize(ICON, ICON))
    made.setAccessibleName(name)
    made.setToolTip(name)
    made.setProperty("bare", True)
    return made
