"""The editor of a reference: type some letters, choose the record; the button beside it goes there."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QCompleter, QListView, QWidget

from app.ui.fields.base import FieldEditor, line, row_of, show_text
from app.ui.kit.buttons import icon_button
from app.ui.theme.tokens import S4
from app.viewmodels.reading import Proposal
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import Field, Ref, Value
from sync.protocol.kinds import KINDS
from sync.protocol.texts import gettext as _

_ID = int(Qt.ItemDataRole.UserRole)
_TITLE = _ID + 1
_PAUSE_MS = 60

Propose = Callable[[str, Callable[[list[Proposal]], None]], None]


class RefEditor(FieldEditor):
    """`propose(text, take)` looks for records; `went(kind, id)` is a click on the way to the record."""

    went = Signal(str, bytes)
    refused = Signal(object)

    def __init__(self, field: Field, name: str, propose: Propose, title_of: Callable[[bytes], str]) -> None:
        super().__init__(field, name)
        assert isinstance(field.type, Ref)  # noqa: S101 - the table of editors says so
        self._kind = KINDS[field.type.to]
        self._propose = propose
        self._title_of = title_of
        self._held: bytes | None = None
        self._line = line(name, _("Type to find"))
        self._go = icon_button("chevron", _("Show this {kind}").format(kind=_(self._kind.label).lower()))
        self._go.clicked.connect(self._show)
        row = row_of(self, S4)
        row.addWidget(self._line, 1)
        row.addWidget(self._go)
        self._model = QStandardItemModel(self)
        self._popup = QCompleter(self._model, self)
        self._popup.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._popup.setWidget(self._line)
        self._list = QListView()
        self._popup.setPopup(self._list)
        self._popup.activated[QModelIndex].connect(self._chosen)  # type: ignore[index]  # overloads have no types
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._ask)
        self._line.textEdited.connect(self._edited)
        self._line.editingFinished.connect(self._settle)
        self.watch_focus(self._line, self._go)
        self.setFocusProxy(self._line)

    def show_value(self, value: Value) -> None:
        """Show the title of the record referred to."""
        self._held = value
        if not self.has_inner_focus() or not self._line.isModified():
            show_text(self._line, self._title_of(value) if value is not None else "")
        self._go.setEnabled(value is not None)

    def show_mask(self, value: Value) -> None:
        """Neither the letters nor the records that they have found stay."""
        self._pause.stop()
        self._list.hide()
        self._model.clear()
        self._line.setModified(False)
        super().show_mask(value)

    def first(self) -> QWidget:
        """The line."""
        return self._line

    def set_usable(self, usable: bool) -> None:
        """Have another record chosen, or only go to this one."""
        super().set_usable(usable)
        self._go.setEnabled(self._held is not None)

    def _show(self) -> None:
        if self._held is not None:
            self.went.emit(self._kind.name, self._held)

    def _edited(self, text: str) -> None:
        if text.strip():
            self._pause.start()
        else:
            self._take(None, "")

    def _ask(self) -> None:
        asked = self._line.text()

        def show(found: list[Proposal]) -> None:
            if asked != self._line.text() or not self._line.hasFocus():
                return
            self._model.clear()
            for each in found:
                text = f"{each.title}  ·  {each.second}" if each.second else each.title
                item = QStandardItem(text)
                item.setData(each.id, _ID)
                item.setData(each.title, _TITLE)
                self._model.appendRow(item)
            if found:
                self._popup.complete()
            else:
                self._list.hide()

        self._propose(asked, show)

    def _chosen(self, index: QModelIndex) -> None:
        self._take(bytes(index.data(_ID)), str(index.data(_TITLE)))

    def _take(self, value: bytes | None, title: str) -> None:
        self._held = value
        show_text(self._line, title)
        self._line.setModified(False)
        self._go.setEnabled(value is not None)
        self.put.emit(value)

    def _settle(self) -> None:
        """Leaving with letters that name no record: the one record of exactly this name, or a word about it."""
        text = self._line.text().strip()
        if not self._line.isModified() or not text or self._list.isVisible():
            return

        def take(found: list[Proposal]) -> None:
            if self._line.text().strip() != text:
                return  # something else stands here by now
            same = [each for each in found if each.title.casefold() == text.casefold()]
            if len(same) == 1:
                self._take(same[0].id, same[0].title)
                self.left.emit()
            elif self._line.isModified():
                name = _(self._kind.label).lower()
                problem = _("There is no {kind} of this name here. Choose one from the list.").format(
                    kind=name
                )
                self.refused.emit(FieldProblem(self.field.name, problem))

        self._propose(text, take)
