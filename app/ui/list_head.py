"""The head of a list: what it is, how much of it is shown, filter, order, import."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from app.commands import BY_ID
from app.ui.kit.buttons import Button, Part, icon_button
from app.ui.kit.text import Line, label
from app.ui.shortcuts import tip
from app.ui.theme import fonts
from app.ui.theme.tokens import S4, S8, S16, Colour, Step
from app.viewmodels import narrow, reading, words
from app.viewmodels.desk import Desk
from sync.protocol.kinds import Kind
from sync.protocol.texts import gettext as _

_HEAD = 52


class ListHead(QWidget):
    """`importing()` and `filtering()` are clicks on their buttons; `sorted_by(order)` a choice of the menu."""

    importing = Signal()
    filtering = Signal()
    sorted_by = Signal(str)

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._menu_for: tuple[str, str] | None = None
        self.setFixedHeight(fonts.px(_HEAD) - 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(S16, 0, S8, 0)
        row.setSpacing(S4)
        self._title = label("", Step.LARGE, semibold=True)
        self._aside = Line("", Step.SMALL, Colour.SOFT)
        row.addWidget(self._title)
        row.addSpacing(S4)
        row.addWidget(self._aside, 1)
        self._filter = icon_button("filter", tip(BY_ID["filter"]))
        self._filter.clicked.connect(self.filtering)
        self._sort = Button("", Part.QUIET)
        self._sort.setFont(fonts.font(Step.SMALL))
        self._import = icon_button("import", tip(BY_ID["import"]))
        self._import.clicked.connect(self.importing)
        for button in (self._filter, self._sort, self._import):
            row.addWidget(button)

    def refresh(self) -> None:
        """Show the list as it stands now."""
        desk = self._desk
        rows = desk.list
        if desk.finding:
            self._title.setText(_("Found"))
            count = words.number(desk.found.count())
            said = _("{n}+").format(n=count) if desk.found.more else count
            preparing = reading.preparing(desk.found.prepared)
            self._aside.setText(words.DOT.join(filter(None, (said, preparing))) if desk.found.ready else "")
        else:
            self._title.setText(_(rows.kind.plural))
            hidden = _("Names hidden") if desk.hides_names else ""
            self._aside.setText(words.DOT.join(part for part in (self._counted(), hidden) if part))
        for button in (self._filter, self._sort, self._import):
            button.setVisible(not desk.finding and (button is not self._import or desk.may_change))
        if self._menu_for == (rows.kind.name, rows.order):
            return
        self._menu_for = (rows.kind.name, rows.order)
        shown = narrow.order_words(rows.kind, rows.order)
        self._sort.setText(shown)
        way = next(said for order, said in narrow.ways(rows.kind, rows.order) if order == rows.order)
        self._sort.setAccessibleName(_("Sort by {field}, {way}").format(field=shown, way=way))
        self._sort.setToolTip(way)
        old = self._sort.menu()
        self._sort.setMenu(self._menu(rows.kind, rows.order))
        if old is not None:
            old.deleteLater()

    def counted(self) -> str:
        """How much of the kind is shown, "" when that is all of it."""
        return self._aside.text()

    def sort_button(self) -> Button:
        """The button that opens the menu of orders."""
        return self._sort

    def _counted(self) -> str:
        rows, counts = self._desk.list, self._desk.counts
        if not rows.filter:
            return ""
        if not rows.whole:
            return _("Looking …")
        shown = words.number(rows.count())
        if counts is None:
            return shown
        return _("{n} of {total}").format(n=shown, total=words.number(counts.kinds[rows.kind.name]))

    def _menu(self, kind: Kind, now: str) -> QMenu:
        """The menu of orders; what is in it is made when somebody opens it, since nobody does at a start."""
        menu = QMenu(self)
        menu.aboutToShow.connect(lambda: self._fill(menu, kind, now))
        return menu

    def _fill(self, menu: QMenu, kind: Kind, now: str) -> None:
        if not menu.isEmpty():
            return
        fields = QActionGroup(menu)
        for order in reading.orders(kind):
            here = narrow.order_field(order) == narrow.order_field(now)
            action = self._action(menu, narrow.order_words(kind, order), now if here else order, checked=here)
            fields.addAction(action)
        menu.addSeparator()
        directions = QActionGroup(menu)
        for order, said in narrow.ways(kind, now):
            directions.addAction(self._action(menu, said, order, checked=order == now))

    def _action(self, menu: QMenu, text: str, order: str, *, checked: bool) -> QAction:
        action = QAction(text, menu)
        action.setCheckable(True)
        action.setChecked(checked)
        action.triggered.connect(lambda _checked=False: self.sorted_by.emit(order))
        menu.addAction(action)
        return action
