"""The style sheet is small, names its colours, and follows the look that was chosen."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app import resources
from app.ui.theme import tokens
from app.ui.theme.palette import scheme_of
from app.ui.theme.style import Look, Theme, style_sheet
from app.ui.theme.tokens import Colour, Scheme


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = Theme(qapp)
    yield made
    made.use(Look.SYSTEM)
    made.deleteLater()


@pytest.mark.parametrize("scheme", Scheme)
def test_all_names_are_filled_in(scheme: Scheme) -> None:
    filled = style_sheet(scheme)
    assert "@" not in filled
    assert tokens.value(Colour.ACCENT, scheme) in filled


def test_sheet_leaves_fonts_and_fusions_controls_alone() -> None:
    source = re.sub(r"/\*.*?\*/", "", resources.read_text("style.qss"), flags=re.DOTALL)
    assert not re.search(r"\bfont\b|font-|letter-spacing", source)
    assert not re.search(r"QComboBox|QSpinBox|QDate|QCheckBox", source)
    assert len(source.splitlines()) < 130


def test_chosen_look_is_worn_at_once(theme: Theme, qapp: QApplication) -> None:
    told: list[Scheme] = []
    theme.changed.connect(told.append)
    for look, scheme in ((Look.DARK, Scheme.DARK), (Look.LIGHT, Scheme.LIGHT), (Look.DARK, Scheme.DARK)):
        theme.use(look)
        assert theme.scheme is scheme
        assert scheme_of(qapp.palette()) is scheme
        assert tokens.value(Colour.ACCENT, scheme) in qapp.styleSheet()
    assert told == [Scheme.DARK, Scheme.LIGHT, Scheme.DARK]


def test_system_look_follows_what_the_system_tells(theme: Theme, qapp: QApplication) -> None:
    theme.use(Look.SYSTEM)
    system = qapp.styleHints().colorScheme()
    assert theme.scheme is (Scheme.DARK if system is Qt.ColorScheme.Dark else Scheme.LIGHT)
    assert (
        qapp.style().objectName().lower() == "fusion"
        or qapp.style().metaObject().className() == "QStyleSheetStyle"
    )
