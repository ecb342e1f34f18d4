"""A record in a window of its own: the same form, notes and saves as in the main window, which does all the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.store.records import Record
from app.viewmodels import editor, looked_at, reading
from app.viewmodels.acting import Many
from app.viewmodels.base import Watched
from app.viewmodels.one_record import OneRecord
from app.viewmodels.telling import Aside
from sync.protocol.fields import Value
from sync.protocol.joins import sentences
from sync.protocol.kinds import Kind
from sync.protocol.texts import gettext as _

if TYPE_CHECKING:
    from app.viewmodels.desk import Desk


class Torn(OneRecord):
    """One record, as long as it is there. `on_elsewhere` tells that the main window shows what was asked for here."""

    goes_along = False

    def __init__(self, desk: Desk, shown: looked_at.Overview) -> None:
        super().__init__(desk.session)
        self.id = shown.record.id
        self.kind = shown.record.kind
        self.errands, self.drafts, self.notes, self.currency = (
            desk.errands, desk.drafts, desk.notes, desk.currency,
        )  # fmt: skip
        self.aside: Aside | None = None
        self.on_aside = Watched()
        self.on_elsewhere = Watched()
        self._desk = desk
        self.detail = shown
        self._lay(shown.sheet)
        self._unwatch = self.editor.watch(self._look) if self.editor is not None else _nothing

    def leave(self) -> None:
        """The record is not there any more: its window goes."""
        self._desk.put_back(self)

    def close(self) -> None:
        """Hold nothing of the record any more; what was typed is saved on its way."""
        self._unwatch()
        self.drafts.let_go(self)
        self.detail = None
        self._wanted = None

    # -- what the main window does

    def open(self, kind: str, id_: bytes) -> None:
        """Show a record that this one names."""
        self._desk.open(kind, id_)
        self.on_elsewhere.tell()

    def go(self, section: str) -> None:
        """Show a section."""
        self._desk.go(section)
        self.on_elsewhere.tell()

    def new(self, kind: Kind | None = None, preset: Mapping[str, Value] | None = None) -> None:
        """Begin a record that refers to this one."""
        if self.detail is not None:
            names = {self.id: reading.title(self.detail.record)}
            self._desk.new(kind, preset, names)
            self.on_elsewhere.tell()

    def delete(self) -> None:
        """Delete the record; the main window tells of it and can take it back."""
        if self.detail is not None and self.may_change:
            record = self.detail.record
            self.drafts.let_go(self, save=False)
            self._desk.delete_record(record)
            self._desk.put_back(self)

    def delete_record(self, record: Record) -> None:
        """Delete a record that belongs to this one; the main window tells of it and can take it back."""
        self._desk.delete_record(record)

    # -- what is done here

    def undo(self) -> None:
        """Take back what was saved last of this record."""
        if self.editor is not None and self.editor.has_unsaved():
            self.editor.save()
        act = self.drafts.last(self.id)
        if act is None or isinstance(act, Many):
            self._say(_("There is nothing to undo."))
            return
        self.errands.run(
            lambda: editor.undo(self.session, act), lambda _result: self._say(_("Undone.")), self._desk.fail
        )

    def hush(self) -> None:
        """Take the line away that tells of something just done."""
        if self.aside is not None:
            self.aside = None
            self.on_aside.tell()

    def _look(self) -> None:
        """What kept the form from being saved is told where one types."""
        if self.editor is not None and self.editor.problem is not None:
            problem = self.editor.problem
            self._say(sentences(problem.title, problem.hint))

    def _say(self, text: str) -> None:
        self.aside = Aside(text)
        self.on_aside.tell()


def _nothing() -> None:
    """Nobody is watched."""
