"""The open window: bar, rail, list and detail, or a page in their place; and what the keys do there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.commands import Command, Now
from app.ui import journey
from app.ui.aside import AsideLine
from app.ui.beside import files_to_bring, import_page, page_of
from app.ui.command_asking import Asking
from app.ui.detail_pane import DetailPane
from app.ui.list_pane import ListPane
from app.ui.policy_bar import PolicyBar
from app.ui.rail import Rail
from app.ui.shortcuts import bind
from app.ui.theme import fonts
from app.ui.theme.tokens import LIST_WIDTH, NARROW_BELOW, TURNS_BELOW
from app.ui.top import Top
from app.ui.torn_off import TornOff
from app.ui.under_way import UnderWay
from app.viewmodels import broken_off
from app.viewmodels.desk import Desk
from app.viewmodels.opened import Uses
from app.viewmodels.shell import Shell
from sync.protocol.kinds import KINDS

if TYPE_CHECKING:
    from app.ui.pages import Page

LIST = "list"  # under which the width of the list is kept


class Workplace(QWidget):
    """Made anew at each unlock, and destroyed at each lock. `look_chosen` is a change of theme."""

    look_chosen = Signal(str)
    section_shown = Signal(str)

    def __init__(self, shell: Shell, desk: Desk, uses: Uses) -> None:
        super().__init__()
        self._shell, self._desk = shell, desk
        self._page: Page | None = None
        self._list_alone = True  # when list and detail take turns: the list
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.top = Top()
        self.search = self.top.search
        column.addWidget(self.top)
        self.policy = PolicyBar(column)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        self.rail = Rail()
        self.rail.chosen.connect(self.go)
        self.rail.asked.connect(self._tell_sync)
        middle.addWidget(self.rail)
        self._body = QStackedWidget()
        self.list = ListPane(desk)
        self.detail = DetailPane(desk)
        self._panes = QSplitter(Qt.Orientation.Horizontal)
        self._panes.setChildrenCollapsible(False)
        self._panes.setHandleWidth(1)
        self._panes.addWidget(self.list)
        self._panes.addWidget(self.detail)
        self._panes.setStretchFactor(1, 1)
        self._panes.setSizes([*(shell.settings.sizes(LIST) or [fonts.px(LIST_WIDTH)]), 10_000])
        self.list.setMinimumWidth(fonts.px(260))
        self.detail.setMinimumWidth(fonts.px(300))
        self._body.addWidget(self._panes)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self._body, 1)
        self.aside = AsideLine()
        self.aside.undone.connect(self.undo)
        self.aside.again.connect(lambda: self.bring(broken_off.again(desk)))
        self.aside.wanted_on.connect(lambda: broken_off.go_on(desk))
        self.aside.gone.connect(lambda: broken_off.dismiss(desk))
        right.addWidget(self.aside)
        middle.addLayout(right, 1)
        column.addLayout(middle, 1)
        self._foot = UnderWay(self, desk, shell.foot, lambda: self._page is None)
        column.addWidget(self._foot.line)
        self.torn = TornOff(self, self, shell, desk)
        self._connect()
        self._show_section()
        self._show_sync()
        self.setTabOrder(self.search, self.rail)
        self.asking = Asking(self, desk, uses, self, bind(self, self.run))

    def _connect(self) -> None:
        desk, shell = self._desk, self._shell
        self.search.typed.connect(self._searched)
        self.search.undoing.connect(self.undo)
        self.search.onward.connect(lambda: self.list.onward())
        self.search.left.connect(self._back_to_list)
        self.top.palette_button.clicked.connect(self.open_palette)
        self.top.lock_button.clicked.connect(self.lock)
        self.top.new_button.clicked.connect(self.new)
        self.top.new_button.setVisible(desk.may_change)
        self.list.entered.connect(self.edit)
        self.list.rows.left.connect(self._leave_list)
        self.list.rows.clicked.connect(lambda _index: self._show_detail())
        self.list.typed.connect(self._type_on)
        self.list.importing.connect(self.bring_in)
        self.list.clearing.connect(self._clear_search)
        self.detail.left.connect(self._back_to_list)
        self.detail.tearing.connect(self.tear_off)
        self._unwatch = [
            desk.on_section.watch(self._show_section),
            desk.on_list.watch(lambda: self.search.follow(desk.found.text)),
            desk.on_counts.watch(self._show_counts),
            desk.on_aside.watch(lambda: self.aside.show_aside(desk.aside)),
            desk.on_detail.watch(self._take_turns),
            shell.on_sync.watch(self._show_sync),
        ]

    def begin(self) -> None:
        """Put the focus into the list."""
        self.list.rows.setFocus()

    def refresh(self) -> None:
        """Everything here follows the desk by itself."""

    # -- what is shown

    def _show_section(self) -> None:
        section = self._desk.section
        self.rail.show_section(section)
        if section in KINDS:
            self._drop_page()
            self._list_alone = True
            self._body.setCurrentWidget(self._panes)
            self._take_turns()
        else:
            if (page := page_of(section, self._shell, self._desk, self.look_chosen.emit, self)) is not None:
                self._show_page(page)
        self.section_shown.emit(section)

    def _show_page(self, page: Page) -> None:
        self._drop_page()
        self._page = page
        page.left.connect(self.back)
        self._body.addWidget(page)
        self._body.setCurrentWidget(page)
        page.enter()

    def _drop_page(self) -> None:
        page, self._page = self._page, None
        if page is not None:
            page.let_go()
            self._body.removeWidget(page)
            page.deleteLater()
            self._foot.refresh()

    def _show_counts(self) -> None:
        if self._desk.counts is not None:
            self.rail.show_counts(self._desk.counts)
        self._foot.refresh()

    def _show_sync(self) -> None:
        self.rail.show_sync(self._shell.standing())
        self.policy.show_ruled(self._shell.ruled)
        self._foot.refresh()

    def _tell_sync(self) -> None:
        """What stands behind the badge, and what to do."""
        from app.ui import sync_menu

        sync_menu.tell(self.rail.badge, self._shell.standing(), self.sync_now, self.go, self.run)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Icons alone in the rail of a narrow window; list and detail take turns in a very narrow one."""
        super().resizeEvent(event)
        compact = self.width() < NARROW_BELOW
        self.rail.set_compact(compact)
        self.top.set_compact(compact)
        self._take_turns()

    def _take_turns(self) -> None:
        narrow = self.width() < TURNS_BELOW
        if narrow and self._desk.editor is None:
            self._list_alone = True
        self.detail.set_alone(narrow)
        self.list.setVisible(not narrow or self._list_alone)
        self.detail.setVisible(not narrow or not self._list_alone)

    def _show_detail(self) -> None:
        self._list_alone = False
        self._take_turns()

    def keep_left(self) -> None:
        """Keep in which list one was, and how wide it was left."""
        left = self._shell.settings.left_in(self._desk.list.kind.name)
        if self.list.isVisibleTo(self) and self.detail.isVisibleTo(self):
            left = left.sized(LIST, (self.list.width(),))
        self._shell.keep_left(left)

    # -- going about with keys

    def _searched(self, text: str) -> None:
        if self._desk.section not in KINDS:
            self._desk.go(self._desk.list.kind.name)
        self._leave_page()
        self._list_alone = True
        self.list.wait()
        self._desk.search(text)
        self._take_turns()

    def _type_on(self, text: str) -> None:
        """A letter typed in the list belongs to the search field."""
        self.search.setFocus()
        self.search.insert(text)

    def _clear_search(self) -> None:
        self.search.clear()
        self.search.setFocus()

    def _leave_list(self) -> None:
        if self._desk.finding:
            self.search.clear()
        elif not self.list.leave_selection():
            self._desk.leave()

    def _back_to_list(self) -> None:
        self._list_alone = True
        self._take_turns()
        editor = self._desk.editor
        if editor is not None and self._desk.detail is None and not editor.has_unsaved():
            self._desk.leave()
        self.list.rows.setFocus()

    # -- what the palette answers

    def open_palette(self) -> None:
        """Ask in one field where to go, what to do or what to make; close it when it is open."""
        self.asking.toggle()

    def now(self) -> Now:
        """How things stand, for what is possible."""
        from app.viewmodels.palette import now

        return now(self._desk, self.list.rows.chosen_row())

    def open_record(self, kind: str, id_: bytes) -> None:
        """Show a record wherever one is, with the focus in its list."""
        self.search.empty()
        self._desk.open(kind, id_)
        self._leave_page()
        self._show_detail()
        self.list.rows.setFocus()

    def make(self, kind: str, title: str) -> None:
        """Begin a record of a kind; with a title it is made at once, and one can go on typing."""
        made = KINDS[kind]
        self._desk.new(made)
        if not self._desk.may_change:
            return
        editor = self._desk.editor
        if title and editor is not None:
            editor.type_text(made.title, title)
            editor.save()
        self._into_new()

    # -- commands

    def run(self, command: Command) -> None:
        """Run a command and remember that it was used."""
        self.asking.uses.note(command.id)
        command.run(self)

    def seek(self) -> None:
        """Go to the search field."""
        self.search.setFocus()
        self.search.selectAll()

    def narrow(self) -> None:
        """Begin a condition of the list's filter."""
        if self._desk.section in KINDS:
            self._back_to_list()
            self.list.narrow()

    def new(self) -> None:
        """Begin a record of the kind that is shown."""
        self._desk.new()
        if self._desk.kind is None or not self._desk.kind.from_file:
            self._into_new()

    def _into_new(self) -> None:
        self.search.empty()
        self._leave_page()
        self._show_detail()
        self.detail.edit()

    def edit(self) -> None:
        """Go into the form."""
        self.asking.opened.keep()
        self._show_detail()
        self.detail.edit()

    def tear_off(self) -> None:
        """Show the record in a window of its own."""
        self.torn.tear_off()

    def come_forward(self) -> None:
        """Show what was asked for in the window of a record."""
        self.search.empty()
        self._leave_page()
        if self._desk.editor is not None and self._desk.detail is None:
            self._into_new()

    def next(self) -> None:
        """Done with this record: go into the next one of the list."""
        at = self.list.rows.chosen_row() + 1
        if self._page is None and 0 < at < self._desk.rows.count():
            self.list.rows.choose(at)
            self.detail.enter_when_shown()

    def undo(self) -> None:
        """Take back what was saved last."""
        self._desk.undo()

    def delete(self) -> None:
        """Delete the record that is shown."""
        if self._desk.detail is not None:
            self._desk.delete()
            self._back_to_list()

    def lock(self) -> None:
        """Lock."""
        self._shell.locking.lock()

    def sync_now(self) -> None:
        """Exchange with the server now."""
        self._shell.try_now()

    def travel(self) -> None:
        """Begin a journey once that was asked about, or end it."""
        journey.ask(self, self._shell)

    def go(self, section: str) -> None:
        """Show a section; a page that is shown already stays."""
        if section == self._desk.section and section not in KINDS:
            return
        self.search.empty()
        self._desk.go(section)
        if section in KINDS:
            self._leave_page()
            self.list.rows.setFocus()

    def back(self) -> None:
        """Go back to what was shown before."""
        self.search.empty()
        self._desk.back()
        self._enter_what_is_shown()

    def forth(self) -> None:
        """Go forth again."""
        self.search.empty()
        self._desk.forth()
        self._enter_what_is_shown()

    def bring_in(self) -> None:
        """Import files; an import that is under way is shown again."""
        if (paths := files_to_bring(self, self._desk)) is not None:
            self.bring(paths)

    def bring(self, paths: list[Path]) -> None:
        """Show what these files would bring, or what is being brought in."""
        self._show_page(import_page(self._desk, paths, self._leave_import))

    def _leave_import(self) -> None:
        self._desk.go(self._desk.list.kind.name)
        self._show_section()

    def _leave_page(self) -> None:
        """Files that are looked at are no section: their page goes by itself."""
        if self._page is not None and self._desk.section in KINDS:
            self._show_section()

    def _enter_what_is_shown(self) -> None:
        if self._page is None:
            self.list.rows.setFocus()

    def let_go(self) -> None:
        """Stop watching: the window shows something else next."""
        self.keep_left()
        for unwatch in self._unwatch:
            unwatch()
        self.torn.let_go()
        self._foot.let_go()
        self.asking.let_go()
        self._drop_page()
        self.list.let_go()
        self.detail.let_go()
