"""The page “Today”: what is overdue, due or planned at the left; deals, what to look at and what waits beside it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from app.store.filters import Filter
from app.ui.kit.grouped_list import Entry, GroupedList
from app.ui.kit.placeholder import Placeholder
from app.ui.kit.segments import Segments
from app.ui.kit.text import Line as WordsLine
from app.ui.pages import Page
from app.ui.theme import fonts
from app.ui.theme.tokens import S24, TEXT_WIDTH, Colour, Step
from app.viewmodels.day import Group, Line, Whose
from app.viewmodels.desk import Desk
from app.viewmodels.today import Today
from sync.protocol.joins import spoken
from sync.protocol.kinds import KINDS
from sync.protocol.texts import gettext as _

_BESIDE = 400
_TWO_COLUMNS_FROM = 840


class TodayPage(Page):
    """`opened(kind, id)` asks for a record, `listed(kind, filter)` for a list, `turned(section)` for another page,
    `making(kind)` for a new record."""

    opened = Signal(str, bytes)
    listed = Signal(str, Filter)
    turned = Signal(str)
    making = Signal(str)

    def __init__(self, desk: Desk) -> None:
        super().__init__(_("Today"), width=TEXT_WIDTH + _BESIDE + S24)
        known = desk.beside.get("today")
        self._today = known if isinstance(known, Today) else Today(desk)
        desk.beside["today"] = self._today
        self._desk = desk
        self._lines: dict[GroupedList, list[Line | None]] = {}
        self._entered = False
        self._date = WordsLine("", Step.BODY, Colour.SOFT)
        self.head.addWidget(self._date, 1)
        self._whose = Segments(_("Whose day"), ((Whose.MINE, _("Mine")), (Whose.TEAM, _("Team"))))
        self._whose.chosen.connect(lambda key: self._today.ask(Whose(key)))
        self.head.addWidget(self._whose)  # first: without a parent it would be shown as a window of its own
        self._whose.setVisible(self._today.asks_whose)
        self._panes = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._panes.setSpacing(S24)
        self._doing, self._beside = self._list(_("To do")), self._list(_("To keep in sight"))
        self._nothing = self._ahead(
            _("Nothing is due"), _("No task is overdue, and nothing is planned for the days ahead.")
        )
        self._left, self._right = _column(self._nothing, self._doing), _column(self._beside)
        self._panes.addWidget(self._left, 1)
        self._panes.addWidget(self._right)
        self._body = QWidget()
        self._body.setLayout(self._panes)
        self._panes.setContentsMargins(0, 0, 0, 0)
        self.column.addWidget(self._body)
        self._empty: Placeholder | None = None
        self._unwatch = self._today.watch(self.refresh)
        self.refresh()
        self._today.look(True)

    def _list(self, name: str) -> GroupedList:
        made = GroupedList(name)
        made.opened.connect(lambda row: self._open(made, row))
        made.ticked.connect(lambda row: self._tick(made, row))
        made.left.connect(self.left)
        made.moved.connect(lambda rect: self._bring_into_view(made, rect))
        made.beyond.connect(lambda step: self._go_on(made, step))
        made.aside.connect(lambda step: self._go_aside(made, step))
        self._lines[made] = []
        return made

    # -- what is shown

    def refresh(self) -> None:
        """Show the day as it stands; the chosen line stays, or the one that takes its place."""
        day = self._today.day
        self._whose.show_choice(self._today.whose)
        if day is None:
            return  # it is being read: an empty page would only blink
        self._date.setText(day.date)
        focused = next((each for each in self._lines if each.hasFocus()), None)
        for each, groups in ((self._doing, day.doing), (self._beside, day.beside)):
            at, before = each.chosen_row(), self._lines[each]
            entries, lines = _entries(groups)
            self._lines[each] = lines
            chosen = before[at] if 0 <= at < len(before) else self._today.chosen
            each.show_entries(entries, _place(lines, chosen, at))
        self._show_nothing(bool(day.beside) and not day.doing)
        self._show_empty(day.empty)
        self._lay_out()
        if not self._entered or (focused is not None and not focused.isVisibleTo(self)):
            self.enter()

    def _show_nothing(self, nothing: bool) -> None:
        self._nothing.setVisible(nothing)
        self._doing.setVisible(not nothing)

    def _show_empty(self, empty: bool) -> None:
        old, self._empty = self._empty, None
        if old is not None:
            self.column.removeWidget(old)
            old.hide()
            old.deleteLater()
        if empty:
            self._empty = self._placeholder()
            self.column.addWidget(self._empty)
        self._body.setVisible(not empty)

    def _placeholder(self) -> Placeholder:
        if self._today.whose is Whose.NOBODY:
            sentence = _("Nothing is planned for your role")
            return Placeholder("today", sentence, _("Here stands what sales people have to do today."))
        return self._ahead(
            _("Nothing to do"), _("Tasks that are due, planned visits and deals to close stand here.")
        )

    def _ahead(self, sentence: str, explanation: str) -> Placeholder:
        task = KINDS["task"]
        verb = _("New {kind}").format(kind=_(task.label).lower())
        made = Placeholder("today", sentence, explanation, verb, main=False)
        made.acted.connect(lambda: self.making.emit("task"))
        return made

    def enter(self) -> None:
        """Put the focus where one was, or into the first line."""
        lists = [each for each, lines in self._lines.items() if lines]
        was = self._today.chosen
        target = next((each for each in lists if was is not None and was in self._lines[each]), None)
        self._entered = self._today.day is not None
        if target is None and lists:
            target = lists[0]
        if target is not None:
            target.enter()
        else:
            super().enter()

    def let_go(self) -> None:
        """Stop watching: the page goes; what it knows stays with the desk."""
        self._unwatch()
        self._today.look(False)

    # -- what a person does

    def _line(self, made: GroupedList, row: int) -> Line | None:
        lines = self._lines[made]
        return lines[row] if 0 <= row < len(lines) else None

    def _open(self, made: GroupedList, row: int) -> None:
        line = self._line(made, row)
        if line is None:
            return
        self._today.chosen = line
        target = line.target
        if target.section not in KINDS:
            self.turned.emit(target.section)
        elif target.filter is not None:
            self.listed.emit(target.section, target.filter)
        else:
            self.opened.emit(target.section, target.id)

    def _tick(self, made: GroupedList, row: int) -> None:
        line = self._line(made, row)
        if line is not None:
            self._today.finish(line)

    def _go_on(self, made: GroupedList, step: int) -> None:
        other = self._beside if made is self._doing else self._doing
        if (made is self._doing) is (step > 0) and self._lines[other]:
            other.enter(step)

    def _go_aside(self, made: GroupedList, step: int) -> None:
        other = self._beside if made is self._doing else self._doing
        if (made is self._doing) is (step > 0) and self._lines[other]:
            other.enter()

    def _bring_into_view(self, made: GroupedList, rect: QRect) -> None:
        """The lists do not scroll: their page follows the chosen line."""
        page = self.widget()
        if page is not None and made.hasFocus():
            middle = made.mapTo(page, rect.center())
            # Above the first line of all stand the heading and the date.
            above = middle.y() if made.chosen_row() <= 1 else rect.height()
            self.ensureVisible(0, middle.y(), 0, min(above, self.viewport().height() // 2))

    # -- room

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Two columns where there is room, else one below the other."""
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        wide = self.viewport().width() >= fonts.px(_TWO_COLUMNS_FROM)
        way = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        self._panes.setDirection(way)
        self._right.setVisible(bool(self._lines[self._beside]))
        self._right.setFixedWidth(fonts.px(_BESIDE)) if wide else self._right.setMinimumWidth(0)
        self._right.setMaximumWidth(fonts.px(_BESIDE if wide else TEXT_WIDTH))
        self._left.setMaximumWidth(fonts.px(TEXT_WIDTH))


def _column(*held: QWidget) -> QWidget:
    """A column whose content begins at its top."""
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    for each in held:
        column.addWidget(each)
    column.addStretch(1)
    return made


def _entries(groups: Sequence[Group]) -> tuple[list[Entry], list[Line | None]]:
    """Groups as entries, and the line of each; None for a heading."""
    entries: list[Entry] = []
    lines: list[Line | None] = []
    for group in groups:
        entries.append(Entry(group.heading, right=group.count, heading=True, alarm=group.alarm))
        lines.append(None)
        for line in group.lines:
            entries.append(_entry(line, group))
            lines.append(line)
    return entries, lines


def _entry(line: Line, group: Group) -> Entry:
    leads = line.target.filter is not None or (not line.target.id and not line.icon)
    said = (line.title, line.second, line.figure, line.right, group.heading)
    return Entry(
        line.title,
        line.second,
        line.right,
        line.figure,
        line.icon,
        box=line.ticks,
        alarm=line.alarm,
        soft=line.gone,
        leads=leads,
        spoken=spoken(said),
    )


def _place(lines: Sequence[Line | None], chosen: Line | None, at: int) -> int:
    """Where the chosen line stands now: by its record, else whatever took its place; -1 where nothing was chosen."""
    if chosen is not None:
        same = (row for row, line in enumerate(lines) if line is not None and line.target == chosen.target)
        found = next(same, -1)
        if found >= 0 or at < 0:
            return found
    following = (row for row in range(max(0, at), len(lines)) if lines[row] is not None)
    before = (row for row in range(min(at, len(lines) - 1), -1, -1) if lines[row] is not None)
    return -1 if at < 0 else next(following, next(before, -1))
