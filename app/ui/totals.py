"""The page “Totals”: what deals come to by stage, owner or month, as bars or columns and as a table in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QRect, QSignalBlocker, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from app.store.filters import Filter
from app.ui.kit.controls import Chooser
from app.ui.kit.flow import Flow
from app.ui.kit.measures import ColumnChart, Measure, MeasureTable
from app.ui.kit.placeholder import Placeholder
from app.ui.kit.segments import Segments
from app.ui.kit.text import Line, Paragraph
from app.ui.pages import Page
from app.ui.theme import fonts
from app.ui.theme.tokens import S4, S8, S12, S16, TEXT_WIDTH, Colour, Step
from app.viewmodels import figures
from app.viewmodels.desk import Desk
from app.viewmodels.figures import NUMBER, Bar, Shown, When
from app.viewmodels.totals import Totals
from sync.protocol.fields import Date
from sync.protocol.texts import gettext as _

_WIDE = TEXT_WIDTH + 280


class TotalsPage(Page):
    """`listed(kind, filter)` asks for the list behind a bar, `making(kind)` for a new record."""

    listed = Signal(str, Filter)
    making = Signal(str)

    def __init__(self, desk: Desk) -> None:
        super().__init__(_("Totals"), width=_WIDE)
        known = desk.beside.get("totals")
        self._totals = known if isinstance(known, Totals) else Totals(desk)
        desk.beside["totals"] = self._totals
        self._desk = desk
        self._bars: tuple[Bar, ...] = ()
        self._entered = False
        kind = self._totals.kind
        self.head.addWidget(Line(_(kind.plural), Step.BODY, Colour.SOFT), 1)
        by = [(name, _(kind.by_name[name].label)) for name in figures.fields(kind)]
        self._by = Segments(_("By what"), [(n, _month_or(kind.by_name[n].type, words)) for n, words in by])
        self._by.chosen.connect(lambda key: self._totals.ask(by=key))
        self.head.addWidget(self._by)
        self._choosers = QWidget()
        flow = Flow(self._choosers, S8)
        flow.setContentsMargins(0, 0, 0, 0)
        states = figures.states(kind)
        self._state = self._chooser(flow, _("Which deals"), states, lambda key: self._totals.ask(state=key))
        whens = [
            (When.ANY, _("Any time")),
            (When.THIS, _("Closing this year")),
            (When.LAST, _("Closing last year")),
        ]
        self._when = self._chooser(flow, _("When"), whens, lambda key: self._totals.ask(when=When(key)))
        whose = [("", _("Everybody's")), ("me", _("Mine"))]
        self._whose = self._chooser(flow, _("Whose"), whose, lambda key: self._totals.ask(mine=bool(key)))
        self._measure = self._chooser(flow, _("Measured by"), [], lambda key: self._totals.ask(currency=key))
        self.column.addWidget(self._choosers)
        self._body = QWidget()
        body = QVBoxLayout(self._body)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(S16)
        self.chart = ColumnChart(_("Columns by month"))
        self.table = MeasureTable(_("Totals"))
        self._chart_card = _card(self.chart)
        body.addWidget(self._chart_card)
        body.addWidget(_card(self.table))
        self._besides = Paragraph("", Step.SMALL, Colour.SOFT)
        body.addWidget(self._besides)
        self.column.addWidget(self._body)
        for view, first in ((self.chart, 0), (self.table, 1)):
            view.opened.connect(lambda row, first=first: self._open(row - first))
            view.left.connect(self.left)
        self.table.moved.connect(self._bring_into_view)
        self._empty: Placeholder | None = None
        self._unwatch = self._totals.watch(self.refresh)
        self._body.hide()
        self.refresh()
        self._totals.look(True)

    def _chooser(
        self, flow: Flow, name: str, choices: Sequence[tuple[str, str]], took: Callable[[str], object]
    ) -> Chooser:
        made = Chooser()
        made.setAccessibleName(name)
        made.setToolTip(name)
        for key, words in choices:
            made.addItem(words, str(key))
        made.activated.connect(lambda at: took(str(made.itemData(at))))
        made.setMinimumWidth(fonts.px(132))
        flow.addWidget(made)
        return made

    # -- what is shown

    def refresh(self) -> None:
        """Show the figures as they stand."""
        shown = self._totals.shown
        asked = self._totals.asked
        self._by.show_choice(asked.by)
        for chooser, key in (
            (self._state, asked.state),
            (self._when, str(asked.when)),
            (self._whose, "me" if asked.mine else ""),
        ):
            chooser.setCurrentIndex(chooser.findData(key))
        if shown is None:
            return  # they are being read: an empty page would only blink
        self._show_measures_offered(shown)
        self._bars = shown.bars
        kind = self._totals.kind
        field = kind.by_name[shown.asked.by]
        months = isinstance(field.type, Date)
        self.chart.show_measures([_column(bar) for bar in shown.bars] if months else [])
        self._chart_card.setVisible(months and bool(shown.bars))
        self.table.bars = not months
        self.table.show_measures(_rows(shown, _month_or(field.type, _(field.label)), _(kind.plural)))
        self.table.setAccessibleName(_("{kinds} by {field}").format(
            kinds=_(kind.plural), field=_month_or(field.type, _(field.label)).lower()
        ))  # fmt: skip
        self._besides.setText(shown.besides)
        self._besides.setVisible(bool(shown.besides))
        self._show_empty(not shown.bars)
        if not self._entered:
            self._entered = True
            self.enter()

    def _show_measures_offered(self, shown: Shown) -> None:
        with QSignalBlocker(self._measure):
            self._measure.clear()
            for code in shown.currencies:
                self._measure.addItem(_("Sums in {currency}").format(currency=code), code)
            self._measure.addItem(
                _("Number of {kinds}").format(kinds=_(self._totals.kind.plural).lower()), NUMBER
            )
            self._measure.setCurrentIndex(max(0, self._measure.findData(shown.currency)))

    def _show_empty(self, empty: bool) -> None:
        old, self._empty = self._empty, None
        if old is not None:
            self.column.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._body.setVisible(not empty)
        self._choosers.setVisible(not empty or self._is_narrowed())
        if empty:
            self._empty = self._placeholder()
            self.column.addWidget(self._empty)

    def _is_narrowed(self) -> bool:
        asked = self._totals.asked
        return asked.mine or asked.when is not When.ANY or asked.state != figures.ALL

    def _placeholder(self) -> Placeholder:
        kind = self._totals.kind
        if self._is_narrowed():
            made = Placeholder("totals", _("Nothing to count"), action=_("Count all"), main=False)
            made.acted.connect(lambda: self._totals.ask(state=figures.ALL, when=When.ANY, mine=False))
            return made
        sentence = _("No {kinds} yet").format(kinds=_(kind.plural).lower())
        if not self._desk.may_change:
            return Placeholder("totals", sentence)
        new = _("New {kind}").format(kind=_(kind.label).lower())
        made = Placeholder("totals", sentence, _("What they come to stands here."), new, main=False)
        made.acted.connect(lambda: self.making.emit(kind.name))
        return made

    def enter(self) -> None:
        """Put the focus on the figures; where there are none, on the first stop."""
        if self._bars and self._body.isVisibleTo(self):
            (self.chart if self._chart_card.isVisibleTo(self) else self.table).setFocus()
        else:
            super().enter()

    def let_go(self) -> None:
        """Stop watching: the page goes; what was asked stays with the desk."""
        self._unwatch()
        self._totals.look(False)

    # -- what a person does

    def _open(self, at: int) -> None:
        if 0 <= at < len(self._bars):
            self.listed.emit(self._totals.kind.name, self._bars[at].filter)

    def _bring_into_view(self, rect: QRect) -> None:
        page = self.widget()
        if page is not None and self.table.hasFocus():
            self.ensureVisible(0, self.table.mapTo(page, rect.center()).y(), 0, rect.height())


def _card(held: QWidget) -> QFrame:
    made = QFrame()
    made.setProperty("part", "card")
    column = QVBoxLayout(made)
    column.setContentsMargins(S4, S8, S4, S8)
    column.setSpacing(S12)
    column.addWidget(held)
    return made


def _month_or(type_: object, label: str) -> str:
    """What a field is told by: days by their month."""
    return _("Month") if isinstance(type_, Date) else label


def _column(bar: Bar) -> Measure:
    return Measure(bar.name, bar.count, bar.sum, bar.part, bar.short, bar.brief)


def _rows(shown: Shown, by: str, plural: str) -> list[Measure]:
    """Caption, one row for each bar, and what they come to."""
    sum_ = _("Sum in {currency}").format(currency=shown.currency) if shown.currency else ""
    rows = [Measure(by, plural, sum_, caption=True)]
    rows += [Measure(bar.name, bar.count, bar.sum, bar.part) for bar in shown.bars]
    return [*rows, Measure(_("Total"), shown.count, shown.sum, total=True)]
