"""The list of a kind, or of what a search found, with its head, its order and its empty states."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QStackedLayout, QVBoxLayout, QWidget

from app.commands import BY_ID
from app.ui.kit.buttons import Button, Part, icon_button
from app.ui.kit.marks import find_marks
from app.ui.kit.paint import Tone
from app.ui.kit.painted_list import PaintedList
from app.ui.kit.placeholder import Placeholder
from app.ui.kit.rows import Row
from app.ui.kit.text import Line, hairline, label
from app.ui.shortcuts import tip
from app.ui.theme import fonts
from app.ui.theme.tokens import S4, S8, S16, Colour, Step
from app.viewmodels import reading, words
from app.viewmodels.desk import Desk
from app.viewmodels.found import FoundList
from app.viewmodels.reading import RowText
from app.viewmodels.records import RecordList
from sync.protocol.kinds import Kind
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

_TONES = {"warn": Tone.WARN, "bad": Tone.BAD}
_HEAD = 52


class ListRows:
    """Rows of a view model as rows to paint, with the letters that were searched for marked."""

    def __init__(self, rows: RecordList | FoundList, query: str = "") -> None:
        self._rows = rows
        self._query = query

    def count(self) -> int:
        """How many rows there are."""
        return self._rows.count()

    def row(self, at: int) -> Row | None:
        """What to paint, None while the row is being fetched."""
        text = self._rows.row(at)
        return None if text is None else painted(text, self._query)


def painted(text: RowText, query: str = "") -> Row:
    """A row's text, to be painted."""
    return Row(
        text.title,
        text.second,
        text.right,
        text.figure,
        text.word,
        _TONES[text.alarm],
        find_marks(text.title, query) if query else (),
        find_marks(text.second, query) if query else (),
        ", ".join(part for part in (text.title, text.second, text.figure, text.word, text.right) if part),
    )


class ListPane(QFrame):
    """`entered()` is Enter on a row: go into the form. `typed(text)` is a letter for the search field."""

    entered = Signal()
    typed = Signal(str)
    importing = Signal()
    clearing = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setProperty("part", "list")
        self._desk = desk
        self._source: RecordList | FoundList | None = None
        self._empty: Placeholder | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._head())
        column.addWidget(hairline())
        self.rows = PaintedList("")
        self.rows.chosen.connect(desk.choose)
        self.rows.opened.connect(self._opened)
        self.rows.typed.connect(self.typed)
        self.rows.verticalScrollBar().valueChanged.connect(self._look)
        self.rows.viewport().installEventFilter(self)
        self._body = QStackedLayout()
        column.addLayout(
            self._body, 1
        )  # first: rows without a parent would be shown as a window of their own
        self._body.addWidget(self.rows)
        self._unwatch = [desk.on_list.watch(self.refresh), desk.on_section.watch(self.refresh)]
        self.refresh()

    def _head(self) -> QWidget:
        head = QWidget()
        head.setFixedHeight(fonts.px(_HEAD) - 1)
        row = QHBoxLayout(head)
        row.setContentsMargins(S16, 0, S8, 0)
        row.setSpacing(S4)
        self._title = label("", Step.LARGE, semibold=True)
        self._aside = Line("", Step.SMALL, Colour.FAINT)
        row.addWidget(self._title)
        row.addSpacing(S4)
        row.addWidget(self._aside, 1)
        self._sort = Button("", Part.QUIET)
        self._sort.setFont(fonts.font(Step.SMALL))
        row.addWidget(self._sort)
        self._import = icon_button("import", tip(BY_ID["import"]))
        self._import.clicked.connect(self.importing)
        row.addWidget(self._import)
        return head

    # -- what is shown

    def refresh(self) -> None:
        """Show the list as it stands now; the chosen row and the place scrolled to stay."""
        desk, rows = self._desk, self._desk.rows
        self._show_head()
        same = rows is self._source
        if isinstance(self._source, RecordList) and not same:
            self._source.on_rows = None
        self._source = rows
        rows.on_rows = self.rows.rows_changed
        name = _("What was found") if desk.finding else _(desk.list.kind.plural)
        self.rows.setAccessibleName(name)
        query = desk.found.text if desk.finding else ""
        self.rows.show_rows(ListRows(rows, query), rows.at(desk.chosen), stay=same and not desk.finding)
        self._show_body(rows)
        self._look()

    def _show_head(self) -> None:
        desk = self._desk
        kind = desk.list.kind
        if desk.finding:
            count = desk.found.count()
            self._title.setText(_("Found"))
            self._aside.setText(words.number(count) if desk.found.ready else "")
        else:
            self._title.setText(_(kind.plural))
            self._aside.setText("")
        self._sort.setVisible(not desk.finding)
        self._import.setVisible(not desk.finding)
        self._sort.setText(_sorted_by(kind, desk.list.order))
        self._sort.setAccessibleName(_("Sort by"))
        self._sort.setToolTip(_("Sort by"))
        old = self._sort.menu()
        self._sort.setMenu(self._menu(kind))
        if old is not None:
            old.deleteLater()

    def _menu(self, kind: Kind) -> QMenu:
        menu = QMenu(self)
        group = QActionGroup(menu)
        for order in reading.orders(kind):
            action = QAction(_sorted_by(kind, order), menu)
            action.setCheckable(True)
            action.setChecked(order == self._desk.list.order)
            action.triggered.connect(lambda _checked=False, order=order: self._sort_by(order))
            group.addAction(action)
            menu.addAction(action)
        return menu

    def _sort_by(self, order: str) -> None:
        self._desk.list.sort(order)
        self._show_head()
        self.rows.setFocus()

    def _show_body(self, rows: RecordList | FoundList) -> None:
        if rows.count() or not rows.ready:
            self._body.setCurrentWidget(self.rows)
            return
        old, self._empty = self._empty, self._placeholder()
        self._body.addWidget(self._empty)
        self._body.setCurrentWidget(self._empty)
        if old is not None:
            self._body.removeWidget(old)
            old.deleteLater()

    def _placeholder(self) -> Placeholder:
        desk, kind = self._desk, self._desk.list.kind
        if desk.finding:
            sentence = _("Nothing matches “{text}”").format(text=desk.found.text.strip())
            made = Placeholder("search", sentence, action=_("Clear search"), main=False)
            made.acted.connect(self.clearing)
            return made
        sentence = _("No {kinds} yet").format(kinds=_(kind.plural).lower())
        explanation = _("Add the first one, or bring them in from a file.")
        new = _("New {kind}").format(kind=_(kind.label).lower())
        made = Placeholder(kind.icon, sentence, explanation, new, _("Import …"), main=False)
        made.acted.connect(lambda: desk.new(kind))
        made.other_acted.connect(self.importing)
        return made

    # -- what a person does

    def _opened(self, at: int) -> None:
        self._desk.choose(at)
        self.entered.emit()

    def onward(self) -> None:
        """Go into the list, to the first row when none is chosen."""
        if not self.rows.model().rowCount():
            return
        self.rows.setFocus()
        if self.rows.chosen_row() < 0:
            self.rows.choose(0)

    def _look(self) -> None:
        if self._source is not None:
            self._source.look(self.rows.rows_in_view())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Fetch rows that a larger window shows."""
        if event.type() is QEvent.Type.Resize:
            self._look()
        return super().eventFilter(watched, event)

    def let_go(self) -> None:
        """Stop watching: the pane goes."""
        for unwatch in self._unwatch:
            unwatch()
        if self._source is not None:
            self._source.on_rows = None


def found_words(count: int) -> str:
    """How many were found, for screen readers."""
    return ngettext("{n} found", "{n} found", count).format(n=count)


def _sorted_by(kind: Kind, order: str) -> str:
    if order == "-changed":
        return _("Last changed")
    return _(kind.by_name[order.lstrip("-") or kind.title].label)
