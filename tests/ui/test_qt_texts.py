"""Qt's own texts speak the reader's language: the menu of a field, and the buttons of a dialog."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QTranslator
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QLineEdit, QPlainTextEdit
from pytestqt.qtbot import QtBot

from app.settings import SETTINGS
from app.ui import qt_texts

LANGUAGES = [each for each, _label in SETTINGS["language"].choices if each not in ("auto", "en")]


@pytest.fixture
def spoken(qapp: QApplication, request: pytest.FixtureRequest) -> Iterator[str]:
    """The application in a language; English again afterwards."""
    language: str = request.param
    qt_texts.speak(qapp, language)
    yield language
    for translator in qapp.findChildren(QTranslator):
        qapp.removeTranslator(translator)
        translator.setParent(None)


def _menu(widget: QLineEdit | QPlainTextEdit) -> list[str]:
    menu = widget.createStandardContextMenu()
    return [action.text().split("\t")[0] for action in menu.actions() if action.text()]


@pytest.mark.parametrize("spoken", LANGUAGES, indirect=True)
def test_menus_of_fields_and_buttons_of_dialogs_are_translated(qtbot: QtBot, spoken: str) -> None:
    line, text = QLineEdit(), QPlainTextEdit()
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
    for widget in (line, text, box):
        qtbot.addWidget(widget)
    said = [*_menu(line), *_menu(text), *(button.text() for button in box.buttons())]
    assert len(said) > 12
    plain = [each for each in said if each.partition("(&")[0].isascii()]
    assert not plain, spoken
    assert any(each.startswith({"zh_CN": "粘贴", "zh_TW": "貼上"}[spoken]) for each in said)


@pytest.mark.parametrize("spoken", ["en"], indirect=True)
def test_english_loads_nothing(qapp: QApplication, spoken: str) -> None:
    assert not qapp.findChildren(QTranslator), spoken
