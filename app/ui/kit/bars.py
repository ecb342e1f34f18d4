"""The bar at the top and the line at the foot of the window, and the product's mark."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QWidget

from app.ui.kit import paint
from app.ui.kit.text import Line
from app.ui.theme import fonts
from app.ui.theme.palette import ink
from app.ui.theme.tokens import FOOT_LINE, S8, S12, S16, S24, TOP_BAR, Colour, Step

_MARK = 14


class Brand(QWidget):
    """The product's mark and name."""

    def __init__(self, name: str, step: Step = Step.LARGE) -> None:
        super().__init__()
        self._name = name
        self._font = fonts.font(step, semibold=True)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Mark, gap and name."""
        return QSize(_MARK + S8 + round(paint.width(self._name, self._font)) + 2, fonts.px(28))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the mark and the name."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint.pill(painter, QRectF(0, (self.height() - _MARK) / 2, _MARK, _MARK), Colour.ACCENT, 4)
        place = QPointF(_MARK + S8, paint.baseline(0, self.height(), self._font))
        paint.draw(painter, place, self._name, self._font, ink(Colour.TEXT))


class TopBar(QFrame):
    """Mark at the left, search after it, and at the right whatever is added."""

    def __init__(self, brand: Brand, search: QWidget, search_at: int) -> None:
        super().__init__()
        self.setProperty("part", "top")
        self.setFixedHeight(fonts.px(TOP_BAR))
        row = QHBoxLayout(self)
        row.setContentsMargins(S16, 0, S16, 0)
        row.setSpacing(S12)
        brand.setFixedWidth(max(brand.sizeHint().width(), search_at - S16 - S12))
        row.addWidget(brand)
        search.setMinimumWidth(fonts.px(180))
        search.setMaximumWidth(fonts.px(460))
        row.addWidget(search, 3)
        self._beside = row.count()
        row.addStretch(2)
        self._row = row

    def add_beside(self, widget: QWidget) -> None:
        """Put a widget right after the search."""
        self._row.insertWidget(self._beside, widget, 0, Qt.AlignmentFlag.AlignVCenter)

    def add(self, widget: QWidget) -> None:
        """Put a widget at the right end."""
        self._row.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)


class FootLine(QFrame):
    """One quiet line at the foot: what this device holds at the left, what rules it at the right."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("part", "foot")
        self.setFixedHeight(fonts.px(FOOT_LINE))
        self._left = Line("", Step.SMALL, Colour.SOFT)
        self._right = Line("", Step.SMALL, Colour.SOFT)
        row = QHBoxLayout(self)
        row.setContentsMargins(S16, 0, S16, 0)
        row.setSpacing(S24)
        row.addWidget(self._left)
        row.addStretch(1)
        row.addWidget(self._right)

    def show_words(self, left: str, right: str) -> None:
        """Show both texts; they are cut by width when the window is small."""
        self._left.setText(left)
        self._right.setText(right)
