"""Dresses the application in Fusion, palette, style sheet and fonts, as the system or the person has it."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication

from app import resources
from app.ui.theme import fonts, tokens
from app.ui.theme.palette import palette
from app.ui.theme.tokens import COLOURS, Scheme

STYLE: Final = "Fusion"
WORN: Final = "fieldkeepStyle"  # on an application that was made in this style: to set it takes 7 ms more
_NAME = re.compile(r"@([a-z0-9_]+)")


class Look(StrEnum):
    """What a person chose: as the system has it, or always light, or always dark."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Theme(QObject):
    """What the application wears; holds the line to the system's own choice open.

    `changed` carries the scheme after palette and style sheet are in place.
    """

    changed = Signal(object)

    def __init__(self, application: QApplication, language: str = "en", scale: float = 1.0) -> None:
        """Set style and fonts; `scale` is how large text is, 1.0 to 2.0. Both ask for a restart to change."""
        super().__init__(application)
        self._application = application
        self._look = Look.SYSTEM
        self._scheme: Scheme | None = None
        if application.property(WORN) is None:
            application.setStyle(STYLE)
        application.setFont(fonts.base(language, scale))
        application.styleHints().colorSchemeChanged.connect(self._follow)

    @property
    def look(self) -> Look:
        """The choice in force."""
        return self._look

    @property
    def scheme(self) -> Scheme:
        """The scheme worn now."""
        return self._scheme or Scheme.LIGHT

    def use(self, look: Look) -> None:
        """Wear this look now; the window's frame follows too."""
        self._look = look
        self._application.styleHints().setColorScheme(_hint(look))
        self._follow()

    def _follow(self) -> None:
        system = self._application.styleHints().colorScheme()
        scheme = _scheme(self._look, system)
        if scheme is self._scheme:
            return
        self._scheme = scheme
        self._application.setPalette(palette(scheme))
        self._application.setStyleSheet(style_sheet(scheme, fonts.scale()))
        self.changed.emit(scheme)


@cache
def style_sheet(scheme: Scheme, scale: float = 1.0) -> str:
    """The style sheet of a scheme with every name filled in; raises KeyError for a name that no table has."""
    names = {str(colour): tokens.value(colour, scheme) for colour in COLOURS}
    names |= {name: f"{round(length)}px" for name, length in _measures(scale).items()}
    return _NAME.sub(lambda found: names[found[1]], resources.read_text("style.qss"))


def _measures(scale: float) -> dict[str, float]:
    field = tokens.FIELD * scale
    return {
        "radius": tokens.RADIUS,
        "ring": tokens.RING,
        "field": field,
        "field_inner": round(field) - 2 * tokens.HAIRLINE,
        "field_ring": round(field) - 2 * tokens.RING,
        "pad": tokens.S12,
        "pad_ring": tokens.S12 - tokens.RING + tokens.HAIRLINE,
        "s4": tokens.S4,
        "s8": tokens.S8,
        "s12": tokens.S12,
        "s16": tokens.S16,
    }


def _hint(look: Look) -> Qt.ColorScheme:
    named = {Look.LIGHT: Qt.ColorScheme.Light, Look.DARK: Qt.ColorScheme.Dark}
    return named.get(look, Qt.ColorScheme.Unknown)


def _scheme(look: Look, system: Qt.ColorScheme) -> Scheme:
    if look is Look.SYSTEM:
        return Scheme.DARK if system is Qt.ColorScheme.Dark else Scheme.LIGHT
    return Scheme.DARK if look is Look.DARK else Scheme.LIGHT
