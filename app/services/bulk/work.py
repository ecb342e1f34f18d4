"""What the bulk process does with its store: lays rows of the server in, plans an import and brings it in, acts on
many records."""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from pathlib import Path
from typing import IO, Final

from app.paths import Profile
from app.services.bulk import pipe
from app.services.bulk.pipe import (
    Act,
    Bring,
    Commit,
    Committed,
    Far,
    Finish,
    Laid,
    Lay,
    Next,
    Pieced,
    Prepare,
    Ready,
    Reply,
    Request,
    Told,
)
from app.services.exchange.apply import apply
from app.services.exchange.book import book_of
from app.services.exchange.plan import Plan, prepare
from app.services.exchange.progress import Progress, Stage
from app.services.many import Doer
from app.store.pages import Pages
from app.store.store import Store

TOLD_S: Final = 0.1  # between two words on how far it is


class Work:
    """One request after the other; `stop` comes from another thread."""

    def __init__(self, profile: Profile, store: Store, answers: IO[bytes]) -> None:
        self._profile = profile
        self._store = store
        self._pages = Pages(store)
        self._answers = answers
        self._plan: Plan | None = None
        self._act: Doer | None = None
        self._progress = Progress()
        self._told_at = 0.0
        self._answered = threading.Event()

    def do(self, request: Request) -> None:
        """Do it and answer; an error is an answer as well. Raises Ended."""
        answer: Reply
        try:
            answer = self._done(request)
        except Exception as problem:  # noqa: BLE001 - told to who asked; a fault of ours by its type
            answer = pipe.failure(problem)
        pipe.send(self._answers, answer)

    def begin(self) -> None:
        """An import is asked for; a word to stop it comes after this, and may come before it is begun."""
        self._progress = Progress()

    def stop(self) -> None:
        """Leave off the import under way."""
        self._progress.stop()
        self._answered.set()

    def go_on(self) -> None:
        """Commit what was written."""
        self._answered.set()

    def _done(self, request: Request) -> Reply:
        if isinstance(request, Lay):
            before = self._turns()
            applied = self._pages.lay(request.changes, request.acked_n)
            return Laid(applied, self._turned(before))
        if isinstance(request, Commit):
            return Committed(self._pages.commit(request.end))
        if isinstance(request, Act):
            self._act = Doer(self._profile, request.asked, request.outcome, kept=request.kept)
            return Ready()
        if self._act is not None:
            return self._acted(self._act, request)
        self._told_at = 0.0
        book = book_of(self._store)
        if isinstance(request, Prepare):
            paths = [Path(os.fsdecode(path)) for path in request.paths]
            today = dt.date.fromisoformat(request.today)
            plan = self._plan = prepare(paths, book, today=today, currency=request.currency, told=self._told)
            return _told(plan, [], done=False)
        if isinstance(request, Bring) and self._plan is not None:
            before = self._turns()
            self._go_behind()
            apply(self._plan, book, self._told)
            return _told(self._plan, self._turned(before), done=True)
        raise ValueError(f"nothing to do for {type(request).__name__}")

    def _acted(self, act: Doer, request: Request) -> Reply:
        if isinstance(request, Next):
            before = self._turns()
            if act.writes:
                self._go_behind()
            return Pieced(act.piece(self._store, request.most), self._turned(before))
        if isinstance(request, Finish):
            act.end(whole=request.whole)
            return Ready()
        raise ValueError(f"nothing to do for {type(request).__name__}")

    def _go_behind(self) -> None:
        """Ops are numbered and sealed behind what the window's process has done meanwhile."""
        self._store.seal_anew()
        self._store.as_committed()

    def _told(self, stage: Stage, at: int, total: int) -> None:
        """Say how far it is, from time to time. Raises Stopped when it is not to go on."""
        self._progress(stage, at, total)
        now, commits = time.monotonic(), stage is Stage.WRITING and at == total
        if now - self._told_at >= TOLD_S or commits:
            self._told_at = now
            self._answered.clear()
            pipe.send(self._answers, Far(stage, at, total))
        if commits:  # who stops it in time, and be it now, has nothing brought in
            self._answered.wait()
            self._progress(stage, at, total)

    def _turns(self) -> dict[str, int]:
        return {name: shape.turns for name, shape in self._store.shapes.items()}

    def _turned(self, before: dict[str, int]) -> list[str]:
        return [name for name, turn in self._turns().items() if turn != before[name]]


def _told(plan: Plan, turned: list[str], *, done: bool) -> Told:
    files = [pipe.filed(each) for each in plan.report(done=done).files]
    return Told(files, list(plan.seen), turned)
