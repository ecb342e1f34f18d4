"""Bringing files in: a plan that is looked at before anything is written, then all of it or nothing."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable
from pathlib import Path

from app.commands import BY_ID, IMPORT
from app.errors import AppError
from app.services.exchange.progress import Progress, sentence
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
        self.shown = True  # otherwise what comes of it is told at the foot of the window
        self._desk = desk
        today = dt.datetime.now().astimezone().date()
        self._importing = Importing(desk.session, paths, today, desk.currency())
        desk.beside[IMPORT] = self
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

    def look(self) -> None:
        """Somebody looks at it again."""
        self.shown = True

    @property
    def over(self) -> bool:
        """Whether nothing is to be decided any more."""
        return not self.busy and (self.report is None or self.report.done)

    def look_away(self) -> None:
        """Nobody looks at it for now: it goes on, and is kept until it is over or left."""
        self.shown = False
        if self.over:
            self.leave()

    def leave(self) -> None:
        """It is of no use any more."""
        self.close()
        if self._desk.beside.get(IMPORT) is self:
            del self._desk.beside[IMPORT]

    def close(self) -> None:
        """Hold nothing: what is being read is left, what is being brought in comes to its end."""
        self.shown = False
        if self.busy and self.report is None:
            self.stop()
        if not (self.busy and self.report is not None):
            self._importing.close()

    def in_a_line(self) -> str:
        """What the foot of the window says of it; nothing while its page is shown."""
        if self.shown:
            return ""
        if self.busy:
            return sentence(self.progress.far(), words.number)
        return _("An import waits: the command “{command}” shows it.").format(command=_(BY_ID[IMPORT].title))

    def _planned(self, report: Report) -> None:
        self.busy, self.report = False, report
        self.tell()

    def _applied(self, report: Report) -> None:
        self.busy, self.report = False, report
        if not self.shown:
            self._desk.say(said_of(report))
            self.leave()
        self.tell()

    def _failed(self, problem: KnownError) -> None:
        self.busy, self.problem = False, problem
        if not self.shown:
            self._desk.fail(problem)
            self.leave()
        self.tell()


def kept(desk: Desk) -> Bringing | None:
    """The import that is under way, or waits to be decided."""
    found = desk.beside.get(IMPORT)
    return found if isinstance(found, Bringing) and not found.over else None


def said_of(report: Report) -> str:
    """What an import brought, in one sentence."""
    added = report.total("added")
    return ngettext("{n} record added.", "{n} records added.", added).format(n=words.number(added))
