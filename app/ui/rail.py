"""The sections down the left edge, read off the table of kinds, with the sync badge at their foot."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout

from app.commands import BY_ID, CONFLICTS, DUPLICATES, SETTINGS, TODAY, TOTALS
from app.ui.kit.badge import BadgeState, SyncBadge
from app.ui.kit.paint import Tone
from app.ui.kit.rail_button import RailButton
from app.ui.shortcuts import shown_keys
from app.ui.theme.fonts import px
from app.ui.theme.tokens import RAIL_NARROW, RAIL_WIDTH, S8, S12
from app.viewmodels import words
from app.viewmodels.reading import Counts, in_order
from app.viewmodels.sync_state import Standing
from sync.protocol.texts import gettext as _


class Rail(QFrame):
    """`chosen(section)` is a click on a section; `asked()` a click on the badge."""

    chosen = Signal(str)
    asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("part", "rail")
        self._buttons: dict[str, RailButton] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(S8, S12, S8, S12)
        column.setSpacing(2)
        column.addWidget(self._section(TODAY, "today", _("Today"), "today"))
        for kind in in_order():
            column.addWidget(self._section(kind.name, kind.icon, _(kind.plural), f"go_{kind.name}"))
        column.addSpacing(S12)
        column.addWidget(self._section(TOTALS, "totals", _("Totals"), "totals"))
        column.addWidget(self._section(CONFLICTS, "conflict", _("Conflicts"), "conflicts"))
        column.addWidget(self._section(DUPLICATES, "duplicate", _("Duplicates"), "duplicates"))
        column.addStretch(1)
        self.badge = SyncBadge()
        self.badge.clicked.connect(self.asked)
        column.addWidget(self.badge)
        column.addSpacing(S8)
        column.addWidget(self._section(SETTINGS, "settings", _("Settings"), "settings"))
        self.set_compact(False)

    def _section(self, section: str, icon: str, name: str, command: str) -> RailButton:
        made = RailButton(icon, name)
        made.set_keys(shown_keys(BY_ID[command]))
        made.clicked.connect(lambda: self.chosen.emit(section))
        self._buttons[section] = made
        return made

    def set_compact(self, compact: bool) -> None:
        """Icons alone, or icons with names and figures."""
        self.setFixedWidth(px(RAIL_NARROW if compact else RAIL_WIDTH))
        for button in self._buttons.values():
            button.set_compact(compact)
        self.badge.set_compact(compact)

    def show_section(self, section: str) -> None:
        """Mark the section that is shown."""
        for name, button in self._buttons.items():
            button.setChecked(name == section)

    def show_counts(self, counts: Counts) -> None:
        """Show how many records there are, how many tasks are due, and how many conflicts."""
        figures: Mapping[str, int] = {
            **counts.kinds,
            TODAY: counts.due,
            CONFLICTS: counts.conflicts + counts.refused,
            DUPLICATES: counts.pairs,
        }
        for name, button in self._buttons.items():
            count = figures.get(name, 0)
            # Only what was not accepted asks for something: two values may stand for ever.
            tone = Tone.WARN if name == CONFLICTS and counts.refused else Tone.PLAIN
            button.set_count(words.number(count) if count else "", tone)

    def show_sync(self, standing: Standing) -> None:
        """Show how syncing stands."""
        self.badge.show_state(BadgeState(standing.state), standing.words)
        self.badge.setToolTip("\n".join(part for part in (standing.sentence, standing.beside) if part))
