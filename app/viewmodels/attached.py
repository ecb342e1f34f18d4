"""The files of one record: what there is, how each stands here, and what is being attached, fetched or written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from app.changes import Changes
from app.errors import Stopped
from app.services import attachments
from app.services.session import Session
from app.store.blobs import Blobs
from app.store.reader import Reader
from app.store.records import Record
from app.viewmodels import reading, words
from app.viewmodels.base import Errands, Watched
from app.viewmodels.reading import RowText
from app.viewmodels.records import now_ms
from app.viewmodels.ruled import refusal
from sync.protocol.errors import KnownError
from sync.protocol.joins import sentences
from sync.protocol.quiet import Quiet
from sync.protocol.texts import gettext as _

_HUNDRED: Final = 100


class Row(Quiet, frozen=True):
    """One file: its record, and what its row says."""

    record: Record
    text: RowText


class Progress(msgspec.Struct, frozen=True):
    """What is being done, and how much of it is, in per cent; 0 while nobody knows."""

    said: str
    percent: int = 0


class Attached(Watched):
    """The files of one record, the newest first. Work with files goes in a thread of its own: nobody waits behind it.

    One thing at a time: while something is under way, nothing else is begun.
    """

    def __init__(
        self, session: Session, errands: Errands, record: Record, delete: Callable[[Record], None]
    ) -> None:
        super().__init__()
        self.kind = attachments.ATTACHMENT
        self.rows: Sequence[Row] = ()
        self.ready = False
        self.progress: Progress | None = None
        self.said = ""  # what came of the last thing, or what was wrong with it
        self._session = session
        self._errands = errands
        self._record = record
        self._delete = delete
        self._closed = False
        self._stop = threading.Event()
        self._reading = self._again = False
        self._unsubscribe = (session.bus.subscribe(self._heard), session.files.subscribe(self._heard))
        self._load()

    @property
    def takes_more(self) -> bool:
        """Whether files can be attached to this record: not to one that is a file."""
        return not self._record.kind.from_file

    def count(self) -> int:
        """How many files there are."""
        return len(self.rows)

    # -- what a person does

    def attach(self, paths: Sequence[Path]) -> None:
        """Attach files; those before one that cannot be attached stay."""

        def work() -> str:
            for path in paths:
                attachments.attach(self._session, self._record.id, path)
            return ""

        names = paths[0].name if len(paths) == 1 else words.number(len(paths))
        self._do(_("Attaching {name} …").format(name=names), work)

    def open(self, at: int, show: Callable[[Path], None]) -> None:
        """Make a copy that another program may read, and have it shown."""
        record = self._at(at)
        if record is None:
            return

        def work() -> str:
            place = attachments.open_copy(self._session, record, self._told(record))
            self._errands.post(lambda: show(place))
            return _("Open in another program. The copy goes when Fieldkeep locks or ends.")

        self._do(_("Opening {name} …").format(name=record.title), work)

    def save(self, at: int, place: Path) -> None:
        """Write a file to a place of the person's own."""
        record = self._at(at)
        if record is None:
            return

        def work() -> str:
            attachments.save(self._session, record, place, self._told(record))
            return _("Saved as {name}. Fieldkeep does not encrypt it there.").format(name=place.name)

        self._do(_("Saving {name} …").format(name=record.title), work)

    def may(self, use: str) -> bool:
        """Whether policy allows a use of files; if not, it is said."""
        said = refusal(self._session, use)
        if said:
            self.said = said
            self.tell()
        return not said

    def remove(self, at: int) -> None:
        """Take a file off the record; it can be taken back."""
        record = self._at(at)
        if record is not None:
            self._delete(record)

    def name(self, at: int) -> str:
        """What a file is called."""
        record = self._at(at)
        return record.title if record is not None else ""

    def stop(self) -> None:
        """Break off what is under way; what was fetched by then stays for the next try."""
        self._stop.set()

    def close(self) -> None:
        """Hold nothing of any record any more."""
        self._closed = True
        self._stop.set()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self.rows = ()
        self._watchers.clear()

    # -- inside

    def _at(self, at: int) -> Record | None:
        return self.rows[at].record if 0 <= at < len(self.rows) else None

    def _do(self, said: str, work: Callable[[], str]) -> None:
        if self.progress is not None or self._closed:
            return
        self.progress, self.said = Progress(said), ""
        self._stop.clear()
        self.tell()

        def run() -> None:
            try:
                answer = work()
            except KnownError as problem:
                told = sentences(problem.title, problem.hint)
                self._errands.post(lambda: self._over(told))
            else:
                self._errands.post(lambda: self._over(answer))

        threading.Thread(target=run, name="fieldkeep-files", daemon=True).start()

    def _over(self, said: str) -> None:
        if not self._closed:
            self.progress, self.said = None, said
            self._load()
            self.tell()

    def _told(self, record: Record) -> attachments.Told:
        """Shows how much is here; ends the fetching when somebody stops it."""
        title, last = record.title, [-1]

        def told(done: int, of: int) -> None:
            if self._stop.is_set():
                raise Stopped(_("Stopped. What has come so far is kept."))
            percent = _HUNDRED * done // max(1, of)
            if percent != last[0]:
                last[0] = percent
                self._errands.post(lambda: self._show_percent(title, percent))

        return told

    def _show_percent(self, title: str, percent: int) -> None:
        if self.progress is not None and not self._closed:
            said = _("Fetching {name} … {share}").format(name=title, share=words.percent(percent))
            self.progress = Progress(said, percent)
            self.tell()

    def _heard(self, changes: Changes) -> None:
        """In whichever thread it was told."""
        if not changes.records or any(kind == self.kind.name for kind, _id in changes.records):
            self._errands.post(self._load)

    def _load(self) -> None:
        if self._closed:
            return
        if self._reading:
            self._again = True
            return
        self._reading, self._again = True, False
        session, record = self._session, self._record

        def take(found: Sequence[Row]) -> None:
            self._reading = False
            if self._closed:
                return
            self.rows, self.ready = found, True
            self.tell()
            if self._again:
                self._load()

        def give_up(_problem: KnownError) -> None:
            self._reading = False

        self._errands.read(lambda: _read(session, record, now_ms()), take, give_up)


def _read(session: Session, record: Record, now: int) -> list[Row]:
    """The rows, with how each file stands on this device."""
    blobs = Blobs(session.profile)

    def work(store: Reader) -> list[Row]:
        titles = reading.Titles(store)
        rows = []
        for each in attachments.of(store, record):
            text = reading.shown(each, titles, now).text
            word, alarm = _standing(each, blobs)
            rows.append(Row(each, msgspec.structs.replace(text, word=word, alarm=alarm)))
        return rows

    return session.read(work)


def _standing(record: Record, blobs: Blobs) -> tuple[str, str]:
    """The word that a row shows: nothing where the file is here and the server has it."""
    sha256 = (record.values.get("content") or {}).get("sha256", b"")
    if blobs.waits(sha256):
        return _("waits to go up"), "warn"
    return ("", "plain") if blobs.is_here(sha256) else (_("not here yet"), "plain")
