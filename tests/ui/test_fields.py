"""Editors of fields: the label a first value has, room for a currency, and a half-typed value that stays."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from app.ui.fields.plain import CURRENCIES, LineEditor, MoneyEditor
from app.ui.fields.several import SeveralEditor
from app.ui.kit import paint
from app.ui.kit.buttons import Button, Part
from app.ui.theme.tokens import S4, S8
from sync.protocol.fields import Several
from sync.protocol.kinds import KINDS

FIELDS = [
    pytest.param(kind, field.name, first, id=f"{kind}-{field.name}")
    for kind in ("customer", "contact")
    for field in KINDS[kind].fields
    if isinstance(field.type, Several)
    for first in ["main" if field.type.of == "url" else "work"]
]


@pytest.mark.parametrize(("kind", "name", "first"), FIELDS)
def test_a_first_value_has_the_first_label_whatever_was_shown_before(
    qtbot: QtBot, kind: str, name: str, first: str
) -> None:
    editor = SeveralEditor(KINDS[kind].by_name[name], name)
    qtbot.addWidget(editor)
    told: list[list[dict[str, str]]] = []
    editor.put.connect(told.append)
    for shown in (None, None, [{"id": "aa" * 6, "label": first, "value": "x@y"}], None, None):
        editor.show_value(shown)
    line, label = editor.stops()[:2]
    assert isinstance(line, QLineEdit)
    assert isinstance(label, QComboBox)
    assert label.currentData() == first
    QTest.keyClicks(line, "a@b")
    assert [(each["label"], each["value"]) for each in told[-1]] == [(first, "a@b")]


@pytest.mark.parametrize("kind", ["customer", "contact"])
def test_no_e_mail_is_offered_to_be_mobile(kind: str) -> None:
    emails = KINDS[kind].by_name["emails"].type
    assert isinstance(emails, Several)
    assert "mobile" not in emails.labels


def test_what_is_only_looked_at_can_be_gone_through_and_copied_and_not_changed(qtbot: QtBot) -> None:
    editor = SeveralEditor(KINDS["customer"].by_name["phones"], "Phones")
    qtbot.addWidget(editor)
    editor.show_value([{"id": "aa" * 6, "label": "work", "value": "030 1234"}])
    editor.set_usable(False)
    told: list[object] = []
    editor.put.connect(told.append)
    line = editor.first()
    assert isinstance(line, QLineEdit)
    assert line.isEnabled()
    QTest.keyClicks(line, "5")
    line.selectAll()
    assert (line.selectedText(), told) == ("030 1234", [])
    assert not any(each.isEnabled() for each in editor.findChildren(QAbstractButton))
    editor.set_usable(True)
    QTest.keyClicks(line, "5")
    assert told


@pytest.mark.parametrize("currency", CURRENCIES)
def test_a_currency_is_not_cut(qtbot: QtBot, currency: str) -> None:
    field = KINDS["deal"].by_name["amount"]
    editor = MoneyEditor(field, "Amount", currency)
    qtbot.addWidget(editor)
    editor.resize(400, 40)
    editor.show()
    (box,) = editor.findChildren(QComboBox)
    assert box.currentText() == currency
    room = box.width() - S8 - 14 - S8 - S4
    assert paint.width(currency, box.font()) <= room


@pytest.mark.parametrize(
    ("reason", "leaves"),
    [
        (Qt.FocusReason.PopupFocusReason, False),
        (Qt.FocusReason.MenuBarFocusReason, False),
        (Qt.FocusReason.TabFocusReason, True),
        (Qt.FocusReason.MouseFocusReason, True),
        (Qt.FocusReason.ActiveWindowFocusReason, True),
    ],
)
def test_what_pops_up_does_not_leave_the_field(qtbot: QtBot, reason: Qt.FocusReason, *, leaves: bool) -> None:
    editor = LineEditor(KINDS["customer"].by_name["name"], "Name")
    qtbot.addWidget(editor)
    left: list[int] = []
    editor.left.connect(lambda: left.append(1))
    QApplication.sendEvent(editor.first(), QFocusEvent(QFocusEvent.Type.FocusOut, reason))
    assert bool(left) is leaves


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_enter_presses_any_button(qtbot: QtBot, key: Qt.Key) -> None:
    clicks: list[str] = []
    for part in (Part.MAIN, Part.PLAIN):
        button = Button("Unlock", part)
        qtbot.addWidget(button)
        button.clicked.connect(lambda _on=False, part=part: clicks.append(str(part)))
        QTest.keyClick(button, key)
    assert clicks == ["main", "plain"]
    unable = Button("Unlock", Part.MAIN)
    qtbot.addWidget(unable)
    unable.setEnabled(False)
    QTest.keyClick(unable, key)
    assert not unable.isDown()
