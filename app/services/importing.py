"""An import as the window asks for it: planned and brought in by a process beside, while this one goes on answering.

All of it comes in or nothing, in one transaction, during which saves wait for the pen; lists and searches do not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.changes import HERE, Changes
from app.errors import Stopped
from app.services.bulk.pipe import Bring, Far, Prepare, Reply, Request, Told
from app.services.bulk.process import BulkProcess, Gone
from app.services.exchange.apply import changed_since
from app.services.exchange.progress import Progress
from app.services.exchange.report import Report

if TYPE_CHECKING:
    from app.services.session import Session


class Importing:
    """One import; for one thread at a time. `close` lets its process go, from any thread."""

    def __init__(self, session: Session, paths: Sequence[Path], today: dt.date, currency: str) -> None:
        self._session = session
        self._asked = Prepare([str(path) for path in paths], today.isoformat(), currency)
        self._process: BulkProcess | None = None
        self._seen: dict[str, int] = {}
        self._closed = False

    def plan(self, progress: Progress) -> Report:
        """What the files would bring; nothing is written. Raises Locked, Stopped, and what reading them raises."""
        store = self._session.store
        self._process = store.begin_bulk()
        if self._closed:
            self.close()
        turns = store.turns()
        planned = self._ask(self._asked, progress)
        self._seen = {kind: turns[kind] for kind in planned.kinds}
        return planned.report(done=False)

    def bring(self, progress: Progress) -> Report:
        """Bring in what was planned, all of it or nothing.

        Raises AppError when the records changed since, Locked, Stopped, NoSpace; then nothing was written.
        """
        store = self._session.store
        with store.pen.held():
            if any(store.turns().get(kind) != turn for kind, turn in self._seen.items()):
                raise changed_since()
            try:
                brought = self._ask(Bring(), progress)
            finally:
                store.sealed_beside()
            store.wrote_beside(brought.turned)
        self.close()
        self._session.tell(Changes((), HERE))
        return brought.report(done=True)

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

        answer: Reply = process.ask(request, heard)
        if not isinstance(answer, Told):
            raise Gone
        return answer
