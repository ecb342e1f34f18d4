"""One record that a window shows: read again when it changes, laid into its form, and what can be begun from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from app.changes import Changes
from app.services.session import Session
from app.store.records import Record
from app.viewmodels import looked_at, notes, reading
from app.viewmodels.base import Errands, Watched
from app.viewmodels.drafts import Drafts
from app.viewmodels.editor import Editor
from app.viewmodels.reading import Proposal, Sheet
from app.viewmodels.records import RecordList
from app.viewmodels.rights import Rights
from sync.protocol.errors import KnownError
from sync.protocol.fields import Value
from sync.protocol.kinds import Kind

if TYPE_CHECKING:
    from app.viewmodels.attached import Attached


class OneRecord(Rights, ABC):
    """What the page of a record knows. The forms of all windows stand in the same drafts: one record, one form."""

    errands: Errands
    drafts: Drafts
    notes: notes.Notes
    currency: Callable[[], str]
    goes_along = True  # what is opened or begun on the page takes the place of this record

    def __init__(self, session: Session) -> None:
        self.session = session
        self.detail: looked_at.Overview | None = None
        self.on_detail = Watched()
        self._wanted: tuple[Kind, bytes] | None = None
        self._reading = False
        self._again = False  # what is being read may have changed meanwhile

    @property
    def editor(self) -> Editor | None:
        """The open form."""
        return self.drafts.of(self)

    @abstractmethod
    def leave(self) -> None:
        """Show no record; what was typed is saved first."""

    @abstractmethod
    def open(self, kind: str, id_: bytes) -> None:
        """Show a record that this one names."""

    @abstractmethod
    def go(self, section: str) -> None:
        """Show a section."""

    @abstractmethod
    def new(self, kind: Kind | None = None, preset: Mapping[str, Value] | None = None) -> None:
        """Begin a record; fields of `preset` stand in it already."""

    @abstractmethod
    def delete(self) -> None:
        """Delete the record that is shown."""

    @abstractmethod
    def delete_record(self, record: Record) -> None:
        """Delete a record that belongs to this one; the main window tells of it and can take it back."""

    @abstractmethod
    def undo(self) -> None:
        """Take back what was saved last."""

    # -- what is begun from the record

    def note(self, text: str) -> None:
        """The note about the record that is shown, as typed so far."""
        if self.detail is not None and self.may_change:
            self.notes.type(self.detail.record, text)

    def refers_here(self, kind: Kind) -> dict[str, Value]:
        """Fields by which a new record of that kind refers to the record that is shown."""
        return notes.referring(kind, self.detail.record) if self.detail is not None else {}

    def propose(self, kind: Kind, text: str, take: Callable[[list[Proposal]], None]) -> None:
        """Records that a reference may point to."""
        self.errands.read(lambda: self.session.read(reading.proposals, kind, text), take)

    def related(self, kind: Kind) -> RecordList | None:
        """The records of a kind that refer to the record that is shown, on their way: a list of its own."""
        if self.detail is None:
            return None
        where = reading.where_referring(kind, self.detail.record)
        found = RecordList(self.session, self.errands, kind, where=where, order="-changed")
        found.load()
        return found

    def attached(self) -> Attached | None:
        """The files of the record that is shown, on their way."""
        if self.detail is None:
            return None
        from app.viewmodels.attached import Attached  # the first list needs none of it

        return Attached(self.session, self.errands, self.detail.record, self.delete_record)

    # -- reading it

    def heard_of(self, changes: Changes) -> None:
        """News from the store: read the record again when they concern its page."""
        if self._wanted is not None:  # another record is on its way: news of this one must not call it back
            self._again = self._reading
        elif self.detail is not None and (not changes.records or self._concerns_detail(changes)):
            self._wanted = (self.detail.record.kind, self.detail.record.id)
            self._read()

    def _read(self) -> None:
        """Read the record that is wanted; whoever is wanted meanwhile comes after it, and only the last."""
        if self._reading or self._wanted is None:
            return
        wanted = self._wanted
        self._reading, self._again = True, False

        def take(found: looked_at.Overview) -> None:
            self._reading = False
            if self._wanted == wanted:
                self._wanted = wanted if self._again else None
                self._take_detail(found)
            self._read()

        def give_up(problem: KnownError) -> None:
            self._reading = False
            if self._wanted == wanted:
                self._wanted = None
                self.leave()
            self._read()

        self.errands.read(lambda: looked_at.record(self.session, wanted[1]), take, give_up)

    def _take_detail(self, found: looked_at.Overview) -> None:
        if found.record.deleted:
            self.leave()
            return
        self.detail = found
        self._lay(found.sheet)
        self.notes.come_back(found)
        self.on_detail.tell()

    def _lay(self, sheet: Sheet) -> None:
        """The record as it is now into its form; the one that was open here before is let go."""
        form = self.editor
        if form is None or form.id != sheet.record.id:
            self.drafts.let_go(self)
            form = self.drafts.find(sheet.record.id)
            if form is None:
                self.drafts.take(self, Editor(self.session, self.errands, sheet.record.kind, sheet))
                return
            self.drafts.take(self, form)
        form.take(sheet)

    def _concerns_detail(self, changes: Changes) -> bool:
        """The record itself, or one of a kind that its first page tells of."""
        if self.detail is None:
            return False
        related = set(self.detail.related)
        own = (self.detail.record.kind.name, self.detail.record.id)
        return any(each == own or each[0] in related for each in changes.records)
