"""Import and export as verbs of the command line."""

from __future__ import annotations

import argparse
import datetime as dt

from app import settings
from app.changes import Changes
from app.cli import show
from app.cli.verb import say, unlocked
from app.errors import AppError
from app.paths import Profile
from app.services.exchange.apply import apply
from app.services.exchange.book import book_of
from app.services.exchange.export import export
from app.services.exchange.plan import Plan, prepare
from app.services.exchange.report import Report, State
from app.store.store import Store
from sync.protocol.kinds import Kind, kind_of
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext


def bring(profile: Profile, args: argparse.Namespace) -> int:
    """Bring in CSV files; everything or nothing, and a word about every row that did not come as it stands."""
    kind = kind_of(args.kind) if args.kind else None
    currency = settings.load(profile)["currency"]

    def plan(store: Store) -> Plan:
        today = dt.datetime.now().astimezone().date()
        return prepare(args.files, book_of(store), kind=kind, today=today, currency=currency)

    def bring_in(store: Store) -> Report:
        return apply(plan(store), book_of(store))

    with unlocked(profile) as session:
        if args.dry_run:
            report = session.call(lambda store: plan(store).report())
        else:
            report = session.call(bring_in)
            session.tell(Changes((), "here"))
    if args.json:
        show.emit(report.json())
    else:
        say(report.text())
    return 0 if any(file.state is State.READ for file in report.files) and not report.refused else 1


def take(profile: Profile, args: argparse.Namespace) -> int:
    """Write a kind to a CSV file that only this person may read."""
    kind: Kind = kind_of(args.kind)
    if args.file.exists():
        raise AppError(
            _("There is a file of this name already; it was not replaced."), _("Choose another name.")
        )
    with unlocked(profile) as session:
        rows = session.call(lambda store: export(kind, book_of(store), args.file))
    if args.json:
        show.emit({"kind": kind.name, "rows": rows, "file": str(args.file)})
    else:
        say(ngettext("{n} row written.", "{n} rows written.", rows).format(n=rows))
    return 0
