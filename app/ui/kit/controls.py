"""Controls that Fusion draws, with our border, ring and size; and a check box that is large enough to hit."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QWidget

from app.ui.kit import paint
from app.ui.theme import fonts, icons
from app.ui.theme.palette import ink
from app.ui.theme.tokens import FIELD, HAIRLINE, RADIUS, S4, S8, TOUCH, Colour

_RADIUS = 4
_BOX = 16

_Control = TypeVar("_Control", bound=QWidget)


def framed(control: _Control) -> _Control:
    """Give a combo box, spin box or date field our height, border and focus ring; gives the control back."""
    control.setMinimumHeight(fonts.px(FIELD))
    control.setFont(fonts.font())
    _Frame(control)
    return control


class Chooser(QComboBox):
    """A combo box drawn flat in the colours of our fields; its list is Fusion's."""

    def __init__(self) -> None:
        super().__init__()
        self.setFont(fonts.font())
        self.setMinimumHeight(fonts.px(FIELD))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scrolling past a box must not change what it holds."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ground, words, the sign that it opens, and border or ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect, usable = QRectF(self.rect()), self.isEnabled()
        ground = Colour.RAISED if usable else Colour.SURFACE
        line = Colour.EDGE if usable else Colour.LINE
        paint.pill(painter, rect, ground, RADIUS, line)
        side = 14.0
        square = QRectF(rect.right() - S8 - side, (rect.height() - side) / 2, side, side)
        icons.paint(painter, "down", square, Colour.SOFT if usable else Colour.FAINT)
        words = paint.elided(self.currentText(), self.font(), square.left() - S8 - S4)
        base = paint.baseline(0, self.height(), self.font())
        paint.draw(
            painter, QPointF(S8, base), words, self.font(), ink(Colour.TEXT if usable else Colour.SOFT)
        )
        if self.hasFocus():
            paint.ring(painter, rect)


class CheckBox(QCheckBox):
    """A check box whose border can be seen in both schemes; the whole line is its target."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setFont(fonts.font())

    def sizeHint(self) -> QSize:
        """Box, gap, words, and the height of a finger."""
        wide = S4 + _BOX + S8 + round(paint.width(self.text(), self.font())) + S8
        return QSize(wide, fonts.px(TOUCH))

    def minimumSizeHint(self) -> QSize:
        """The same: words of a check box are not cut."""
        return self.sizeHint()

    def hitButton(self, place: object) -> bool:
        """Everywhere on the line."""
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw box, tick, words and ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(S4, (self.height() - _BOX) / 2, _BOX, _BOX)
        usable = self.isEnabled()
        painter.setPen(QPen(ink(Colour.EDGE if usable else Colour.LINE), HAIRLINE))
        painter.setBrush(ink(Colour.RAISED))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        if self.isChecked():
            icons.paint(painter, "check", box.adjusted(1, 1, -1, -1), Colour.TEXT if usable else Colour.FAINT)
        place = QPointF(box.right() + S8, paint.baseline(0, self.height(), self.font()))
        paint.draw(painter, place, self.text(), self.font(), ink(Colour.TEXT if usable else Colour.FAINT))
        if self.hasFocus():
            paint.ring(painter, QRectF(self.rect()), _RADIUS)


class _Frame(QWidget):
    """Border and ring laid over a control.

    A style sheet would take the whole control away from Fusion, so the frame lies over it and takes no clicks.
    """

    def __init__(self, control: QWidget) -> None:
        super().__init__(control)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setGeometry(control.rect())
        control.installEventFilter(self)
        self.show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size and the focus of the control; takes no event away."""
        control = self.parentWidget()
        if control is not None and watched is control:
            if event.type() == QEvent.Type.Resize:
                self.setGeometry(control.rect())
            if event.type() in (QEvent.Type.Resize, QEvent.Type.FocusIn, QEvent.Type.FocusOut):
                self.raise_()
                self.update()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the border, or the ring in its place."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        control = self.parentWidget()
        rect = QRectF(self.rect())
        if control is not None and control.hasFocus():
            paint.ring(painter, rect, _RADIUS)
        else:
            painter.setPen(QPen(ink(Colour.EDGE), HAIRLINE))
            painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS, _RADIUS)
