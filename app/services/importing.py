"""An import as the window asks for it: planned and brought in by a process beside, while this one goes on answering.

All of it comes in or nothing, in one transaction, during which saves wait for the pen; lists and searches do not.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.changes import HERE, Changes
from app.errors import AppError, Stopped
from app.services.bulk.pipe import Bring, Far, Prepare, Reply, Request, Told
from app.services.bulk.process import BulkProcess, Gone
from app.services.exchange.apply import apply
from app.services.exchange.book import book_of, catalogue_of
from app.services.exchange.plan import Plan, prepare
from app.services.exchange.progress import Progress, Stage
from app.services.exchange.report import Report
from app.store import begun
from app.store.reader import Reader
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _

if TYPE_CHECKING:
    from app.services.session import Session


AGAIN: Final = 2  # comparisons that let saves and rows go on; after those, they wait for one


class Importing:
    """One import; for one thread at a time. `close` lets its process go, from any thread."""

    def __init__(self, session: Session, paths: Sequence[Path], today: dt.date, currency: str) -> None:
        self._session = session
        self._paths = paths
        self._asked = Prepare([os.fsencode(path) for path in paths], today.isoformat(), currency)
        self._process: BulkProcess | None = None
        self._planned: Told | None = None
        self._own: Plan | None = None  # made in this process
        self._stamps: list[tuple[str, int, int]] = []
        self._seen: dict[str, int] = {}
        self._closed = False

    def plan(self, progress: Progress) -> Report:
        """What the files would bring; nothing is written. Raises Locked, Stopped, and what reading them raises."""
        self._stamps = _stamps(self._paths)
        try:
            self._process = self._session.store.begin_bulk()
        except Gone:
            if not self._session.store.may_begin_bulk:
                raise
            # None comes up on this machine: it takes longer here, and is as whole.
            today = dt.date.fromisoformat(self._asked.today)
            book = catalogue_of(self._session)
            currency = self._asked.currency
            plan = self._own = prepare(self._paths, book, today=today, currency=currency, told=progress)
            return plan.report()
        if self._closed:
            self.close()
        return self._compare(progress).report(done=False)

    def bring(self, progress: Progress) -> Report:
        """Bring in what was planned, all of it or nothing. Where records came or went since, as they do while others
        work, the files are compared with them again first: what came in says the report.

        What ends this process, or locks the store, before that is known meanwhile is told when it opens again.

        Raises AppError when the files are not what they were, Locked, Stopped, NoSpace; then nothing was written.
        """
        self._session.call(begun.keep_import, self._paths)
        try:
            report = self._bring_all(progress)
        finally:
            if self._session.store.may_begin_bulk:  # else it is being locked, and who unlocks it is told
                with contextlib.suppress(KnownError):
                    self._session.call(begun.forget_import)
        self.close()
        self._session.tell(Changes((), HERE))
        return report

    def close(self) -> None:
        """Let the process go; what it had not brought in whole leaves nothing behind."""
        self._closed = True
        process = self._process
        if process is not None:
            process.end()

    # -- inside

    def _bring_all(self, progress: Progress) -> Report:
        if (plan := self._own) is not None:
            return self._session.call(lambda store: apply(plan, book_of(store), progress))
        pen = self._session.store.pen
        for _again in range(AGAIN):
            with pen.held():
                if self._holds():
                    return self._bring(progress)
            self._files_hold()
            self._compare(progress)
        self._files_hold()  # nobody waits with us for a slow disk
        with pen.held():  # rows arrive without a pause: they wait now
            if not self._holds():
                self._compare(progress)
            return self._bring(progress)

    def _bring(self, progress: Progress) -> Report:
        """With the pen in hand."""
        store = self._session.store
        first = self._next_n()
        try:
            brought = self._ask(Bring(), progress)
        except Gone:
            planned = self._planned
            if planned is None or self._next_n() == first:
                raise
            # All of it came in, and only its word was lost.
            store.wrote_beside(planned.kinds)
            return planned.report(done=True)
        finally:
            store.sealed_beside()
        store.wrote_beside(brought.turned)
        return brought.report(done=True)

    def _next_n(self) -> int:
        return self._session.read(Reader.here).next_n

    def _holds(self) -> bool:
        """Whether the records are called as they were for the plan. With the pen in hand."""
        turns = self._session.store.turns()
        return all(turns.get(kind) == turn for kind, turn in self._seen.items())

    def _files_hold(self) -> None:
        if _stamps(self._paths) != self._stamps:
            raise AppError(
                _("Nothing was imported: the files changed since they were looked at."),
                _("Start the import again."),
            )

    def _compare(self, progress: Progress) -> Told:
        store = self._session.store
        with store.pen.held():  # a save that has been counted is there for whoever reads from here on
            turns = store.turns()
        planned = self._planned = self._ask(self._asked, progress)
        self._seen = {kind: turns[kind] for kind in planned.kinds}
        return planned

    def _ask(self, request: Request, progress: Progress) -> Told:
        process = self._process
        if process is None:
            raise Gone

        def heard(far: Far) -> None:
            try:
                progress(far.stage, far.at, far.total)
            except Stopped:
                process.stop()
            else:
                if far.stage is Stage.WRITING and far.at == far.total:
                    process.go_on()

        answer: Reply = process.ask(request, heard)
        if not isinstance(answer, Told):
            raise Gone
        return answer


def _stamps(paths: Sequence[Path]) -> list[tuple[str, int, int]]:
    """Name, bytes and time of the last change of each file that is meant; none of one that is not there."""
    found = []
    for path in paths:
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            with contextlib.suppress(OSError):
                status = file.stat()
                found.append((str(file), status.st_size, status.st_mtime_ns))
    return found
