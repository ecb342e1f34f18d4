"""An import as the window asks for it: planned and brought in by a process beside, while this one goes on answering.

All of it comes in or nothing, in one transaction, during which saves wait for the pen; lists and searches do not.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.changes import HERE, Changes
from app.errors import AppError, Stopped
from app.services.bulk.pipe import Bring, Far, Prepare, Reply, Request, Told
from app.services.bulk.process import BulkProcess, Gone
from app.services.exchange.progress import Progress, Stage
from app.services.exchange.report import Report
from app.store import begun
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _

if TYPE_CHECKING:
    from app.services.session import Session


AGAIN: Final = 2  # comparisons that let saves and rows go on; after those, they wait for one


class Importing:
    """One import; for one thread at a time. `close` lets its process go, from any thread."""

    def __init__(self, session: Session, paths: Sequence[Path], today: dt.date, currency: str) -> None:
        self._session = session
        self._asked = Prepare([str(path) for path in paths], today.isoformat(), currency)
        self._process: BulkProcess | None = None
        self._paths = paths
        self._stamps: list[tuple[str, int, int]] = []
        self._seen: dict[str, int] = {}
        self._closed = False

    def plan(self, progress: Progress) -> Report:
        """What the files would bring; nothing is written. Raises Locked, Stopped, and what reading them raises."""
        self._process = self._session.store.begin_bulk()
        if self._closed:
            self.close()
        self._stamps = _stamps(self._paths)
        return self._compare(progress).report(done=False)

    def bring(self, progress: Progress) -> Report:
        """Bring in what was planned, all of it or nothing. Where records came or went since, as they do while others
        work, the files are compared with them again first: what came in says the report.

        What ends this process, or locks the store, before that is known meanwhile is told when it opens again.

        Raises AppError when the files are not what they were, Locked, Stopped, NoSpace; then nothing was written.
        """
        self._session.call(begun.keep_import, self._paths)
        try:
            return self._bring_all(progress)
        finally:
            if self._session.store.may_begin_bulk:  # else it is being locked, and who unlocks it is told
                with contextlib.suppress(KnownError):
                    self._session.call(begun.forget_import)

    def _bring_all(self, progress: Progress) -> Report:
        store = self._session.store
        for _again in range(AGAIN):
            with store.pen.held():
                if self._holds():
                    return self._bring(progress)
            self._plan_again(progress)
        with store.pen.held():  # rows arrive without a pause: they wait now
            if not self._holds():
                self._plan_again(progress)
            return self._bring(progress)

    def _bring(self, progress: Progress) -> Report:
        """With the pen in hand."""
        store = self._session.store
        try:
            brought = self._ask(Bring(), progress)
        finally:
            store.sealed_beside()
        store.wrote_beside(brought.turned)
        self.close()
        self._session.tell(Changes((), HERE))
        return brought.report(done=True)

    def _holds(self) -> bool:
        """Whether the records are called as they were for the plan."""
        turns = self._session.store.turns()
        return all(turns.get(kind) == turn for kind, turn in self._seen.items())

    def _compare(self, progress: Progress) -> Told:
        turns = self._session.store.turns()
        planned = self._ask(self._asked, progress)
        self._seen = {kind: turns[kind] for kind in planned.kinds}
        return planned

    def _plan_again(self, progress: Progress) -> None:
        if _stamps(self._paths) != self._stamps:
            raise AppError(
                _("Nothing was imported: the files changed since they were looked at."),
                _("Start the import again."),
            )
        self._compare(progress)

    def close(self) -> None:
        """Let the process go; what it had not brought in whole leaves nothing behind."""
        self._closed = True
        process = self._process
        if process is not None:
            process.end()

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
