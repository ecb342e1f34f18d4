"""Import and export as verbs of the command line."""

from __future__ import annotations

import argparse
import datetime as dt

from app import settings
from app.changes import Changes
from app.cli import pace, roles, show
from app.cli.verb import refuse_replacing, say, unlocked
from app.errors import AppError, Stopped
from app.paths import Profile
from app.services import records
from app.services.exchange.apply import apply
from app.services.exchange.book import book_of, catalogue_of
from app.services.exchange.export import export
from app.services.exchange.plan import Plan, prepare
from app.services.exchange.progress import Progress
from app.services.exchange.report import Report, State
from app.services.session import Session
from app.store.store import Store
from sync.protocol.kinds import Kind, kind_of
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext
from sync.protocol.uses import EXPORT


def bring(profile: Profile, args: argparse.Namespace) -> int:
    """Bring in files; everything or nothing, and a word about every row that did not come as it stands."""
    kind = kind_of(args.kind) if args.kind else None
    if kind is not None and kind.from_file:
        raise AppError(
            _("{kinds} are not imported.").format(kinds=_(kind.plural)),
            _("Attach each file to its record: fieldkeep attach ID FILE"),
        )
    currency = settings.load(profile)["currency"]
    today = dt.datetime.now().astimezone().date()
    progress = Progress()
    with unlocked(profile) as session, pace.shown(progress, wanted=not args.json):
        records.refuse_role(session, kind)
        try:
            plan = prepare(
                args.files, catalogue_of(session), kind=kind, today=today, currency=currency, told=progress,
                headings=args.headings, sheets=args.sheet,
            )  # fmt: skip
            report = plan.report() if args.dry_run else _bring_in(session, plan, progress)
        except KeyboardInterrupt:
            raise Stopped(_("Stopped. Nothing was imported.")) from None
    if args.json:
        show.emit(report.json())
    else:
        say(report.text())
    return 0 if any(file.state is State.READ for file in report.files) and not report.refused else 1


def _bring_in(session: Session, plan: Plan, progress: Progress) -> Report:
    """Bring the plan in. Raises KeyboardInterrupt when it was stopped in time, and then nothing was written."""
    brought: list[Report] = []

    def work(store: Store) -> None:
        brought.append(apply(plan, book_of(store), progress))

    try:
        session.call(work)
    except KeyboardInterrupt:
        progress.stop()
        while not _is_through(session):
            pass
        if not brought:
            raise
    session.tell(Changes((), "here"))
    return brought[0]


def _is_through(session: Session) -> bool:
    """Wait for the store's thread to be done with what it was given; False when somebody is impatient."""
    try:
        session.call(lambda _store: None)
    except KeyboardInterrupt:
        return False
    return True


def take(profile: Profile, args: argparse.Namespace) -> int:
    """Write a kind to a CSV file that only this person may read."""
    kind: Kind = kind_of(args.kind)
    refuse_replacing(args.file)
    with unlocked(profile) as session:
        session.ruling.refuse_use(EXPORT)
        rows = session.call(lambda store: export(profile, kind, book_of(store), args.file))
        if not rows and not args.json:
            roles.explain_nothing(session)
    if args.json:
        show.emit({"kind": kind.name, "rows": rows, "file": str(args.file)})
    else:
        say(ngettext("{n} row written.", "{n} rows written.", rows).format(n=rows))
    return 0
