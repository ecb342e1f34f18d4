"""The right half of the workplace: one record, or a word while none is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QStackedWidget, QVBoxLayout

from app.commands import BY_ID, PALETTE
from app.ui.kit.placeholder import Placeholder
from app.ui.shortcuts import shown_keys
from app.viewmodels.desk import Desk
from sync.protocol.texts import gettext as _

if TYPE_CHECKING:
    from app.ui.record_pane import RecordPane


class DetailPane(QFrame):
    """`left()` asks for the list again, `tearing()` for a window of its own for the record.

    What shows a record is made with the first one.
    """

    left = Signal()
    tearing = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setProperty("part", "page")
        self._desk = desk
        self._record: RecordPane | None = None
        self._enters = False
        self._alone = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._body = QStackedWidget()
        column.addWidget(self._body)
        keys = shown_keys(BY_ID[PALETTE])
        how = _("Choose one on the left, or press {keys}.").format(keys=keys)
        self._nothing = Placeholder("search", _("Nothing chosen"), how)
        self._body.addWidget(self._nothing)
        self._unwatch = desk.on_detail.watch(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what the desk has: nothing, a record, or one that is being made."""
        editor = self._desk.editor
        if editor is None:
            if self._record is not None:
                self._record.forget()
            self._body.setCurrentWidget(self._nothing)
            return
        record = self._shown()
        record.show_editor(editor)
        self._body.setCurrentWidget(record)
        if self._enters and self._desk.detail is not None:
            self._enters = False
            record.edit()

    def _shown(self) -> RecordPane:
        if self._record is None:
            # Forms, editors, timeline: the first list needs none of it.
            from app.ui.record_pane import RecordPane

            self._record = RecordPane(self._desk)
            self._record.left.connect(self.left)
            self._record.tearing.connect(self.tearing)
            self._record.set_alone(self._alone)
            self._body.addWidget(self._record)
        return self._record

    def edit(self) -> None:
        """Go into the form."""
        if self._record is not None:
            self._record.edit()

    def pages(self) -> tuple[str, ...]:
        """The pages of the record that is shown: overview, details, kinds that refer to it."""
        return self._record.pages() if self._record is not None else ()

    def show_page(self, page: str) -> None:
        """Show one of these pages."""
        self._shown().show_page(page)

    def enter_when_shown(self) -> None:
        """Go into the form of the record that is being read, as soon as it is there."""
        self._shown().turn_to_details()
        self._enters = True

    def set_alone(self, alone: bool) -> None:
        """Whether the list is hidden, so that a button leads back to it."""
        self._alone = alone
        if self._record is not None:
            self._record.set_alone(alone)

    def let_go(self) -> None:
        """Stop watching: the pane goes."""
        self._unwatch()
        if self._record is not None:
            self._record.let_go()
