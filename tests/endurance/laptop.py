"""A person at a laptop, in a process that may be killed: types by a seed, and writes down beside it what was typed.

Everything is the product's own: the session, the engine that exchanges in the background, the line it holds.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import queue
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from app import compose
from app.changes import HERE, SYNC, Changes
from app.paths import Profile
from app.services import acting, records, settling
from app.services.acting import Act
from app.services.exchange.progress import Progress
from app.services.importing import Importing
from app.services.many import Piece
from app.services.opening import open_session
from app.services.session import ACTIVE, Session
from app.services.syncing import Keeping
from app.store import conflicts, lists
from app.store import records as stored
from app.store.bulk import Selection, Setting
from app.store.records import Record
from app.store.rowset import RowSet
from app.store.store import Store
from sync.client.pace import BACKOFF_LAST_S
from sync.client.status import Phase, SyncStatus
from sync.protocol.errors import KnownError
from sync.protocol.kinds import KINDS
from tests import forks
from tests.endurance.journal import Journal

CUSTOMER: Final = KINDS["customer"]
PAUSE_S: Final = (0.05, 1.2)
SETTLES_S: Final = BACKOFF_LAST_S + 60  # the longest wait after failures, and then it goes through
OWN: Final = 12  # records that a person mostly works on, so that edits meet
REPLACED: Final = ("industry", "source", "language", "number")
GATHERED: Final = ("notes", "tags")
ACTED: Final = "territory"  # set for many records at once, and no other way


class Person:
    """Types until a file says that it is enough."""

    def __init__(self, session: Session, asked: dict[str, Any], journal: Journal) -> None:
        self._session = session
        self._luck = random.Random(asked["seed"])
        self._prefix = asked["prefix"]
        self._files = [Path(each) for each in asked["files"]]
        self._scratch = Path(asked["scratch"])
        self._journal = journal
        self._typed = 0
        self._deeds: list[tuple[int, Callable[[], None]]] = [
            (20, self.add), (45, self.replace), (15, self.gather), (3, self.delete), (2, self.undelete),
            (3, self.act), (2, self.bring), (6, self.settle),
        ]  # fmt: skip

    def type_until(self, enough: Path) -> None:
        """One deed after the other."""
        deeds, weights = [each for _w, each in self._deeds], [weight for weight, _d in self._deeds]
        never = threading.Event()
        while not enough.exists():
            never.wait(self._luck.uniform(*PAUSE_S))
            if self._session.stage != ACTIVE:
                continue
            deed = self._luck.choices(deeds, weights, k=1)[0]
            try:
                deed()
            except KnownError as problem:
                self._journal.note(
                    "problem", deed=deed.__name__, problem=f"{type(problem).__name__}: {problem}"
                )

    # -- deeds

    def add(self) -> None:
        """A new customer, with a task for it."""
        name = self._token()
        self._journal.note("begun", deed="add", value=name)
        made = records.add(self._session, CUSTOMER, {"name": name})
        self._journal.note("saved", deed="add", value=name, record=made.id)

    def replace(self) -> None:
        """Another value in a field that holds one."""
        record = self._some()
        if record is not None:
            field, value = self._luck.choice(REPLACED), self._token()
            self._edit(record.id, field, value, lambda _before: value)

    def gather(self) -> None:
        """One more line of notes, or one more tag."""
        record = self._some()
        if record is None:
            return
        field, value = self._luck.choice(GATHERED), self._token()
        if field == "tags":
            self._edit(record.id, field, value, lambda before: sorted([*(before or ()), value]))
        else:
            self._edit(record.id, field, value, lambda before: f"{before or ''}\n{value}".strip())

    def delete(self) -> None:
        """Off the lists."""
        record = self._some()
        if record is not None:
            self._journal.note("begun", deed="delete", record=record.id, saw=record.values)

            def work(store: Store) -> Any:
                seen = stored.get(store, record.id).values
                stored.delete(store, record.id)
                return seen

            seen = self._session.call(work)
            self._session.tell(Changes(((CUSTOMER.name, record.id),), HERE))
            self._journal.note("saved", deed="delete", record=record.id, saw=seen)

    def undelete(self) -> None:
        """And back."""
        found = self._session.read(lambda store: lists.page(store, CUSTOMER, limit=20, deleted=True).records)
        gone = [each for each in found if each.deleted]
        if gone:
            record = self._luck.choice(gone)
            self._journal.note("begun", deed="undelete", record=record.id)
            records.undelete(self._session, record.id)
            self._journal.note("saved", deed="undelete", record=record.id)

    def act(self) -> None:
        """One field of many records at once."""
        value, count = self._token(), self._luck.randint(5, 60)
        rowids = self._session.read(lambda store: lists.ids(store, CUSTOMER))
        some = sorted(self._luck.sample(list(rowids), min(count, len(rowids))))
        if not some:
            return
        doing = _Seeing(self._session, some, value)
        before = self._session.read(lambda store: lists.by_rowids(store, CUSTOMER, some))
        saw = {each.id.hex(): each.values.get(ACTED) for each in before}
        self._journal.note("begun", deed="act", field=ACTED, value=value, saw=saw)
        doing.begin()
        whole = False
        try:
            while doing.piece() is not None:
                pass
            whole = True
        finally:
            doing.end(whole=whole)
        self._journal.note("saved", deed="act", field=ACTED, value=value, saw=doing.saw)

    def bring(self) -> None:
        """Some rows of a file of another CRM."""
        if not self._files:
            return
        with self._luck.choice(self._files).open(encoding="utf-8-sig", newline="") as stream:
            heading, *rows = csv.reader(stream)
        first = self._luck.randrange(len(rows))
        some, file = rows[first : first + 6], self._scratch / f"{self._prefix}.csv"
        with file.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([heading, *some])
        names = [row[0] for row in some]
        importing = Importing(self._session, [file], dt.date(2026, 11, 1), "EUR")
        try:
            importing.plan(Progress())
            self._journal.note("begun", deed="import", names=names)
            report = importing.bring(Progress())
            self._journal.note("saved", deed="import", names=names, added=report.total("added"))
        finally:
            importing.close()

    def settle(self) -> None:
        """Decide one of the edits that met."""
        found = self._session.call(conflicts.open_conflicts)
        if not found:
            return
        each = self._luck.choice(found)
        takes = self._luck.random() < 0.5 and settling.offered(each)[1] != ""
        saw = [each.present, each.conflict.shown, each.conflict.kept]
        said = {"record": each.conflict.record, "field": each.conflict.cell, "saw": saw, "takes": takes}
        self._journal.note("begun", deed="settle", **said)
        (settling.take if takes else settling.keep)(self._session, each)
        self._journal.note("saved", deed="settle", **said)

    # -- inside

    def _edit(self, record: bytes, field: str, value: str, made: Callable[[Any], Any]) -> None:
        before = self._session.read(lambda store: stored.get(store, record)).values.get(field)
        said = {"record": record, "field": field, "value": value}
        self._journal.note("begun", deed="edit", saw=before, **said)

        def work(store: Store) -> Any:
            seen = stored.get(store, record).values.get(field)
            stored.edit(store, record, {field: made(seen)})
            return seen

        seen = self._session.call(work)
        self._session.tell(Changes(((CUSTOMER.name, record),), HERE))
        self._journal.note("saved", deed="edit", saw=seen, **said)

    def _some(self) -> Record | None:
        """A customer; mostly one of the few that both work on."""
        few = self._luck.random() < 0.7
        found = self._session.read(
            lambda store: lists.page(store, CUSTOMER, order="name", limit=OWN if few else 400).records
        )
        return self._luck.choice(found) if found else None

    def _token(self) -> str:
        self._typed += 1
        return f"{self._prefix}x{self._typed}z"


class _Seeing(Act):
    """An act that sets a field and notes what stood there, in the moment in which it writes."""

    def __init__(self, session: Session, rowids: list[int], value: str) -> None:
        chosen = Selection(CUSTOMER, False, RowSet(rowids), last=rowids[-1], count=len(rowids))
        super().__init__(session, acting.doing(chosen, Setting(ACTED, value)))
        self._rowids = rowids
        self.saw: dict[str, Any] = {}

    def _piece_here(self, store: Store) -> Piece | None:
        standing = {
            each.id: each.values.get(ACTED) for each in lists.by_rowids(store, CUSTOMER, self._rowids)
        }
        piece = super()._piece_here(store)
        for id_ in piece.ids if piece is not None else ():
            self.saw[id_.hex()] = standing[id_]
        return piece


class _Watching:
    """Writes down what came from the other laptop, and when."""

    def __init__(self, session: Session, journal: Journal) -> None:
        self._session, self._journal = session, journal
        self._news: queue.SimpleQueue[tuple[float, Changes]] = queue.SimpleQueue()
        session.bus.subscribe(lambda changes: self._news.put((time.time(), changes)))
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            at, changes = self._news.get()
            if changes.origin != SYNC:
                continue
            for kind, id_ in changes.records:
                if kind != CUSTOMER.name:
                    continue
                try:
                    found = self._session.read(lambda store, id_=id_: stored.get(store, id_))
                except KnownError:
                    continue
                self._journal.note("came", record=id_, at=at, values=found.values)


def work(words: list[str]) -> int:
    """Be the person: {"profile", "journal", "prefix", "seed", "files", "scratch", "enough", "who", "settled"}."""
    asked = json.loads(words[0])
    compose.prepare()
    journal = Journal(Path(asked["journal"]), asked["who"])
    journal.note("started", seed=asked["seed"])
    with open_session(Profile(Path(asked["profile"]))) as session:
        _Watching(session, journal)
        told: list[SyncStatus] = []

        def tell(status: SyncStatus) -> None:
            told.append(status)
            journal.note("stands", phase=status.phase.name, waiting=status.waiting, title=status.title)

        keeping = Keeping(session, tell)
        keeping.start()
        try:
            Person(session, asked, journal).type_until(Path(asked["enough"]))
            journal.note("enough")
            forks.wait_until(
                lambda: told[-1].phase is Phase.IDLE and session.call(Store.unsent) == 0,
                "the engine does not come to its rest",
                seconds=SETTLES_S,
            )
            journal.note("at rest")
        finally:
            keeping.stop()
    journal.note("ended")
    return 0
