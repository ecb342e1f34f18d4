"""The verbs of records: make, change, take away, show, list, find."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

from app.cli import amounts, hints, owners, pace, page, roles, show
from app.cli.verb import Arguments, aside, read_json, read_text, reading, say, unlocked
from app.errors import NotFound, WrongUse
from app.paths import Profile
from app.services import records
from app.services.exchange.progress import Progress, Stage
from app.services.session import Session
from app.store import indexing, joined, lists, search
from app.store.filters import Filter, typed, worded
from app.store.records import Record
from app.store.store import Store
from sync.protocol.ids import id_text
from sync.protocol.kinds import Kind, kind_of
from sync.protocol.roles import IT
from sync.protocol.texts import gettext as _

PAGE = 500
QUESTION_MAX = 10_000  # characters
_NAMED_WORDS = re.compile(r"[\w.]+~")


def add(profile: Profile, args: Arguments) -> int:
    """Make one record, or several from a JSON list: all of them or none."""
    kind = kind_of(args.kind)
    found = read_json() if args.pairs == ["-"] else None
    with unlocked(profile) as session:
        records.refuse_role(session, kind)
        if isinstance(found, list):
            many = [records.given(session, kind, amounts.plain(profile, kind, each)) for each in found]
            strange = owners.strange(session, many)
            made: Record | list[Record] = records.add_all(session, kind, many)
        else:
            if found is None:
                pairs = amounts.bare(profile, kind, _pairs(args.pairs))
                values = records.typed(session, kind, pairs, {})
            else:
                values = records.given(session, kind, amounts.plain(profile, kind, found))
            strange = owners.strange(session, [values])
            made = records.add(session, kind, values)
        owners.tell(strange)
        return _show(session, args, made)


def edit(profile: Profile, args: Arguments) -> int:
    """Change fields of a record."""
    found = read_json() if args.pairs == ["-"] else None
    pairs = _pairs(args.pairs) if found is None else []
    if found is None and not pairs:
        raise WrongUse(_("Name what to change: FIELD=VALUE, or - for JSON on standard input."))
    with unlocked(profile) as session:
        record = _there(session, args.id)
        records.refuse_role(session, record.kind)
        if found is not None:
            values = records.given(session, record.kind, amounts.plain(profile, record.kind, found))
        else:
            pairs = amounts.bare(profile, record.kind, pairs)
            values = records.typed(session, record.kind, pairs, record.values)
        strange = owners.strange(session, [values])
        record = records.edit(session, record.id, values)
        owners.tell(strange)
        return _show(session, args, record)


def delete(profile: Profile, args: Arguments) -> int:
    """Take a record off all lists."""
    with unlocked(profile) as session:
        record = records.delete(session, _there(session, args.id).id)
        if args.json:
            return _show(session, args, record)
        text = _("Deleted. Take it back with: fieldkeep undelete {id}").format(id=id_text(record.id))
        say(hints.filled(text))
        return 0


def undelete(profile: Profile, args: Arguments) -> int:
    """Bring a deleted record back."""
    with unlocked(profile) as session:
        gone = _deleted(session, args.id)
        remains = session.read(joined.remains_of, gone.id)
        record = records.undelete(session, gone.id)
        if remains != gone.id and not args.json:
            text = _(
                "It was joined, and comes back as it was. What was taken over from it, and what refers to the other"
                " now, stays with “{title}” {id}."
            )
            title = session.call(lists.name_of, remains) or _("Without a name")
            say(text.format(title=title, id=id_text(remains)))
        if record.deleted and not args.json:
            text = _("It was deleted before this device had it. The next sync brings it back: fieldkeep sync")
            say(hints.filled(text))
            return 0
        return _show(session, args, record)


def show_one(profile: Profile, args: Arguments) -> int:
    """Show one record."""
    with reading(profile) as session:
        return _show(session, args, _there(session, args.id))


def list_kind(profile: Profile, args: Arguments) -> int:
    """List records of a kind by title, all or the first N."""
    kind = kind_of(args.kind)
    where = _where(kind, args.where)
    with reading(profile) as session:
        records.refuse_asking(session, kind, (each.field for each in where.conditions))
        found: list[Record] = []
        after: tuple[Any, ...] | None = None
        while args.limit is None or len(found) < args.limit:
            size = PAGE if args.limit is None else min(PAGE, args.limit - len(found))
            part = session.call(_page, kind, where, after, size, args.deleted)
            found += part.records
            after = part.next
            if after is None:
                break
        if args.json or not sys.stdout.isatty():
            return _show_rows(session, args, found)
        everything: int | None = len(found)
        if after is not None:
            everything = None if args.deleted else session.call(_counted, kind, where)
        page.listed(kind, found, everything, show.names(session))
        if args.deleted and found:
            aside(hints.filled(_("Bring one back with: fieldkeep undelete ID")))
        _explain(session, found)
        return 0


def find(profile: Profile, args: Arguments) -> int:
    """Find records of all kinds; none found is an answer too."""
    text = read_text(QUESTION_MAX).strip() if args.text == "-" else args.text
    if not text.strip():
        raise WrongUse(_("There is nothing to find."), _("Name a word, a part of a name or a number."))
    with reading(profile) as session:
        _prepare(session, wanted=not args.json)
        hits = session.call(_find, text, args.limit + 1)
        more, hits = len(hits) > args.limit, hits[: args.limit]
        if args.json or not sys.stdout.isatty():
            return _show_rows(session, args, [hit.record for hit in hits])
        page.found(hits, show.names(session), more=more)
        _explain(session, hits)
        return 0


def _prepare(session: Session, *, wanted: bool) -> None:
    """After an update search may not hold every record yet: a command has no later, so it waits, and says how long."""
    missing, _whole = session.call(indexing.left)
    if not missing:
        return
    progress = Progress()
    with pace.shown(progress, wanted=wanted):
        while session.call(indexing.step):
            progress(Stage.PREPARING, missing - session.call(indexing.left)[0], missing)


def _page(
    store: Store, kind: Kind, where: Filter, after: tuple[Any, ...] | None, limit: int, deleted: bool
) -> lists.Page:
    return lists.page(store, kind, where=where, after=after, limit=limit, deleted=deleted)


def _counted(store: Store, kind: Kind, where: Filter) -> int:
    return lists.count(store, kind, where)


def _find(store: Store, text: str, limit: int) -> list[search.Hit]:
    return search.find(store, text, limit=limit)


def _show(session: Session, args: Arguments, record: Record | list[Record]) -> int:
    care = session.card.person.care
    if args.json:
        if isinstance(record, list):
            show.emit([show.as_json(each, care) for each in record])
        else:
            show.emit(show.as_json(record, care))
        return 0
    for each in record if isinstance(record, list) else [record]:
        for line in show.lines(each, show.names(session), care):
            say(line)
    return 0


def _show_rows(session: Session, args: Arguments, found: list[Record]) -> int:
    if args.json:
        show.emit([show.as_json(record, session.card.person.care) for record in found])
        return 0
    if not found:
        aside(_("Nothing found."))
        roles.explain_nothing(session)
    for record in found:
        say(show.row(record, show.names(session)))
    return 0


def _there(session: Session, text: str) -> Record:
    """The record of an id as a person wrote it. Raises NotFound."""
    try:
        return records.get(session, records.find_id(text))
    except NotFound as problem:
        raise roles.not_here(session, problem) from None


def _deleted(session: Session, text: str) -> Record:
    """The record of an id, likely a deleted one. Raises NotFound, which says where deleted ones are found."""
    try:
        return _there(session, text)
    except NotFound as problem:
        if session.card.person.role == IT:
            raise
        raise NotFound(problem.title, _("Find it with: fieldkeep list KIND --deleted")) from None


def _explain(session: Session, found: Sequence[object]) -> None:
    """Below a table: what the role has to do with what stands there, or does not."""
    if found:
        roles.explain_masks(session)
    else:
        roles.explain_nothing(session)


def _where(kind: Kind, items: list[str]) -> Filter:
    """FIELD=VALUE and FIELD~WORDS as a filter. Raises FieldProblem, WrongUse."""
    words = [item for item in items if _NAMED_WORDS.match(item)]
    is_ = typed(kind, dict(_pairs([item for item in items if item not in words])))
    has = [worded(kind, *item.split("~", 1)) for item in words]
    return Filter((*is_.conditions, *has))


def _pairs(items: list[str]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for item in items:
        name, sign, value = item.partition("=")
        if not sign or not name:
            raise WrongUse(
                _("“{item}” is not FIELD=VALUE.").format(item=item[:60]),
                _('A value with spaces takes quotes: "name=Blue Harbour"'),
            )
        if any(name == known for known, _value in pairs):
            raise WrongUse(_("“{field}” is named twice.").format(field=name[:60]))
        pairs.append((name, value))
    return pairs
