"""The one shadow of the program: soft, below a rounded rectangle, drawn from gradients at any scale."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QGradient,
    QGuiApplication,
    QLinearGradient,
    QPainter,
    QRadialGradient,
)

from app.ui.theme.palette import ink, scheme_of
from app.ui.theme.tokens import S8, S32, Colour, Scheme

REACH: Final = S32  # how far it goes beyond the rectangle
DROP: Final = S8  # how far it is moved down
_STRENGTH: Final = {Scheme.LIGHT: 0.20, Scheme.DARK: 0.55}
_STEPS: Final = 8


def paint(painter: QPainter, rect: QRectF, radius: float) -> None:
    """Draw the shadow of `rect`, whose corners have that radius; the rectangle itself is drawn over it."""
    body = rect.translated(0, DROP)
    core = body.adjusted(radius, radius, -radius, -radius)
    reach = radius + REACH
    painter.setPen(Qt.PenStyle.NoPen)
    painter.fillRect(core, _shade(0.0, reach, radius))
    for start, end, side in (
        (core.topLeft(), QPointF(core.left(), core.top() - reach), (0, -reach, core.width(), reach)),
        (core.bottomLeft(), QPointF(core.left(), core.bottom() + reach), (0, 0, core.width(), reach)),
        (core.topLeft(), QPointF(core.left() - reach, core.top()), (-reach, 0, reach, core.height())),
        (core.topRight(), QPointF(core.right() + reach, core.top()), (0, 0, reach, core.height())),
    ):
        line = QLinearGradient(start, end)
        painter.fillRect(
            QRectF(start.x() + side[0], start.y() + side[1], side[2], side[3]), _faded(line, radius)
        )
    for corner, left, up in (
        (core.topLeft(), True, True),
        (core.topRight(), False, True),
        (core.bottomLeft(), True, False),
        (core.bottomRight(), False, False),
    ):
        place = QPointF(corner.x() - (reach if left else 0), corner.y() - (reach if up else 0))
        round_ = QRadialGradient(corner, reach)
        painter.fillRect(QRectF(place.x(), place.y(), reach, reach), _faded(round_, radius))


def _faded(gradient: QGradient, radius: float) -> QBrush:
    reach = radius + REACH
    for step in range(_STEPS + 1):
        gradient.setColorAt(step / _STEPS, _shade(reach * step / _STEPS, reach, radius))
    return QBrush(gradient)


def _shade(out: float, reach: float, radius: float) -> QColor:
    """The colour at that distance from the core: even below the rectangle, then fading as a soft light does."""
    colour = QColor(ink(Colour.SHADOW))
    inside = radius / reach
    along = max(0.0, (out / reach - inside) / (1.0 - inside))
    colour.setAlphaF(_strength() * (1.0 - along) ** 2.4)
    return colour


def _strength() -> float:
    return _STRENGTH[scheme_of(QGuiApplication.palette())]
