"""Chips that say what a list is narrowed to, each changed by keyboard alone, and the place where that is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.store.filters import ALL, Condition, Filter
from app.ui.kit.buttons import Button, Part
from app.ui.kit.chip import Chip
from app.ui.kit.flow import Flow
from app.ui.question import take_away
from app.ui.theme import fonts
from app.ui.theme.tokens import S4, S8, S16, Step
from app.viewmodels import narrow
from app.viewmodels.desk import Desk
from sync.protocol.texts import gettext as _

if TYPE_CHECKING:
    from app.ui.filter_editor import FilterEditor


class FilterBar(QFrame):
    """`left()` asks for the focus to go back into the list; `restacked()` says that the stops are others now."""

    left = Signal()
    restacked = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._shown: tuple[str, Filter] | None = None
        self._editor: FilterEditor | None = None
        self._changing: int | None = None  # which condition is being changed; None for a new one
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._row = QWidget()
        self._row.setAccessibleName(_("Filter"))
        self._flow = Flow(self._row, S4)
        self._flow.setContentsMargins(S16, S4, S8, S8)
        policy = self._row.sizePolicy()
        policy.setHeightForWidth(True)
        self._row.setSizePolicy(policy)
        column.addWidget(self._row)
        self._place = QVBoxLayout()
        column.addLayout(self._place)
        self._chips: list[Chip] = []
        self.refresh()

    # -- what is shown

    def refresh(self) -> None:
        """Show the filter of the section's list."""
        rows = self._desk.list
        now = (rows.kind.name, rows.filter)
        if now == self._shown:
            return
        if self._shown is not None and self._shown[0] != now[0]:
            self._close()
        self._shown = now
        had = next((at for at, chip in enumerate(self._chips) if chip.hasFocus()), None)
        while (item := self._flow.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.hide()
                old.deleteLater()
        self._chips = []
        for at, condition in enumerate(rows.filter.conditions):
            self._add_chip(narrow.described(rows.kind, condition, self._desk.sections.names), at)
        if rows.filter.words:
            self._add_chip(_("Words: {words}").format(words=rows.filter.words), len(rows.filter.conditions))
        if rows.filter:
            for verb, act in ((_("Add"), self.add), (_("Clear filter"), self.clear)):
                button = Button(verb, Part.LINK)
                button.setFont(fonts.font(Step.SMALL, semibold=True))
                button.setAccessibleName(_("Add to the filter") if act == self.add else verb)
                button.clicked.connect(act)
                self._flow.addWidget(button)
                button.show()
        self._row.setVisible(bool(rows.filter))
        self._row.updateGeometry()
        self.restacked.emit()
        if had is not None:
            self._focus(min(had, len(self._chips) - 1))

    def _add_chip(self, words: str, at: int) -> None:
        chip = Chip(words, _("{condition}, change").format(condition=words))
        chip.clicked.connect(lambda: self._change(at))
        chip.removed.connect(lambda: self._remove(at))
        self._flow.addWidget(chip)
        chip.show()
        self._chips.append(chip)

    def _focus(self, at: int) -> None:
        if 0 <= at < len(self._chips):
            self._chips[at].setFocus(Qt.FocusReason.TabFocusReason)
        else:
            self.left.emit()

    def chips(self) -> list[Chip]:
        """The chips, in order."""
        return list(self._chips)

    def stops(self) -> list[QWidget]:
        """What takes the focus by Tab, in reading order."""
        flow = [
            item.widget() for at in range(self._flow.count()) if (item := self._flow.itemAt(at)) is not None
        ]
        return [*(each for each in flow if each is not None), *(self._editor.stops() if self._editor else ())]

    @property
    def editor(self) -> FilterEditor | None:
        """The condition that is being made or changed."""
        return self._editor

    # -- what a person does

    def add(self) -> None:
        """Begin a condition."""
        self._open(None)

    def clear(self) -> None:
        """Show everything again."""
        self._close()
        self._show(ALL)
        self.left.emit()

    def _change(self, at: int) -> None:
        self._open(at)

    def _remove(self, at: int) -> None:
        filter_ = self._desk.list.filter
        conditions = list(filter_.conditions)
        if at < len(conditions):
            del conditions[at]
            self._show(msgspec.structs.replace(filter_, conditions=tuple(conditions)))
        else:
            self._show(msgspec.structs.replace(filter_, words=""))
        self._focus(min(at, len(self._chips) - 1))

    def _open(self, at: int | None) -> None:
        self._close()
        rows = self._desk.list
        conditions = rows.filter.conditions
        held = conditions[at] if at is not None and at < len(conditions) else None
        words = rows.filter.words if at is not None and held is None else ""
        self._changing = at
        from app.ui.filter_editor import FilterEditor  # editors of values: most lists are never narrowed

        self._editor = FilterEditor(self._desk, rows.kind, held, words)
        self._editor.applied.connect(self._apply)
        self._editor.worded.connect(self._word)
        self._editor.removed.connect(self._remove_open)
        self._editor.left.connect(self._leave)
        self._editor.restacked.connect(self.restacked)
        self._place.addWidget(self._editor)
        self._editor.show()
        self.restacked.emit()
        self._editor.enter()

    def _apply(self, condition: Condition) -> None:
        filter_ = self._desk.list.filter
        conditions = list(filter_.conditions)
        at = self._changing
        if at is not None and at < len(conditions):
            conditions[at] = condition
        else:
            at = len(conditions)
            conditions.append(condition)
        words = "" if self._changing == len(filter_.conditions) else filter_.words
        self._close()
        self._show(Filter(tuple(conditions), words))
        self._focus(at)

    def _word(self, words: str) -> None:
        filter_ = self._desk.list.filter
        conditions = list(filter_.conditions)
        if self._changing is not None and self._changing < len(conditions):
            del conditions[self._changing]
        self._close()
        self._show(Filter(tuple(conditions), words))
        self._focus(len(self._chips) - 1)

    def _remove_open(self) -> None:
        at = self._changing
        self._close()
        if at is not None:
            self._remove(at)

    def _leave(self) -> None:
        at = self._changing
        self._close()
        self._focus(at if at is not None else len(self._chips))

    def _close(self) -> None:
        editor, self._editor = self._editor, None
        take_away(self._place, editor)

    def _show(self, filter_: Filter) -> None:
        self._desk.sections.show(filter_, self._desk.list.order)
        self.refresh()
