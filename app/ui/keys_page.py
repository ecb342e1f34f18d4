"""The page of keys (F1), read off the table of commands."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from app.commands import COMMANDS, HERE, WITHIN
from app.ui.kit.card import Card
from app.ui.kit.text import Paragraph, key_hint
from app.ui.pages import Page
from app.ui.shortcuts import all_keys
from app.ui.theme import fonts
from app.ui.theme.tokens import S4, S8, S12
from sync.protocol.joins import spoken
from sync.protocol.texts import gettext as _

_KEYS_WIDE = 148


class KeysPage(Page):
    """Every command with all its keys, by what they are for. Takes the focus, so that keys scroll it and Esc leaves."""

    def __init__(self) -> None:
        super().__init__(_("Keys"), _("Everything here can also be found by name in the palette."))
        self.setAccessibleName(_("Keys"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for group in dict.fromkeys(command.group for command in COMMANDS):
            self._add(
                group,
                [(command.title, command.keys) for command in COMMANDS if command.group == group],
            )
        self._add(HERE, [(each.title, each.keys) for each in WITHIN])

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring to who comes by Tab: a page that was asked for needs none."""
        super().focusInEvent(event)
        self._ring(event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The ring goes with the focus."""
        super().focusOutEvent(event)
        self._ring(False)

    def _ring(self, on: bool) -> None:
        if bool(self.property("ring")) is not on:
            self.setProperty("ring", on)
            self.style().unpolish(self)
            self.style().polish(self)

    def _add(self, group: str, told: Sequence[tuple[str, tuple[str, ...]]]) -> None:
        card = Card(_(group))
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(S12)
        grid.setVerticalSpacing(S8)
        grid.setColumnMinimumWidth(0, fonts.px(_KEYS_WIDE))
        grid.setColumnStretch(1, 1)
        for at, (title, keys) in enumerate(told):
            name = Paragraph(_(title))
            name.setAccessibleName(spoken((_(title), *all_keys(keys))))
            grid.addWidget(_caps(keys), at, 0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            grid.addWidget(name, at, 1)
        card.add(holder)
        self.column.addWidget(card)


def _caps(keys: tuple[str, ...]) -> QWidget:
    caps = QWidget()
    row = QHBoxLayout(caps)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(S4)
    for each in all_keys(keys):
        row.addWidget(key_hint(each))
    return caps
