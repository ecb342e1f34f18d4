"""The records of one kind that refer to the record shown, as a list with a way to add one."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedLayout, QVBoxLayout

from app.ui.kit.buttons import Button
from app.ui.kit.painted_list import PaintedList
from app.ui.kit.placeholder import Placeholder
from app.ui.list_pane import ListRows
from app.ui.theme.tokens import S8, S16, S24
from app.viewmodels.records import RecordList
from sync.protocol.texts import gettext as _


class RelatedPage(QFrame):
    """`opened(kind, id)` is Enter or a double click, `adding(kind)` begins one, `left()` is Esc."""

    opened = Signal(str, bytes)
    adding = Signal(str)
    left = Signal()

    def __init__(self, records: RecordList, *, may_change: bool) -> None:
        super().__init__()
        self.kind = records.kind
        self._records = records
        column = QVBoxLayout(self)
        column.setContentsMargins(S24, S16, S24, S24)
        column.setSpacing(S8)
        self._rows = PaintedList(_(self.kind.plural))
        self._rows.opened.connect(self._open)
        self._rows.left.connect(self.left)
        records.on_rows = self._rows.rows_changed
        new = _("New {kind}").format(kind=_(self.kind.label).lower())
        add = Button(new, icon="plus")
        if not may_change:
            add.hide()
        add.clicked.connect(lambda: self.adding.emit(self.kind.name))
        head = QHBoxLayout()
        head.addWidget(add)
        head.addStretch(1)
        card = QFrame()
        card.setProperty("part", "card")
        self._body = QStackedLayout(card)
        self._body.setContentsMargins(1, 1, 1, 1)
        self._body.addWidget(self._rows)
        self._body.addWidget(
            Placeholder(self.kind.icon, _("No {kinds} here yet").format(kinds=_(self.kind.plural).lower()))
        )
        column.addLayout(head)
        column.addWidget(card, 1)
        self._unwatch = records.watch(self._refresh)

    def _refresh(self) -> None:
        self._rows.show_rows(ListRows(self._records), self._rows.chosen_row(), stay=True)
        self._body.setCurrentIndex(0 if self._records.count() else 1)
        self._records.look(self._rows.rows_in_view())

    def _open(self, at: int) -> None:
        shown = self._records.shown(at)
        if shown is not None:
            self.opened.emit(shown.kind, shown.id)

    def let_go(self) -> None:
        """Stop watching: the page goes."""
        self._unwatch()
        self._records.close()
