"""The first page of a record: a note to write, what happened, and cards of facts, deals and tasks beside it."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.ui.kit.buttons import Button, Part
from app.ui.kit.card import Card, Fact, FactsTable
from app.ui.kit.lines import LineList
from app.ui.kit.text import Line
from app.ui.kit.timeline import Moment, Timeline
from app.ui.theme import fonts
from app.ui.theme.tokens import CARD_WIDTH, S8, S12, S16, S24, TEXT_WIDTH, Colour, Step
from app.viewmodels.overview import Overview
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

_TWO_COLUMNS_FROM = 620


class OverviewPage(QScrollArea):
    """`opened(kind, id)` asks for a record, `adding(kind)` begins one.

    `noting(text)` tells of each letter of a note, `noted()` that it is to be kept.
    """

    opened = Signal(str, bytes)
    noting = Signal(str)
    noted = Signal()
    adding = Signal(str)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._shown: Overview | None = None
        self._page = QWidget()
        self._panes = QBoxLayout(QBoxLayout.Direction.LeftToRight, self._page)
        self._panes.setContentsMargins(S24, S16, S24, S24)
        self._panes.setSpacing(S24)
        self._panes.addWidget(self._happened(), 1, Qt.AlignmentFlag.AlignTop)
        self._panes.addWidget(self._cards(), 0, Qt.AlignmentFlag.AlignTop)
        self.setWidget(self._page)

    def _happened(self) -> QWidget:
        holder = QWidget()
        holder.setMaximumWidth(fonts.px(TEXT_WIDTH))
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(S12)
        self.note = _NoteLine()
        self.note.noting.connect(self.noting)
        self.note.noted.connect(self.noted)
        column.addWidget(self.note)
        self.timeline = Timeline(_("What happened"))
        self.timeline.set_whole(True)
        self.timeline.opened.connect(self._open_moment)
        self.timeline.left.connect(self.left)
        self.timeline.moved.connect(self._bring_into_view)
        column.addWidget(self.timeline)
        return holder

    def _cards(self) -> QWidget:
        self._side = QWidget()
        column = QVBoxLayout(self._side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(S16)
        self._facts_card = Card(_("Key facts"))
        self._facts = FactsTable()
        self._facts_card.add(self._facts)
        self._deals_card, self._deals, self._deals_more = self._list_card(_("Open deals"))
        self._tasks_card, self._tasks, self._tasks_more = self._list_card(_("Next"))
        self._add_task = Button(_("Add"), Part.LINK)
        self._add_task.setAccessibleName(_("Add task"))
        self._add_task.setProperty("edge", True)
        self._add_task.clicked.connect(lambda: self.adding.emit("task"))
        self._tasks_card.add_verb(self._add_task)
        for card in (self._facts_card, self._deals_card, self._tasks_card):
            column.addWidget(card)
        column.addStretch(1)
        return self._side

    def _list_card(self, title: str) -> tuple[Card, LineList, Line]:
        card = Card(title)
        lines = LineList(title)
        lines.opened.connect(self.opened)
        lines.left.connect(self.left)
        more = Line("", Step.SMALL, Colour.SOFT)
        card.add(lines)
        card.add(more)
        return card, lines, more

    def show_overview(self, shown: Overview, *, may_change: bool = True) -> None:
        """Show the first page of a record; who may not change it is offered nothing to write or add."""
        self._shown = shown
        refers = shown.related
        self.note.setVisible(may_change and "activity" in refers)
        self._add_task.setVisible(may_change)
        self._facts.show_facts(tuple(Fact(fact.label, fact.value) for fact in shown.facts))
        self._facts_card.setVisible(bool(shown.facts))
        self._deals_card.setVisible(bool(shown.deals))
        self._deals_card.set_aside(shown.deals_sum)
        self._deals.show_lines([(d.kind, d.id, d.title, d.figure, False) for d in shown.deals])
        self._tell_more(self._deals_more, shown.deals_more)
        self._tasks_card.setVisible("task" in refers)
        self._tasks.show_lines([(t.kind, t.id, t.title, t.figure, t.alarm) for t in shown.tasks])
        self._tasks.setVisible(bool(shown.tasks))
        self._tell_more(self._tasks_more, shown.tasks_more)
        self.timeline.show_moments(tuple(Moment(each.title, each.when, each.body) for each in shown.moments))

    def forget(self) -> None:
        """Hold no record any more."""
        self._shown = None
        self.note.show_note("", "")
        self._facts.show_facts(())
        self._deals.show_lines([])
        self._tasks.show_lines([])
        self.timeline.show_moments(())

    def _tell_more(self, line: Line, more: int) -> None:
        line.setVisible(more > 0)
        line.setText(ngettext("and {n} more", "and {n} more", more).format(n=more))

    def _bring_into_view(self, rect: QRect) -> None:
        """The timeline itself does not scroll: its page follows the chosen moment."""
        middle = self.timeline.mapTo(self._page, rect.center())
        self.ensureVisible(0, middle.y(), 0, rect.height())

    def _open_moment(self, at: int) -> None:
        if self._shown is not None and at < len(self._shown.moments):
            moment = self._shown.moments[at]
            if moment.kind:
                self.opened.emit(moment.kind, moment.id)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Two columns where there is room, else the cards above what happened."""
        super().resizeEvent(event)
        wide = self.viewport().width() >= fonts.px(_TWO_COLUMNS_FROM)
        way = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.BottomToTop
        self._panes.setDirection(way)
        if wide:
            self._side.setFixedWidth(fonts.px(CARD_WIDTH))
        else:
            self._side.setMinimumWidth(0)
            self._side.setMaximumWidth(fonts.px(TEXT_WIDTH))


class _NoteLine(QFrame):
    """A line to write a note in, and a word about whether it is saved; Enter keeps it."""

    noting = Signal(str)
    noted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("part", "card")
        row = QHBoxLayout(self)
        row.setContentsMargins(S8, S8 - 3, S12, S8 - 3)
        row.setSpacing(S8)
        self._line = QLineEdit()
        self._line.setProperty("part", "bare")
        self._line.setFont(fonts.font())
        self._line.setAccessibleName(_("Write a note"))
        self._line.setPlaceholderText(_("Write a note and press Enter"))
        self._line.textEdited.connect(self.noting)
        self._line.returnPressed.connect(self.noted)
        row.addWidget(self._line, 1)
        self._said = Line("", Step.SMALL, Colour.SOFT)
        row.addWidget(self._said)

    def show_note(self, text: str, said: str) -> None:
        """Show a note as typed so far, and how it stands."""
        if text != self._line.text():  # the cursor stays while one types
            self._line.setText(text)
        self._said.setText(said)
        self._said.setVisible(bool(said))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter belongs to the line."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
