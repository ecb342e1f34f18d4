"""The open workplace: which section, which record, what was found, what can be undone. Gone when the store closes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from app.changes import Changes
from app.commands import CONFLICTS
from app.services.session import Session
from app.store.records import Record
from app.viewmodels import editor, looked_at, notes, reading, words
from app.viewmodels.acting import Acting, Many
from app.viewmodels.base import Background, Beside, Errands, Watched
from app.viewmodels.counting import Counting
from app.viewmodels.drafts import Drafts
from app.viewmodels.editor import Editor, Undoable
from app.viewmodels.found import FoundList
from app.viewmodels.history import History, Place
from app.viewmodels.one_record import OneRecord
from app.viewmodels.reading import Counts, Shown
from app.viewmodels.records import RecordList, now_ms
from app.viewmodels.rights import not_changing, not_made
from app.viewmodels.sections import Sections
from app.viewmodels.telling import Aside
from sync.client.status import SyncStatus
from sync.protocol.errors import KnownError
from sync.protocol.fields import Value
from sync.protocol.joins import sentences
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

if TYPE_CHECKING:
    from app.viewmodels.torn import Torn


class Desk(OneRecord):
    """Everything that the open window knows. Its parts are watched one by one."""

    def __init__(
        self,
        session: Session,
        background: Background,
        currency: Callable[[], str] = lambda: "USD",
        unfinished: notes.Unfinished | None = None,
    ) -> None:
        super().__init__(session)
        self.currency = currency
        self.errands = Errands(background)
        self.section = next(kind.name for kind in reading.in_order())
        self.on_section = Watched()
        self.on_list = Watched()
        self.on_news = Watched()  # something changed, whichever record it was, or it is another day
        self.on_aside = Watched()
        self.on_conflicts = Watched()
        self.on_counts = Counting(session, self.errands)
        self.beside: dict[str, Beside] = {}  # what pages beside the lists know
        self.aside: Aside | None = None
        self.met: list[looked_at.Met] | None = None
        self.on_picked = Watched()
        told = (self.on_list.tell, self.on_picked.tell)
        self.sections = Sections(session, self.errands, *told, self.section)
        self.list = self.sections.rows
        self.found = FoundList(session, self.errands)
        self.found.watch(self.on_list.tell)
        self.chosen: int | None = None  # a rowid: what stays while rows move
        self.fresh: int | None = None  # the rowid just made, until the list has gone to it
        self.torn: dict[bytes, Torn] = {}  # records in windows of their own
        self.on_torn = Watched()
        self.drafts = Drafts(self.fail, self._was_made)
        self.notes = notes.Notes(session, self.errands, self.drafts, {} if unfinished is None else unfinished)
        self.acting = Acting(session, self.errands, self.say, self.drafts.may_undo)
        self.history = History()
        self.sync: SyncStatus | None = None  # how syncing stands, once it has said so

    @property
    def kind(self) -> Kind | None:
        """The kind of the section shown, None on a page that is no list."""
        return KINDS.get(self.section)

    @property
    def counts(self) -> Counts | None:
        """The figures of the rail, None until they are read."""
        return self.on_counts.found

    @property
    def finding(self) -> bool:
        """Whether the list shows what a search found: until there is an answer, it shows what it did before."""
        return bool(self.found.text.strip() and self.found.answered)

    @property
    def rows(self) -> RecordList | FoundList:
        """What the list shows now."""
        return self.found if self.finding else self.list

    def start(self, section: str = "") -> None:
        """Read the first list, of this section if it names one. The figures of the rail come with `on_counts.read`."""
        if section in KINDS and section != self.section:
            self.section = section
            self.sections.open(section)
            self.list = self.sections.rows
        else:
            self.list.load()

    # -- going about

    def go(self, section: str) -> None:
        """Show a section; the record shown goes."""
        self.history.leave(self._here())
        self._go(section)
        self.leave()

    def open(self, kind: str, id_: bytes) -> None:
        """Show a record in its section."""
        self.history.leave(self._here())
        self._open(kind, id_)

    def back(self) -> None:
        """What was shown before."""
        self._turn_to(self.history.back(self._here()))

    def forth(self) -> None:
        """What was shown before going back."""
        self._turn_to(self.history.forth(self._here()))

    def search(self, text: str) -> None:
        """Show what a text finds in all kinds, once it is found; the list again when it is empty."""
        self.chosen = None
        self.found.find(text)
        if text.strip():
            return
        if self.detail is not None and self.kind is self.detail.record.kind:
            self._choose_row_of(self.detail.record.kind, self.detail.record.id)
        self.on_list.tell()

    def choose(self, at: int) -> None:
        """Show the record of a row; never waits, and the last one chosen wins."""
        rows = self.rows
        self.chosen = rows.rowid(at)
        shown = rows.shown(at)
        if shown is not None:
            self._show(KINDS[shown.kind], shown.id)
        elif isinstance(rows, RecordList) and self.chosen is not None:
            rowid, kind = self.chosen, rows.kind
            self.errands.read(
                lambda: self.session.read(reading.rows, kind, [rowid], now_ms()),
                lambda found: self._show_if(rowid, found),
            )

    def leave(self) -> None:
        """Show no record; what was typed is saved first."""
        self.drafts.let_go(self)
        self.detail = None
        self.chosen = None
        self._wanted = None
        self.on_detail.tell()

    # -- making and changing

    def new(
        self,
        kind: Kind | None = None,
        preset: Mapping[str, Value] | None = None,
        names: Mapping[bytes, str] | None = None,
    ) -> None:
        """Begin a record; fields of `preset` stand in it already, `names` are titles of what they refer to."""
        kind = kind or self.kind or next(iter(reading.in_order()))
        if not self.may_change or kind.from_file:
            self.say(not_made(kind) if self.may_change else not_changing())
            return
        names = dict(names or {})
        if self.detail is not None:
            names[self.detail.record.id] = reading.title(self.detail.record)
        if kind.name != self.section:
            self.history.leave(self._here())
            self._go(kind.name)
        self.drafts.let_go(self)
        self.found.find("")
        self.detail = None
        self.chosen = None
        self._wanted = None
        self.drafts.take(self, Editor(self.session, self.errands, kind, None, preset, names))
        self.on_detail.tell()
        self.on_list.tell()

    def delete(self) -> None:
        """Delete the record that is shown; a line says so and offers to undo."""
        if self.detail is None or not self.may_change:
            return
        record = self.detail.record
        self.drafts.let_go(self, save=False)
        self.detail = None
        self.chosen = None
        self.on_detail.tell()
        self.delete_record(record)

    def delete_record(self, record: Record) -> None:
        """Delete a record, wherever it is shown."""
        kind, id_, name = record.kind, record.id, reading.title(record)

        def done(_result: None) -> None:
            self.drafts.may_undo(Undoable(kind, id_, None, deleted=True))
            self.say(_("“{name}” is deleted.").format(name=name), undoes=True)

        self.errands.run(lambda: editor.turn(self.session, kind, id_, deleted=True), done, self.fail)

    def undo(self) -> None:
        """Take back what was saved last."""
        if self.editor is not None and self.editor.has_unsaved():
            self.editor.save()
        act = self.drafts.last()
        if act is None:
            self.say(_("There is nothing to undo."))
            return
        if isinstance(act, Many):
            self.hush()
            self.acting.undo(act)
            return

        def done(_result: None) -> None:
            self.say(_("Undone."))
            if act.before is None and not act.deleted:
                if self.detail is not None and self.detail.record.id == act.id:
                    self.leave()
            elif self.section in KINDS:  # a page beside the lists shows it by itself
                self._open(act.kind.name, act.id)

        self.errands.run(lambda: editor.undo(self.session, act), done, self.fail)

    # -- windows of their own

    def tear_off(self) -> None:
        """Show the record that is shown here in a window of its own too; the same one again when it has one."""
        if self.detail is not None:
            from app.viewmodels.torn import Torn  # the first list needs none of it

            id_ = self.detail.record.id
            if id_ not in self.torn:
                self.torn[id_] = Torn(self, self.detail)
            self.on_torn.tell()

    def put_back(self, torn: Torn) -> None:
        """The window of a record goes; what was typed there is saved on its way."""
        if self.torn.pop(torn.id, None) is not None:
            torn.close()
            self.on_torn.tell()

    # -- telling

    def say(self, text: str, *, undoes: bool = False, goes_on: bool = False) -> None:
        """Show one line about something just done."""
        self.aside = Aside(text, undoes, goes_on=goes_on)
        self.on_aside.tell()

    def hush(self) -> None:
        """Take that line away."""
        if self.aside is not None:
            self.aside = None
            self.on_aside.tell()

    def fail(self, problem: KnownError) -> None:
        """Show what went wrong and what to do."""
        self.say(sentences(problem.title, problem.hint))

    # -- news, and the end

    def stands(self, status: SyncStatus) -> None:
        """How syncing stands: an empty list says whether its records are still on their way."""
        known, self.sync = self.sync, status
        if not self.rows.count() and known != status:
            self.on_list.tell()

    def heard(self, changes: Changes) -> None:
        """Take in news from the store."""
        if changes.left:
            self._tell_left(changes.left)
        self.list.heard(changes)
        if self.finding:
            self.found.heard(changes)
        self.on_counts.read()
        self.on_news.tell()
        if self.section == CONFLICTS:
            self.load_conflicts()
        self.heard_of(changes)
        for torn in tuple(self.torn.values()):
            torn.heard_of(changes)

    def tick(self) -> None:
        """Once a minute: what is said of days is read again when another one has begun."""
        if self.on_counts.of_another_day():
            self.on_counts.read()
            self.on_news.tell()

    def _tell_left(self, count: int) -> None:
        """Tell that records went, without a name: whose they were is no longer this person's to know."""
        told = self.aside is not None and self.aside.left
        count += self.aside.left if told and self.aside is not None else 0  # of several pages, the sum
        text = ngettext(
            "{n} record left this device: it is not yours to see any more.",
            "{n} records left this device: they are not yours to see any more.",
            count,
        )
        self.aside = Aside(text.format(n=words.number(count)), left=count)
        self.on_aside.tell()

    def load_conflicts(self) -> None:
        """Read what waits for a choice."""
        self.errands.read(lambda: looked_at.met(self.session), self._take_met)

    def _take_met(self, found: list[looked_at.Met]) -> None:
        self.met = found
        self.on_conflicts.tell()

    def rescue(self) -> None:
        """Save every draft in the caller's thread: the store closes next. From any thread."""
        self.drafts.rescue()
        self.notes.rescue()

    def close(self, *, drafts: bool = True) -> None:
        """Hold nothing of any record any more; without `drafts`, what was typed stays until `rescue`."""
        self.errands.close()
        self.sections.close()
        self.found.close()
        for torn in self.torn.values():
            torn.detail = None
        if drafts:
            self.drafts.forget()
            self.notes.forget()
        self.history.clear()
        for each in tuple(self.beside.values()):
            each.close()
        self.beside.clear()
        self.on_counts.found = self.detail = self.aside = self.met = None

    # -- inside

    def _go(self, section: str) -> None:
        if section == self.section:
            return
        self.section = section
        if section in KINDS:
            self.sections.open(section)
            self.list = self.sections.rows
        if self.found.text:
            self.found.find("")
        if self.aside is not None and not self.aside.stays:
            self.hush()
        if section == CONFLICTS:
            self.met = None
            self.load_conflicts()
        self.on_section.tell()

    def _open(self, kind: str, id_: bytes) -> None:
        self._go(kind)
        if self.found.text:
            self.found.find("")
            self.on_list.tell()
        self._show(KINDS[kind], id_)
        self._choose_row_of(KINDS[kind], id_)

    def _choose_row_of(self, kind: Kind, id_: bytes, *, fresh: bool = False) -> None:
        def take(rowid: int | None) -> None:
            if not self.finding and self.kind is kind:
                self.chosen = rowid
                self.fresh = rowid if fresh else None
                self.on_list.tell()

        self.errands.read(lambda: self.session.read(reading.rowid_of, kind, id_), take)

    def _show_if(self, rowid: int, found: Mapping[int, Shown]) -> None:
        if self.chosen == rowid and rowid in found:
            self._show(KINDS[found[rowid].kind], found[rowid].id)

    def _show(self, kind: Kind, id_: bytes) -> None:
        if self.editor is not None and self.editor.id != id_:
            self.drafts.let_go(self)
        self._wanted = (kind, id_)
        self._read()

    def _was_made(self, made: Editor) -> None:
        """The open form has made its record: show that, and its row."""
        if self.detail is None and made is self.editor:
            self._wanted = (made.kind, made.id)
            self._read()
            self._choose_row_of(made.kind, made.id, fresh=True)

    def _here(self) -> Place:
        return self.section, self.detail.record.id if self.detail is not None else None

    def _turn_to(self, place: Place | None) -> None:
        if place is None:
            return
        section, id_ = place
        if id_ is not None and section in KINDS:
            self._open(section, id_)
        else:
            self._go(section)
            self.leave()
