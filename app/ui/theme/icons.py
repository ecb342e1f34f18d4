"""Draws the icons of `resources/icons` in any colour of the table, sharp at every scale."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app import resources
from app.ui.theme.palette import ink
from app.ui.theme.tokens import Colour


def names() -> tuple[str, ...]:
    """Names of all icons there are, in order of the alphabet."""
    return tuple(sorted(file.stem for file in resources.path("icons").glob("*.svg")))


def icon(name: str, colour: Colour = Colour.TEXT) -> QIcon:
    """An icon for buttons and menus; it takes its tint at each paint, so it follows a change of scheme.

    Raises FileNotFoundError when there is no such icon.
    """
    _source(name)
    return QIcon(_Engine(name, colour))


def paint(painter: QPainter, name: str, rect: QRectF, colour: Colour | QColor) -> None:
    """Draw an icon into a rectangle of the painter, centred and square."""
    tint = ink(colour) if isinstance(colour, Colour) else colour
    side = min(rect.width(), rect.height())
    square = QRectF(0, 0, side, side)
    square.moveCenter(rect.center())
    _renderer(name, tint.name()).render(painter, square)


def picture(name: str, colour: Colour, side: int, ratio: float) -> QPixmap:
    """An icon as a pixmap, `side` device-independent pixels square, for a screen of that pixel ratio."""
    return _pixmap(name, ink(colour), QSize(side, side), ratio)


class _Engine(QIconEngine):
    """Draws at the moment of need in place of keeping pixmaps in the colours of yesterday."""

    def __init__(self, name: str, colour: Colour) -> None:
        super().__init__()
        self._name = name
        self._colour = colour

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        paint(painter, self._name, QRectF(rect), self._tint(mode))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return _pixmap(self._name, self._tint(mode), size, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        return _pixmap(self._name, self._tint(mode), size, scale)

    def actualSize(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QSize:
        return size

    def isNull(self) -> bool:
        return False

    def clone(self) -> QIconEngine:
        return _Engine(self._name, self._colour)

    def _tint(self, mode: QIcon.Mode) -> QColor:
        return ink(Colour.FAINT if mode is QIcon.Mode.Disabled else self._colour)


def _pixmap(name: str, tint: QColor, size: QSize, ratio: float) -> QPixmap:
    made = QPixmap(max(1, round(size.width() * ratio)), max(1, round(size.height() * ratio)))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    paint(painter, name, QRectF(QPointF(0, 0), made.deviceIndependentSize()), tint)
    painter.end()
    return made


@cache
def _renderer(name: str, tint: str) -> QSvgRenderer:
    return QSvgRenderer(QByteArray(_source(name).replace(b"currentColor", tint.encode())))


@cache
def _source(name: str) -> bytes:
    return resources.read_bytes(f"icons/{name}.svg")
