"""Puts the table of colours into a QPalette and gives each colour back for painting."""

from __future__ import annotations

from functools import cache

from PySide6.QtGui import QColor, QGuiApplication, QPalette

from app.ui.theme import tokens
from app.ui.theme.tokens import Colour, Scheme

_Role = QPalette.ColorRole
_Group = QPalette.ColorGroup

_ROLES: dict[QPalette.ColorRole, Colour] = {
    _Role.Window: Colour.CANVAS,
    _Role.WindowText: Colour.TEXT,
    _Role.Base: Colour.RAISED,
    _Role.AlternateBase: Colour.RAIL,
    _Role.ToolTipBase: Colour.RAISED,
    _Role.ToolTipText: Colour.TEXT,
    _Role.PlaceholderText: Colour.FAINT,
    _Role.Text: Colour.TEXT,
    _Role.Button: Colour.RAISED,
    _Role.ButtonText: Colour.TEXT,
    _Role.BrightText: Colour.BAD,
    _Role.Light: Colour.SURFACE,
    _Role.Midlight: Colour.QUIET,
    _Role.Mid: Colour.LINE,
    _Role.Dark: Colour.EDGE,
    _Role.Shadow: Colour.EDGE,
    _Role.Highlight: Colour.SELECTION,
    _Role.HighlightedText: Colour.TEXT,
    _Role.Link: Colour.ACCENT,
    _Role.LinkVisited: Colour.ACCENT,
    _Role.Accent: Colour.ACCENT,
}

# What cannot be used now is faint; its ground stays, so nothing jumps.
_DISABLED: dict[QPalette.ColorRole, Colour] = {
    _Role.WindowText: Colour.FAINT,
    _Role.Text: Colour.FAINT,
    _Role.ButtonText: Colour.FAINT,
    _Role.HighlightedText: Colour.FAINT,
    _Role.Highlight: Colour.QUIET,
    _Role.Accent: Colour.EDGE,
}


@cache
def colour(name: Colour, scheme: Scheme) -> QColor:
    """The colour of that name in the given scheme."""
    return QColor(tokens.value(name, scheme))


def palette(scheme: Scheme) -> QPalette:
    """The whole palette of a scheme, every role for active, inactive and disabled."""
    made = QPalette()
    for role, name in _ROLES.items():
        made.setColor(_Group.Active, role, colour(name, scheme))
        made.setColor(_Group.Inactive, role, colour(name, scheme))
        made.setColor(_Group.Disabled, role, colour(_DISABLED.get(role, name), scheme))
    return made


def scheme_of(given: QPalette) -> Scheme:
    """Whether a palette is a light or a dark one, told by its ground."""
    ground = given.color(_Group.Active, _Role.Window)
    return Scheme.DARK if tokens.luminance(ground.name()) < 0.2 else Scheme.LIGHT


def ink(name: Colour) -> QColor:
    """The colour of that name in the scheme which the application wears now.

    Painters ask at each paint, so a change of scheme needs nothing but a repaint.
    """
    return colour(name, scheme_of(QGuiApplication.palette()))
