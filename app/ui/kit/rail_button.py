"""One section in the rail: icon, name, and how many, or the icon alone when the rail is narrow."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from app.ui.kit import paint
from app.ui.kit.paint import GROUNDS, INKS, Tone
from app.ui.theme import fonts, icons
from app.ui.theme.palette import ink
from app.ui.theme.tokens import ICON, RADIUS, S4, S8, S12, TOUCH, Colour, Step


class RailButton(QAbstractButton):
    """A checkable section; `set_count` puts a figure at its right, on a ground if its tone is not plain."""

    def __init__(self, icon: str, name: str) -> None:
        super().__init__()
        self._icon = icon
        self._count = ""
        self._tone = Tone.PLAIN
        self._compact = False
        self._keys = ""
        self.setText(name)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFont(fonts.font(Step.BODY))
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_count(self, shown: str, tone: Tone = Tone.PLAIN, spoken: str = "") -> None:
        """Show a figure such as "12,481"; `spoken` is what screen readers say after the name."""
        self._count, self._tone = shown, tone
        self.setAccessibleDescription(spoken or shown)
        self.update()

    def set_keys(self, keys: str) -> None:
        """The keys that lead here, for the tooltip."""
        self._keys = keys
        self.set_compact(self._compact)

    def set_compact(self, compact: bool) -> None:
        """Icon alone with the name as tooltip, or icon, name and figure."""
        self._compact = compact
        name = self.text() if compact else ""
        self.setToolTip(f"{name} ({self._keys})" if name and self._keys else name or self._keys)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """As high as a finger needs; the rail gives the width."""
        return QSize(TOUCH if self._compact else fonts.px(120), max(TOUCH, fonts.px(TOUCH)))

    def minimumSizeHint(self) -> QSize:
        """The icon must always be seen."""
        return QSize(TOUCH, max(TOUCH, fonts.px(TOUCH)))

    def changeEvent(self, event: QEvent) -> None:
        """Paint anew in other colours."""
        super().changeEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ground, icon, name, figure and ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect())
        if self.isChecked():
            paint.pill(painter, rect, Colour.RAISED, RADIUS, Colour.LINE)
        elif self.underMouse():
            paint.pill(painter, rect, Colour.QUIET, RADIUS)
        colour = Colour.TEXT if self.isChecked() else Colour.SOFT
        left = (rect.width() - ICON) / 2 if self._compact else S8
        square = QRectF(left, (rect.height() - ICON) / 2, ICON, ICON)
        icons.paint(painter, self._icon, square, colour)
        if not self._compact:
            self._paint_words(painter, square.right() + S8, colour)
        elif self._count and self._tone is not Tone.PLAIN:
            self._paint_sign(painter, square)
        if self.hasFocus():
            paint.ring(painter, rect)

    def _paint_sign(self, painter: QPainter, square: QRectF) -> None:
        """The figure alone at the icon's corner, where it asks for somebody."""
        font = fonts.font(Step.SMALL, semibold=True, figures=True)
        figure = paint.width(self._count, font)
        ground = QRectF(square.right() - 4, square.top() - 6, max(16.0, figure + S8), 16)
        paint.pill(painter, ground, GROUNDS[self._tone], 8)
        place = QPointF(ground.center().x() + figure / 2, paint.baseline(ground.top(), 16, font))
        paint.draw_right(painter, place, self._count, font, ink(INKS[self._tone]))

    def _paint_words(self, painter: QPainter, start: float, colour: Colour) -> None:
        right = float(self.width() - S8)
        if self._count:
            plain = self._tone is Tone.PLAIN
            font = fonts.font(Step.SMALL, semibold=not plain, figures=True)
            wide = paint.width(self._count, font)
            if not plain:
                ground = QRectF(right - wide - S12, (self.height() - 18) / 2, wide + S12, 18)
                paint.pill(painter, ground, GROUNDS[self._tone], 9)
                right -= S12 / 2
            place = QPointF(right, paint.baseline(0, self.height(), font))
            paint.draw_right(painter, place, self._count, font, ink(INKS[self._tone]))
            right -= wide + S8 + (0 if plain else S4)
        name = paint.elided(self.text(), self.font(), right - start)
        base = paint.baseline(0, self.height(), self.font())
        paint.draw(painter, QPointF(start, base), name, self.font(), ink(colour))
