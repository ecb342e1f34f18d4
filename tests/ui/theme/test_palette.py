"""The palette sets every role in every group and tells which scheme it is."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication

from app.ui.theme import tokens
from app.ui.theme.palette import ink, palette, scheme_of
from app.ui.theme.tokens import Colour, Scheme

GROUPS = (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive, QPalette.ColorGroup.Disabled)
ROLES = [role for role in QPalette.ColorRole if role.name not in {"NoRole", "NColorRoles"}]


@pytest.mark.parametrize("scheme", Scheme)
def test_every_role_of_every_group_comes_from_the_table(qapp: QApplication, scheme: Scheme) -> None:
    table = {tokens.value(colour, scheme).lower() for colour in Colour}
    made = palette(scheme)
    for group in GROUPS:
        for role in ROLES:
            assert made.isBrushSet(group, role), (group, role)
            assert made.color(group, role).name() in table, (group, role)


@pytest.mark.parametrize("scheme", Scheme)
def test_scheme_is_told_by_the_palette(qapp: QApplication, scheme: Scheme) -> None:
    assert scheme_of(palette(scheme)) is scheme
    qapp.setPalette(palette(scheme))
    assert ink(Colour.SOFT).name() == tokens.value(Colour.SOFT, scheme).lower()


@pytest.mark.parametrize("scheme", Scheme)
def test_disabled_is_fainter_and_can_be_read(qapp: QApplication, scheme: Scheme) -> None:
    made = palette(scheme)
    words = made.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.WindowText).name()
    active = made.color(QPalette.ColorGroup.Active, QPalette.ColorRole.WindowText).name()
    ground = made.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Window).name()
    assert 4.5 <= tokens.contrast(words, ground) < tokens.contrast(active, ground)
