"""The badge tells its states by shape and words, and speaks no more often than it should."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.ui.kit.badge import ANNOUNCE_EVERY_MS, ICONS, BadgeState, SyncBadge, may_announce
from app.ui.theme import icons
from app.ui.theme.tokens import TOUCH, Colour


def test_each_state_has_a_shape_of_its_own(qapp: QApplication) -> None:
    shapes = [icons.picture(ICONS[state], Colour.TEXT, 20, 1.0).toImage() for state in BadgeState]
    assert all(one != other for at, one in enumerate(shapes) for other in shapes[at + 1 :])


@pytest.mark.parametrize("state", BadgeState)
def test_words_are_shown_spoken_and_kept_when_compact(qtbot: QtBot, state: BadgeState) -> None:
    badge = SyncBadge()
    qtbot.addWidget(badge)
    badge.show_state(state, "3 waiting · offline")
    wide = badge.sizeHint().width()
    badge.set_compact(True)
    assert badge.state is state
    assert TOUCH <= badge.sizeHint().width() < wide
    assert badge.sizeHint().height() >= TOUCH
    assert badge.toolTip() == "3 waiting · offline"
    spoken = QAccessible.queryAccessibleInterface(badge)
    assert spoken.text(QAccessible.Text.Name) == "3 waiting · offline"


def test_news_are_told_once_a_minute_and_at_once_when_it_needs_the_person() -> None:
    assert may_announce(BadgeState.SENT, None)
    assert not may_announce(BadgeState.OFFLINE, ANNOUNCE_EVERY_MS - 1)
    assert may_announce(BadgeState.OFFLINE, ANNOUNCE_EVERY_MS)
    assert may_announce(BadgeState.REFUSED, 0)
    assert may_announce(BadgeState.NEEDS, 0)
