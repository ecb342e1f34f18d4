"""Notes about a record: typed in one line, kept by Enter, and safe before that; what begins from another record.

A half-typed note is a draft as a form's is. While the store is open it stays with its record; when the store closes it
is written, as the activity it would have become, so that neither a lock nor an end nor a wipe takes it along. After an
unlock the line holds it again, and what is typed then changes that activity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.services.session import Session
from app.store.records import Record
from app.viewmodels import reading, words
from app.viewmodels.base import Errands, Watched, ignore
from app.viewmodels.drafts import Drafts
from app.viewmodels.editor import Editor, Saved
from app.viewmodels.reading import Sheet
from app.viewmodels.records import now_ms
from sync.protocol.fields import Value
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.texts import gettext as _

if TYPE_CHECKING:
    from app.viewmodels.overview import Overview

SUBJECT_MAX: Final = 200  # letters of a note that stand as its subject

# Which activity holds the half-typed note of which record: ids alone, so it may outlive the open store.
Unfinished = dict[bytes, bytes]


class _Half:
    """A note that is being typed: the text as it stands in the line, and the activity it is to be."""

    def __init__(self, text: str, editor: Editor) -> None:
        self.text = text
        self.editor = editor


class Notes(Watched):
    """The half-typed note of each record. Watchers hear when a line is to be filled or what is said of it changes.

    `unfinished` is where a rescue leaves what it wrote, and where the next opening of the store finds it.
    """

    def __init__(self, session: Session, errands: Errands, drafts: Drafts, unfinished: Unfinished) -> None:
        super().__init__()
        self._session = session
        self._errands = errands
        self._drafts = drafts
        self._unfinished = unfinished
        self._halves: dict[bytes, _Half] = {}
        self._kept: tuple[bytes, Editor] | None = None  # whose note was kept last

    def text(self, record: bytes) -> str:
        """What stands in the line of a record."""
        half = self._halves.get(record)
        return half.text if half is not None else ""

    def said(self, record: bytes) -> str:
        """How the line stands, in a word; "" when there is nothing to say."""
        if self.text(record).strip():
            editor = self._halves[record].editor
            if editor.errors:
                return next(iter(editor.errors.values())).title
            saved = not editor.has_unsaved()
            return _("Saved on this device") if saved else _("Press Enter to save")
        if self._kept is None or self._kept[0] != record:
            return ""
        return _("Not saved yet") if self._kept[1].saved is Saved.TYPED else _("Saved on this device")

    def type(self, record: Record, text: str) -> None:
        """Take in the line as it stands after a letter."""
        half = self._halves.get(record.id)
        if half is None:
            if not text.strip():
                return
            half = _Half(text, Editor(self._session, self._errands, KINDS["activity"], None))
            self._halves[record.id] = half
        half.text = text
        written = half.editor.record
        if text.strip():
            values = {"about": None, **of(text, record, now_ms())[1]}
        elif written is None:
            del self._halves[record.id]
            values = {}
        else:  # an activity needs a subject: it stays as it was written
            values = {name: written.values.get(name) for name in ("subject", "about", "at")}
        for name, value in values.items():
            half.editor.put(name, value)
        self.tell()

    def keep(self, record: Record) -> None:
        """Enter: save the note and empty the line; it comes back there when it cannot be saved."""
        half = self._halves.get(record.id)
        if half is None or not half.text.strip() or half.editor.errors:
            return
        del self._halves[record.id]
        self._unfinished.pop(record.id, None)
        self._kept = (record.id, half.editor)
        if half.editor.has_unsaved():  # what a rescue wrote and nobody changed since is saved
            half.editor.watch(lambda: self._look_at(record.id, half))
            self._drafts.save(half.editor)
        self.tell()

    def come_back(self, shown: Overview) -> None:
        """A record is shown: read the note that a closing of the store wrote for it, into its line."""
        record = shown.record
        if self._kept is not None and self._kept[1].saved is not Saved.TYPED:
            there = any(moment.id == self._kept[1].id for moment in shown.moments)
            self._kept = self._kept if there else None  # it was taken back, or another record is shown
        written = self._unfinished.get(record.id)
        if written is None or record.id in self._halves:
            return

        def take(sheet: Sheet) -> None:
            self._unfinished.pop(record.id, None)
            if record.id in self._halves or sheet.record.deleted:
                return
            text = sheet.record.values.get("about") or sheet.record.values.get("subject") or ""
            editor = Editor(self._session, self._errands, sheet.record.kind, sheet)
            self._halves[record.id] = _Half(str(text), editor)
            self.tell()

        self._errands.read(lambda: self._session.read(reading.sheet, written), take, ignore)

    def rescue(self) -> None:
        """Write every half-typed note in the caller's thread: the store closes next. From any thread."""
        for record, half in list(self._halves.items()):
            half.editor.rescue()
            self._unfinished[record] = half.editor.id

    def forget(self) -> None:
        """Hold nothing of any record any more."""
        for half in self._halves.values():
            half.editor.forget()
        self._halves.clear()
        self._kept = None
        self._watchers.clear()

    def _look_at(self, record: bytes, half: _Half) -> None:
        """The note on its way has changed how it stands."""
        failed = half.editor.problem is not None or half.editor.errors
        if failed and half.editor.has_unsaved() and record not in self._halves:
            self._halves[record] = half
        self.tell()


def of(text: str, record: Record, now_ms: int) -> tuple[Kind, dict[str, Value]]:
    """A note about a record, as an activity of now: its kind and values."""
    kind = KINDS["activity"]
    text = text.strip()
    first, _line, rest = text.partition("\n")
    values: dict[str, Value] = {"subject": first[:SUBJECT_MAX], "type": "note", **referring(kind, record)}
    if rest or len(first) > SUBJECT_MAX:
        values["about"] = text
    values["at"] = {"at": now_ms, "zone": words.zone()}
    return kind, values


def referring(kind: Kind, record: Record) -> dict[str, Value]:
    """Fields by which a new record of a kind refers to a record, and to the customer that this one belongs to."""
    fields = {other.name: by.name for other, by in reading.referring(record.kind)}
    values: dict[str, Value] = {}
    if kind.name in fields:
        values[fields[kind.name]] = record.id
    customer = record.values.get("customer")
    if customer is not None and "customer" in kind.by_name:
        values.setdefault("customer", customer)
    return values
