"""The page of keys (F1), read off the table of commands."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from app.commands import COMMANDS
from app.ui.kit.card import Card
from app.ui.kit.text import Line, key_hint
from app.ui.pages import Page
from app.ui.shortcuts import shown_keys
from app.ui.theme import fonts
from app.ui.theme.tokens import S8, S12
from sync.protocol.texts import gettext as _


class KeysPage(Page):
    """Every command and its keys, by what they are for."""

    def __init__(self) -> None:
        super().__init__(_("Keys"))
        for group in dict.fromkeys(command.group for command in COMMANDS):
            card = Card(_(group))
            holder = QWidget()
            grid = QGridLayout(holder)
            grid.setContentsMargins(0, 0, 0, 0)
            grid.setHorizontalSpacing(S12)
            grid.setVerticalSpacing(S8)
            grid.setColumnMinimumWidth(0, fonts.px(110))
            grid.setColumnStretch(1, 1)
            for at, command in enumerate(each for each in COMMANDS if each.group == group):
                grid.addWidget(key_hint(shown_keys(command)), at, 0, Qt.AlignmentFlag.AlignLeft)
                grid.addWidget(Line(_(command.title)), at, 1)
            card.add(holder)
            self.column.addWidget(card)
