"""Bringing files in: a plan that is looked at before anything is written, then all of it or nothing."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

from app.changes import HERE, Changes
from app.services.exchange.apply import apply
from app.services.exchange.book import book_of, catalogue_of
from app.services.exchange.plan import Plan, prepare
from app.services.exchange.progress import Progress
from app.services.exchange.report import Report
from app.store.store import Store
from app.viewmodels.base import Watched
from app.viewmodels.desk import Desk
from sync.protocol.errors import KnownError


class Bringing(Watched):
    """One import, from the files to its report. `report` is what it would bring, and then what it brought.

    `progress` says how far it is while it is `busy`; no watcher hears of that.
    """

    def __init__(self, desk: Desk, paths: list[Path]) -> None:
        super().__init__()
        self.paths = paths
        self.report: Report | None = None
        self.problem: KnownError | None = None
        self.busy = True
        self.progress = Progress()
        self._desk = desk
        self._plan: Plan | None = None
        # Reading many rows takes long: in a thread of its own, which asks the store short questions, it keeps
        # neither saves nor lists waiting.
        currency = desk.currency()
        thread = threading.Thread(target=self._read, args=(currency,), name="fieldkeep-import", daemon=True)
        thread.start()

    def _read(self, currency: str) -> None:
        """Plan the import, and say so in the screen's thread."""
        today = dt.datetime.now().astimezone().date()
        post = self._desk.errands.post
        try:
            plan = prepare(
                self.paths,
                catalogue_of(self._desk.session),
                today=today,
                currency=currency,
                told=self.progress,
            )
        except KnownError as problem:
            told = problem
            post(lambda: self._failed(told))
        else:
            post(lambda: self._planned(plan))

    @property
    def may_apply(self) -> bool:
        """Whether there is something to bring in and nothing stands against it."""
        report = self.report
        if report is None or report.done or self.busy or report.refused:
            return False
        return report.total("added") + report.total("updated") > 0

    def apply(self) -> None:
        """Bring it in, whole or not at all."""
        plan = self._plan
        if plan is None or not self.may_apply:
            return
        self.busy, self.problem = True, None
        progress = self.progress = Progress()
        self.tell()

        def bring(store: Store) -> Report:
            return apply(plan, book_of(store), progress)

        def work() -> Report:
            report = self._desk.session.call(bring)
            self._desk.session.tell(Changes((), HERE))
            return report

        self._desk.errands.run(work, self._applied, self._failed)

    def stop(self) -> None:
        """Go no further: what was not brought in whole leaves nothing behind."""
        self.progress.stop()
        self.tell()

    def _planned(self, plan: Plan) -> None:
        self.busy, self._plan, self.report = False, plan, plan.report()
        self.tell()

    def _applied(self, report: Report) -> None:
        self.busy, self._plan, self.report = False, None, report
        self.tell()

    def _failed(self, problem: KnownError) -> None:
        self.busy, self.problem = False, problem
        self.tell()
