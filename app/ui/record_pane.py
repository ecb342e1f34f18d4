"""One record: its head with one quiet line about saving, and its pages: overview, form, what refers to it.

Made with the first record that is opened: the first list is painted before any of it is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from app.commands import BY_ID
from app.ui.form import Form
from app.ui.kit.buttons import Button, icon_button
from app.ui.kit.paint import Tone
from app.ui.kit.text import Line, Tag, hairline
from app.ui.overview import OverviewPage
from app.ui.related import RelatedPage
from app.ui.shortcuts import tip
from app.ui.theme import fonts
from app.ui.theme.tokens import S4, S8, S16, S24, TOUCH, Colour, Step
from app.viewmodels import reading, words
from app.viewmodels.editor import Editor, Saved
from app.viewmodels.one_record import OneRecord
from app.viewmodels.overview import Overview
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.texts import gettext as _

if TYPE_CHECKING:
    from app.ui.attached import AttachedPage

OVERVIEW, DETAILS = "overview", "details"


class RecordPane(QWidget):
    """`left()` asks for the list again, by key or by the button that a narrow window shows.

    `tearing()` asks for a window of its own for the record.
    """

    left = Signal()
    tearing = Signal()

    def __init__(self, desk: OneRecord) -> None:
        super().__init__()
        self._desk = desk
        self._forms: dict[str, Form] = {}
        self._tab = OVERVIEW
        self._tabs_shown: list[str] = []
        self._head_shown: object = None
        self._unwatch_editor: Callable[[], None] = lambda: None
        self._bound: Editor | None = None
        self._related: RelatedPage | AttachedPage | None = None
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        inside.addWidget(self._head())
        inside.addWidget(hairline())
        self._pages = QStackedWidget()
        self._overview = OverviewPage()
        self._overview.opened.connect(self._open)
        self._overview.noting.connect(desk.note)
        self._overview.noted.connect(self._keep_note)
        self._unwatch_notes = desk.notes.watch(self._show_note)
        self._overview.adding.connect(self._add)
        self._overview.left.connect(self.left)
        self._pages.addWidget(self._overview)
        inside.addWidget(self._pages, 1)

    # -- how it is built

    def _head(self) -> QWidget:
        head = QWidget()
        column = QVBoxLayout(head)
        column.setContentsMargins(S24, S16, S24, 0)
        column.setSpacing(S4)
        first = QHBoxLayout()
        first.setSpacing(S8)
        self._back = icon_button("back", _("Back to the list"))
        self._back.clicked.connect(self.left)
        self._back.hide()
        self._title = Line("", Step.TITLE, semibold=True)
        self._log = Button(_("Log visit"))
        self._log.clicked.connect(lambda: self._add("activity"))
        self._edit = Button(_("Edit"))
        self._edit.setToolTip(tip(BY_ID["edit"]))
        self._edit.clicked.connect(self.edit)
        self._tear = icon_button("window", tip(BY_ID["tear_off"]))
        self._tear.clicked.connect(self.tearing)
        self._delete = icon_button("bin", tip(BY_ID["delete"]))
        self._delete.clicked.connect(self._desk.delete)
        first.addWidget(self._back)
        first.addWidget(self._title, 1)
        for button in (self._log, self._edit, self._tear, self._delete):
            first.addWidget(button)
        column.addLayout(first)
        self._second = Line("", Step.BODY, Colour.SOFT)
        column.addWidget(self._second)
        self._chips = QHBoxLayout()
        self._chips.setSpacing(S8)
        holder = QWidget()
        holder.setFixedHeight(fonts.px(28))
        self._chips.setContentsMargins(0, S4, 0, S4)
        holder.setLayout(self._chips)
        column.addWidget(holder)
        self._quiet = Line("", Step.SMALL, Colour.SOFT)
        self._quiet.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self._tabs = QTabBar()
        self._tabs.setAccessibleName(_("Pages of this record"))
        self._tabs.setDrawBase(False)
        self._tabs.setExpanding(False)
        self._tabs.setUsesScrollButtons(True)
        self._tabs.setFont(fonts.font())
        self._tabs.setMinimumHeight(fonts.px(TOUCH))
        self._tabs.currentChanged.connect(self._tab_chosen)
        column.addWidget(self._tabs)
        return head

    # -- what is shown

    def show_editor(self, editor: Editor) -> None:
        """Show the record of this form, or the one that is being made in it."""
        if editor is not self._bound:
            self._take(editor)
        if self._desk.detail is None:
            self._show_new(editor.kind)
        else:
            self._show_record(self._desk.detail)
        self._show_quiet()

    def forget(self) -> None:
        """Hold nothing of any record."""
        self._let_go_of_editor()
        self._overview.forget()
        self._drop_related()
        self._head_shown = None

    def _take(self, editor: Editor) -> None:
        self._unwatch_editor()
        for form in self._forms.values():
            form.unbind()
        self._bound = editor
        self._unwatch_editor = editor.watch(self._show_quiet)
        self._drop_related()
        self._form_of(editor.kind).bind(editor)
        if editor.record is None:
            self._tab = DETAILS

    def _let_go_of_editor(self) -> None:
        self._unwatch_editor()
        self._unwatch_editor = lambda: None
        self._bound = None
        for form in self._forms.values():
            form.unbind()

    def _show_new(self, kind: Kind) -> None:
        self._title.setText(_("New {kind}").format(kind=_(kind.label).lower()))
        self._second.hide()
        self._show_chips(())
        self._show_tabs([DETAILS], {DETAILS: _("Details")})
        for button in (self._log, self._edit, self._tear, self._delete):
            button.hide()

    def _show_record(self, shown: Overview) -> None:
        self._title.setText(reading.title(shown.record))
        self._second.setText(shown.second)
        self._second.setVisible(bool(shown.second))
        if self._head_shown != (shown.record.id, shown.chips):
            self._head_shown = (shown.record.id, shown.chips)
            self._show_chips(shown.chips)
        self._overview.show_overview(shown, may_change=self._desk.may_change)
        self._show_note()
        names = {OVERVIEW: _("Overview"), DETAILS: _("Details")}
        for kind in shown.related:
            if kind != "activity":
                count = shown.related[kind]
                names[kind] = (
                    f"{_(KINDS[kind].plural)} {words.number(count)}" if count else _(KINDS[kind].plural)
                )
        if shown.record.kind.from_file:
            names[shown.record.kind.name] = _("File")
        self._show_tabs(list(names), names)
        may = self._desk.may_change
        self._log.setVisible(may and "activity" in shown.related)
        self._edit.setVisible(may)
        self._delete.setVisible(may)
        self._tear.setVisible(self._desk.goes_along)

    def _show_note(self) -> None:
        if self._desk.detail is not None:
            id_ = self._desk.detail.record.id
            self._overview.note.show_note(self._desk.notes.text(id_), self._desk.notes.said(id_))

    def _keep_note(self) -> None:
        if self._desk.detail is not None:
            self._desk.notes.keep(self._desk.detail.record)

    def _show_chips(self, chips: tuple[tuple[str, str], ...]) -> None:
        while (item := self._chips.takeAt(0)) is not None:
            old = item.widget()
            if old is not None and old is not self._quiet:
                old.hide()
                old.deleteLater()
        for text, tone in chips:
            self._chips.addWidget(Tag(text, Tone(tone)))
        self._chips.addWidget(self._quiet)
        self._chips.addStretch(1)

    def _show_quiet(self) -> None:
        editor = self._bound
        if editor is None:
            return
        if not editor.may_change:
            text = _("Only to look at: your role does not change records")
        elif editor.errors:
            text = _("Not saved: see below")
        else:
            text = {
                Saved.NEW: _("Saved by itself once it has a name"),
                Saved.TYPED: _("Not saved yet"),
                Saved.HERE: _("Saved on this device"),
                Saved.SENT: _("Sent"),
            }[editor.saved]
        self._quiet.setText(text)

    # -- tabs

    def _show_tabs(self, tabs: list[str], names: dict[str, str]) -> None:
        self._tabs.blockSignals(True)
        if tabs != self._tabs_shown:
            while self._tabs.count():
                self._tabs.removeTab(0)
            for tab in tabs:
                self._tabs.addTab(names[tab])
            self._tabs_shown = tabs
        else:
            for at, tab in enumerate(tabs):
                self._tabs.setTabText(at, names[tab])
        if self._tab not in tabs:
            self._tab = tabs[0]
        self._tabs.setCurrentIndex(tabs.index(self._tab))
        self._tabs.blockSignals(False)
        self._show_page()

    def _tab_chosen(self, at: int) -> None:
        if 0 <= at < len(self._tabs_shown):
            self._tab = self._tabs_shown[at]
            self._show_page()

    def _show_page(self) -> None:
        if self._bound is None:
            return
        if self._tab == OVERVIEW:
            self._pages.setCurrentWidget(self._overview)
        elif self._tab == DETAILS:
            self._pages.setCurrentWidget(self._form_of(self._bound.kind))
        elif self._related is None or self._related.kind.name != self._tab:
            self._drop_related()
            self._make_related(KINDS[self._tab])
        else:
            self._pages.setCurrentWidget(self._related)

    def _make_related(self, kind: Kind) -> None:
        made = self._attached_page() if kind.from_file else self._related_page(kind)
        if made is not None:
            self._related = made
            self._related.left.connect(self.left)
            self._pages.addWidget(self._related)
            self._pages.setCurrentWidget(self._related)

    def _related_page(self, kind: Kind) -> RelatedPage | None:
        found = self._desk.related(kind)
        if found is None:
            return None
        made = RelatedPage(found, may_change=self._desk.may_change)
        made.opened.connect(self._open)
        made.adding.connect(self._add)
        return made

    def _attached_page(self) -> AttachedPage | None:
        from app.ui.attached import AttachedPage

        files = self._desk.attached()
        return AttachedPage(files, may_change=self._desk.may_change) if files is not None else None

    def _form_of(self, kind: Kind) -> Form:
        if kind.name not in self._forms:
            made = Form(kind, self._desk)
            made.left.connect(self.left)
            made.undo.connect(self._desk.undo)
            self._forms[kind.name] = made
            self._pages.addWidget(made)
        return self._forms[kind.name]

    def _drop_related(self) -> None:
        if self._related is not None:
            self._related.let_go()
            self._pages.removeWidget(self._related)
            self._related.deleteLater()
            self._related = None

    # -- what a person does

    def edit(self) -> None:
        """Go into the form."""
        if self._bound is None:
            return
        self._tab = DETAILS
        if DETAILS in self._tabs_shown:
            self._tabs.setCurrentIndex(self._tabs_shown.index(DETAILS))
        self._show_page()
        self._form_of(self._bound.kind).enter()

    def leave(self) -> None:
        """Leave as Esc does: out of a form only once what is wrong in it was pointed out."""
        page = self._pages.currentWidget()
        if isinstance(page, Form):
            page.leave()
        else:
            self.left.emit()

    def pages(self) -> tuple[str, ...]:
        """The pages of the record that is shown: overview, details, kinds that refer to it."""
        return tuple(self._tabs_shown)

    def show_page(self, page: str) -> None:
        """Show one of these pages."""
        self._tabs.setCurrentIndex(self._tabs_shown.index(page))

    def turn_to_details(self) -> None:
        """Show the form when the next record is shown."""
        self._tab = DETAILS

    def _add(self, kind: str) -> None:
        made = KINDS[kind]
        along = self._desk.goes_along
        self._desk.new(made, self._desk.refers_here(made))
        if along:
            self.edit()

    def _open(self, kind: str, id_: bytes) -> None:
        if kind == "conflict":
            self._desk.go("conflicts")
        elif kind == "duplicate":
            self._desk.go("duplicates")
        elif self._desk.detail is not None and self._desk.detail.record.id != id_:
            if self._desk.goes_along:
                self._tab = OVERVIEW
            self._desk.open(kind, id_)

    def set_alone(self, alone: bool) -> None:
        """Whether the list is hidden, so that a button leads back to it."""
        self._back.setVisible(alone)

    def let_go(self) -> None:
        """Stop watching: the pane goes."""
        self._unwatch_notes()
        self._let_go_of_editor()
        self._drop_related()
