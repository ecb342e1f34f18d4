"""Every ink can be read on every ground it may stand on, and colours are written in one place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.ui.theme import tokens
from app.ui.theme.tokens import COLOURS, PAIRS, Colour, Scheme

ROOM = Path(tokens.__file__).resolve().parent.parent
INKS = (
    Colour.TEXT,
    Colour.SOFT,
    Colour.FAINT,
    Colour.ACCENT,
    Colour.ON_ACCENT,
    Colour.OK,
    Colour.WARN,
    Colour.BAD,
    Colour.EDGE,
    Colour.BAR,
)


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize(
    ("ink", "ground", "least"),
    [(pair.ink, ground, pair.least) for pair in PAIRS for ground in pair.grounds],
)
def test_contrast(scheme: Scheme, ink: Colour, ground: Colour, least: float) -> None:
    assert tokens.contrast(tokens.value(ink, scheme), tokens.value(ground, scheme)) >= least


def test_contrast_is_counted_as_wcag_counts_it() -> None:
    assert tokens.contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert tokens.contrast("#ffffff", "#767676") == pytest.approx(4.54, abs=0.01)
    assert tokens.contrast("#123456", "#123456") == pytest.approx(1.0)


def test_least_contrasts_are_those_promised() -> None:
    least = {pair.ink: pair.least for pair in PAIRS}
    assert set(least) == set(INKS)
    assert least[Colour.TEXT] == 10
    assert least[Colour.SOFT] == least[Colour.FAINT] == 4.5
    assert least[Colour.OK] == least[Colour.WARN] == least[Colour.BAD] == 5
    assert least[Colour.EDGE] == least[Colour.BAR] == 3


def test_each_colour_has_both_schemes_and_a_use() -> None:
    assert set(COLOURS) == set(Colour)
    for shade in COLOURS.values():
        assert re.fullmatch("[0-9A-F]{6}", shade.light)
        assert re.fullmatch("[0-9A-F]{6}", shade.dark)
        assert shade.use


def test_no_colour_is_written_anywhere_else() -> None:
    written = re.compile(r"#[0-9a-fA-F]{3,8}\b|QColor\(\s*[\"'\d]|rgba?\(|GlobalColor\.(?!transparent)")
    sheet = ROOM.parent.parent / "resources" / "style.qss"
    files = [file for file in ROOM.rglob("*.py") if file.name != "tokens.py"]
    assert len(files) > 10
    for file in (*files, sheet):
        assert not written.search(file.read_text(encoding="utf-8")), file.name
