"""The list of a kind, or of what a search found, with its head, its order and its empty states."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QFrame, QStackedLayout, QVBoxLayout

from app.store.filters import Filter
from app.ui.filter_bar import FilterBar
from app.ui.kit.marks import find_marks
from app.ui.kit.paint import Tone
from app.ui.kit.painted_list import PaintedList
from app.ui.kit.placeholder import Placeholder
from app.ui.kit.rows import Row
from app.ui.kit.text import hairline
from app.ui.list_head import ListHead
from app.ui.stops import put_in_order, stops_of
from app.viewmodels import reading
from app.viewmodels.desk import Desk
from app.viewmodels.found import FoundList
from app.viewmodels.reading import RowText
from app.viewmodels.records import RecordList
from app.viewmodels.selection import Picked
from sync.protocol.joins import spoken
from sync.protocol.texts import gettext as _

if TYPE_CHECKING:
    from app.ui.selection_bar import SelectionBar

KEPT: Final = 256  # rows held as they are painted; some screens full
_TONES = {"plain": Tone.PLAIN, "warn": Tone.WARN}


class ListRows:
    """Rows of a view model as rows to paint, with the letters that were searched for marked."""

    def __init__(self, rows: RecordList | FoundList, query: str = "", picked: Picked | None = None) -> None:
        self._rows = rows
        self._query = query
        self._picked = picked
        self._painted: dict[int, tuple[RowText, Row]] = {}

    def count(self) -> int:
        """How many rows there are."""
        return self._rows.count()

    def row(self, at: int) -> Row | None:
        """What to paint, None while the row is being fetched."""
        text = self._rows.row(at)
        if text is None:
            return None
        picked = self._picked is not None and self._picked.has(at)
        known = self._painted.get(at)
        if known is not None and known[0] is text and known[1].picked == picked:
            return known[1]
        if len(self._painted) > KEPT:
            self._painted.clear()
        made = painted(text, self._query, picked=picked)
        self._painted[at] = (text, made)
        return made


def painted(text: RowText, query: str = "", *, picked: bool = False) -> Row:
    """A row's text, to be painted."""
    said = (text.title, text.second, text.figure, text.word, text.right, _("selected") if picked else "")
    return Row(
        text.title,
        text.second,
        text.right,
        text.figure,
        text.word,
        _TONES[text.alarm],
        find_marks(text.title, query, name=True) if query else (),
        find_marks(text.second, query) if query else (),
        spoken(said),
        picked,
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
        self._showing: tuple[Filter, str] | None = None
        self._empty: Placeholder | None = None
        self._seen: list[int | None] = []  # rowids in view: the place scrolled to is theirs
        self._above = 0
        self._onward = False  # somebody goes into the list that is being looked for
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.head = ListHead(desk)
        self.head.importing.connect(self.importing)
        self.head.filtering.connect(self.narrow)
        self.head.sorted_by.connect(self._sort_by)
        self._selection: SelectionBar | None = None
        self.filter = FilterBar(desk)
        self._column = column
        for part in (self.head, hairline(), self.filter):
            column.addWidget(part)
        self._join(self.filter)
        self.rows = PaintedList("", selects=True)
        self.rows.chosen.connect(desk.choose)
        self.rows.opened.connect(self._opened)
        self.rows.clicked.connect(lambda index: self._clicked(index.row()))
        self.rows.typed.connect(self.typed)
        self.rows.toggled.connect(lambda at: self._select(lambda picked: picked.toggle(at)))
        self.rows.reached.connect(lambda start, at: self._select(lambda picked: picked.reach(start, at)))
        self.rows.wanted_all.connect(lambda: self._select(lambda picked: picked.all()))
        self.rows.verticalScrollBar().valueChanged.connect(self._look)
        self.rows.viewport().installEventFilter(self)
        self._body = QStackedLayout()
        column.addLayout(
            self._body, 1
        )  # first: rows without a parent would be shown as a window of their own
        self._body.addWidget(self.rows)
        self._unwatch = [
            desk.on_list.watch(self.refresh),
            desk.on_section.watch(self.refresh),
            desk.on_counts.watch(self.head.refresh),
            desk.on_picked.watch(self._show_picked),
            desk.acting.watch(self._show_acting),
        ]
        self.refresh()

    def _join(self, bar: SelectionBar | FilterBar) -> None:
        bar.left.connect(self._into_rows)
        bar.restacked.connect(self._stack)

    @property
    def selection(self) -> SelectionBar:
        """The bar of what is selected; made when something first is."""
        if self._selection is None:
            from app.ui.selection_bar import SelectionBar

            self._selection = SelectionBar(self._desk)
            self._selection.hide()
            self._column.insertWidget(1, self._selection)
            self._join(self._selection)
        return self._selection

    # -- what is shown

    def refresh(self) -> None:
        """Show the list as it stands now; the chosen row stays, and the rows that are in view."""
        desk, rows = self._desk, self._desk.rows
        self.head.refresh()
        self.filter.refresh()
        self.filter.setVisible(not desk.finding)
        showing = (desk.list.filter, desk.list.order)
        stays = rows is self._source and not desk.finding and showing == self._showing
        if desk.fresh is not None and desk.fresh == desk.chosen and rows.at(desk.fresh) >= 0:
            desk.fresh, stays = None, False  # once: from now on its row stays like any other
        if isinstance(self._source, RecordList) and rows is not self._source:
            self._source.on_rows = None
        if rows is not self._source or showing != self._showing:
            self.rows.verticalScrollBar().setValue(0)  # another list begins at its top
        self._source, self._showing = rows, showing
        rows.on_rows = self.rows.rows_changed
        name = _("What was found") if desk.finding else _(desk.list.kind.plural)
        self.rows.setAccessibleName(name)
        query = desk.found.answered if desk.finding else ""
        picked = None if desk.finding else desk.sections.picked
        seen, above = self._seen, self._above
        at_top = self.rows.verticalScrollBar().value() == 0
        self.rows.show_rows(ListRows(rows, query, picked), rows.at(desk.chosen), stay=stays)
        if stays and not at_top:
            self._hold(rows, seen, above)
        self._show_body(rows)
        self._show_picked()
        self._look()
        if self._onward and not desk.found.pending:
            self.onward()

    def _hold(self, rows: RecordList | FoundList, seen: list[int | None], above: int) -> None:
        """Scroll back to the first row that was in view and still is in the list."""
        for before, rowid in enumerate(seen):
            at = rows.at(rowid)
            if at >= before:
                self.rows.bring_to_top(at - before, above)
                return

    def _show_picked(self) -> None:
        desk = self._desk
        if self._selection is None and not len(desk.sections.picked) and not desk.acting.running:
            return
        bar = self.selection
        bar.refresh()
        shown = bar.wanted() and (not self._desk.finding or self._desk.acting.running)
        bar.setVisible(shown)
        self.head.setVisible(not shown)
        self.rows.show_boxes(not self._desk.finding and len(self._desk.sections.picked) > 0)

    def _show_acting(self) -> None:
        """How far an act is stands in the bar alone: nothing else is painted anew for it, several times a second."""
        if self._selection is not None and self._selection.isVisible() and self._desk.acting.running:
            self._selection.refresh()
        else:
            self._show_picked()

    def _sort_by(self, order: str) -> None:
        self._desk.sections.show(self._desk.list.filter, order)
        self.head.refresh()
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
            yet = reading.preparing(desk.found.prepared)
            made = Placeholder("search", sentence, yet, action=_("Clear search"), main=False)
            made.acted.connect(self.clearing)
            return made
        if desk.list.filter:
            made = Placeholder("filter", _("Nothing found"), action=_("Clear filter"), main=False)
            made.acted.connect(self.filter.clear)
            return made
        status = desk.sync
        if status is None:
            return Placeholder(kind.icon, "")  # whether any are on their way is not known yet
        if status.first or status.fetched:
            from app.viewmodels.sync_state import arriving

            return Placeholder("cloud-down", *arriving(status))
        sentence = _("No {kinds} yet").format(kinds=_(kind.plural).lower())
        if not desk.may_change:
            return Placeholder(kind.icon, sentence)
        if kind.from_file:
            return Placeholder(kind.icon, sentence, _("Open a record and attach a file to it there."))
        explanation = _("Add the first one, or bring them in from a file.")
        new = _("New {kind}").format(kind=_(kind.label).lower())
        made = Placeholder(kind.icon, sentence, explanation, new, _("Import …"), main=False)
        made.acted.connect(lambda: desk.new(kind))
        made.other_acted.connect(self.importing)
        return made

    # -- what a person does

    def _clicked(self, at: int) -> None:
        """A click on the row that is chosen already shows its record again, where that was left."""
        if self._desk.chosen is None:
            self._desk.choose(at)

    def _opened(self, at: int) -> None:
        self._desk.choose(at)
        self.entered.emit()

    def onward(self) -> None:
        """Go into the list, to the first row when none is chosen; of what is looked for, once it is found."""
        self._onward = self._desk.found.pending
        if self._onward or not self.rows.model().rowCount():
            return
        self.rows.setFocus()
        if self.rows.chosen_row() < 0:
            self.rows.choose(0)

    def wait(self) -> None:
        """Somebody goes on typing: not into the list before they ask for it again."""
        self._onward = False

    def narrow(self) -> None:
        """Begin a condition of the filter."""
        if not self._desk.finding:
            self.filter.add()

    def leave_selection(self) -> bool:
        """Select nothing any more; whether anything was selected."""
        had = len(self._desk.sections.picked) > 0 and not self._desk.finding
        if had:
            self._desk.sections.picked.clear()
        return had

    def _select(self, how: Callable[[Picked], None]) -> None:
        if not self._desk.finding:
            how(self._desk.sections.picked)

    def _stack(self) -> None:
        """Have Tab go down the pane, whatever was opened in it last."""
        put_in_order(
            [
                *stops_of(self.head),
                *(self._selection.stops() if self._selection else ()),
                *self.filter.stops(),
                self.rows,
            ]
        )

    def _into_rows(self) -> None:
        if self._body.currentWidget() is self.rows:
            self.rows.setFocus()
        elif self._empty is not None:
            self._empty.setFocus()

    def _look(self) -> None:
        source = self._source
        if source is None:
            return
        view = self.rows.rows_in_view()
        source.look(view)
        self._above = self.rows.top()[1]
        self._seen = [source.rowid(at) for at in view]

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
