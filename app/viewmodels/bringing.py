"""Bringing files in: a plan that is looked at before anything is written, then all of it or nothing."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable
from pathlib import Path

from app.errors import AppError
from app.services.exchange.progress import Progress
from app.services.exchange.report import Report
from app.services.importing import Importing
from app.viewmodels import words
from app.viewmodels.base import Watched
from app.viewmodels.desk import Desk
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

_LOG = logging.getLogger("app.viewmodels.bringing")


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
        self._left = False  # what comes of it is told at the foot of the window
        self._desk = desk
        today = dt.datetime.now().astimezone().date()
        self._importing = Importing(desk.session, paths, today, desk.currency())
        # A process reads, and this thread waits for it: neither saves nor lists wait with it.
        self._away(self._importing.plan, self._planned)

    def _away(self, work: Callable[[Progress], Report], done: Callable[[Report], None]) -> None:
        """Have it done in a thread of its own, and say so in the screen's."""
        progress, post = self.progress, self._desk.errands.post

        def run() -> None:
            try:
                report = work(progress)
            except KnownError as problem:
                told = problem
                post(lambda: self._failed(told))
            except Exception as fault:  # noqa: BLE001 - ours, and nobody may wait for an answer that never comes
                _LOG.exception("an import ended with a fault: %s", type(fault).__name__)
                broken = AppError(
                    _("The import failed in a way we did not expect. Nothing was imported."),
                    _("Try again; tell IT if this stays."),
                )
                post(lambda: self._failed(broken))
            else:
                post(lambda: done(report))

        threading.Thread(target=run, name="fieldkeep-import", daemon=True).start()

    @property
    def may_apply(self) -> bool:
        """Whether there is something to bring in and nothing stands against it."""
        report = self.report
        if report is None or report.done or self.busy or report.refused:
            return False
        return report.total("added") + report.total("updated") > 0

    def apply(self) -> None:
        """Bring it in, whole or not at all."""
        if not self.may_apply:
            return
        self.busy, self.problem = True, None
        self.progress = Progress()
        self.tell()
        self._away(self._importing.bring, self._applied)

    def stop(self) -> None:
        """Go no further: what was not brought in whole leaves nothing behind."""
        self.progress.stop()
        self.tell()

    def close(self) -> None:
        """Nobody looks at it any more: what is being read is left, what is being brought in comes to its end."""
        if self.busy and self.report is None:
            self.stop()
        self._left = self.busy and self.report is not None
        if not self._left:
            self._importing.close()

    def _planned(self, report: Report) -> None:
        self.busy, self.report = False, report
        self.tell()

    def _applied(self, report: Report) -> None:
        self.busy, self.report = False, report
        if self._left:
            self._desk.say(said_of(report))
        self.tell()

    def _failed(self, problem: KnownError) -> None:
        self.busy, self.problem = False, problem
        if self._left:
            self._desk.fail(problem)
        self.tell()


def said_of(report: Report) -> str:
    """What an import brought, in one sentence."""
    added = report.total("added")
    return ngettext("{n} record added.", "{n} records added.", added).format(n=words.number(added))
