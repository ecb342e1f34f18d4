"""Brings a plan into the book: one batch, everything or nothing."""

from __future__ import annotations

from app.errors import AppError
from app.services.exchange.plan import Plan
from app.services.exchange.ports import Book
from app.services.exchange.progress import PIECE, Stage, Told, quiet
from app.services.exchange.report import Report
from sync.protocol.joins import listed
from sync.protocol.kinds import KINDS
from sync.protocol.texts import gettext as _


def apply(plan: Plan, book: Book, told: Told = quiet) -> Report:
    """Do the steps of a plan and report them. `told` hears how far it is; what it raises ends it.

    Raises AppError when a file of the plan could not be read or the book changed since the plan was made, NoSpace,
    and what the book raises; in each case nothing was written.
    """
    report = plan.report()
    if report.refused:
        names = listed(file.file for file in report.refused)
        raise AppError(
            _("Nothing was imported: a file could not be read ({names}).").format(names=names),
            report.refused[0].reason,
        )
    if any(book.turn(KINDS[name]) != was for name, was in plan.seen.items()):
        raise AppError(
            _("Nothing was imported: records changed since the files were looked at."),
            _("Start the import again."),
        )
    if plan.steps:
        with book.batch(len(plan.steps)) as batch:
            for at, step in enumerate(plan.steps):
                if at % PIECE == 0:
                    told(Stage.WRITING, at, len(plan.steps))
                if step.new:
                    batch.add(step.kind, step.values, step.record)
                else:
                    batch.edit(step.record, step.values)
            told(Stage.WRITING, len(plan.steps), len(plan.steps))
    return plan.report(done=True)
