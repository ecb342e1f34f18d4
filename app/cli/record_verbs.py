"""The verbs of records: make, change, take away, show, list, find; and what waits for a person's eye."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from typing import Any

from app.cli import amounts, hints, owners, pace, page, roles, show
from app.cli.verb import Arguments, aside, done, read_json, read_text, say, unlocked
from app.errors import NotFound, WrongUse
from app.paths import Profile
from app.services import records, refused
from app.services.exchange.progress import Progress, Stage
from app.services.session import Session
from app.store import conflicts as met
from app.store import indexing, lists, search
from app.store.filters import Filter, typed, worded
from app.store.records import Record
from app.store.store import Store
from sync.protocol import clock
from sync.protocol.ids import id_text
from sync.protocol.kinds import KINDS, Kind, kind_of
from sync.protocol.merge import WHOLE_RECORD
from sync.protocol.ops import Act
from sync.protocol.roles import IT
from sync.protocol.texts import gettext as _

Steps = list[tuple[str, str]]  # what a person may do now, in words, and the command for it

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
        record = records.undelete(session, _deleted(session, args.id).id)
        if record.deleted and not args.json:
            text = _("It was deleted before this device had it. The next sync brings it back: fieldkeep sync")
            say(hints.filled(text))
            return 0
        return _show(session, args, record)


def show_one(profile: Profile, args: Arguments) -> int:
    """Show one record."""
    with unlocked(profile) as session:
        return _show(session, args, _there(session, args.id))


def list_kind(profile: Profile, args: Arguments) -> int:
    """List records of a kind by title, all or the first N."""
    kind = kind_of(args.kind)
    where = _where(kind, args.where)
    with unlocked(profile) as session:
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
        page.listed(kind, found, everything, lambda ref: session.call(lists.title_of, ref))
        if args.deleted and found:
            aside(hints.filled(_("Bring one back with: fieldkeep undelete ID")))
        _explain(session, found)
        return 0


def find(profile: Profile, args: Arguments) -> int:
    """Find records of all kinds; none found is an answer too."""
    text = read_text(QUESTION_MAX).strip() if args.text == "-" else args.text
    if not text.strip():
        raise WrongUse(_("There is nothing to find."), _("Name a word, a part of a name or a number."))
    with unlocked(profile) as session:
        _prepare(session, wanted=not args.json)
        hits = session.call(_find, text, args.limit + 1)
        more, hits = len(hits) > args.limit, hits[: args.limit]
        if args.json or not sys.stdout.isatty():
            return _show_rows(session, args, [hit.record for hit in hits])
        page.found(hits, lambda ref: session.call(lists.title_of, ref), more=more)
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


def conflicts(profile: Profile, args: Arguments) -> int:
    """Edits that met, with both values, and changes that were not accepted; these are made again or let go."""
    with unlocked(profile) as session:
        if args.again is not None:
            change = refused.find(session, args.again)
            refused.make_again(session, change)
            text = _("The change is made again, and waits to be sent.")
            return done(args, {"change": refused.spelled(change.name), "state": "waiting"}, text)
        if args.dismiss is not None:
            change = refused.find(session, args.dismiss)
            refused.let_go(session, change)
            text = _("Let go. The server keeps what you wrote.")
            return done(args, {"change": refused.spelled(change.name), "state": "dismissed"}, text)
        title_of: show.TitleOf = lambda ref: session.call(lists.title_of, ref)  # noqa: E731
        met_, refused_ = session.call(met.open_conflicts), session.call(met.attention)
        steps = {each.name: _next_steps(session, each) for each in refused_}
        told = [_conflict_lines(each, title_of) for each in met_]
        told += [_refused_lines(each, steps[each.name], title_of) for each in refused_]
    if args.json:
        show.emit(
            [_conflict_json(each) for each in met_]
            + [_refused_json(each, steps[each.name]) for each in refused_]
        )
        return 0
    if not met_ and not refused_:
        say(_("No conflicts."))
    for lines in told:
        say("\n".join(lines))
    return 0


def _page(
    store: Store, kind: Kind, where: Filter, after: tuple[Any, ...] | None, limit: int, deleted: bool
) -> lists.Page:
    return lists.page(store, kind, where=where, after=after, limit=limit, deleted=deleted)


def _counted(store: Store, kind: Kind, where: Filter) -> int:
    return lists.count(store, kind, where)


def _find(store: Store, text: str, limit: int) -> list[search.Hit]:
    return search.find(store, text, limit=limit)


def _show(session: Session, args: Arguments, record: Record | list[Record]) -> int:
    if args.json:
        show.emit([show.as_json(r) for r in record] if isinstance(record, list) else show.as_json(record))
        return 0
    for each in record if isinstance(record, list) else [record]:
        for line in show.lines(each, lambda ref: session.call(lists.title_of, ref)):
            say(line)
    return 0


def _show_rows(session: Session, args: Arguments, found: list[Record]) -> int:
    if args.json:
        show.emit([show.as_json(record) for record in found])
        return 0
    if not found:
        aside(_("Nothing found."))
        roles.explain_nothing(session)
    for record in found:
        say(show.row(record, lambda ref: session.call(lists.title_of, ref)))
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


def _conflict_json(each: met.OpenConflict) -> dict[str, Any]:
    conflict = each.conflict
    return {
        "id": id_text(conflict.id),
        "kind": conflict.kind,
        "record": id_text(conflict.record),
        "title": each.title,
        "field": conflict.cell,
        "shown": each.present,
        "shown_by": each.present_by,
        "shown_at": show.when_iso(each.present_ms),
        "changed_since": each.moved,
        "deleted": each.deleted,
        "met": conflict.shown,
        "met_by": conflict.shown_by,
        "met_at": show.when_iso(clock.millis(conflict.shown_hlc)),
        "kept": conflict.kept,
        "kept_by": conflict.kept_by,
        "kept_at": show.when_iso(clock.millis(conflict.kept_hlc)),
        "base": conflict.base,
        "state": conflict.state,
    }


def _refused_json(each: met.Attention, steps: Steps) -> dict[str, Any]:
    return {
        "id": refused.spelled(each.name),
        "kind": each.kind,
        "record": id_text(each.id),
        "title": each.title,
        "act": each.op.act.value if each.op else None,
        "fields": list(each.fields),
        "values": each.op.set if each.op else None,
        "code": each.code,
        "hint": each.hint,
        "at": show.when_iso(each.at_ms),
        "next": [command for _text, command in steps],
        "state": "refused",
    }


def _conflict_lines(each: met.OpenConflict, title_of: show.TitleOf) -> list[str]:
    conflict = each.conflict
    kind = KINDS.get(conflict.kind)
    name = conflict.cell.partition("/")[0]
    field = kind.by_name.get(name) if kind is not None else None

    whole = conflict.cell == WHOLE_RECORD

    def words(value: object) -> str:
        if whole:
            return _("kept") if value is None else _("deleted")
        if value is None:
            return _("(empty)")
        if kind is None or field is None:
            return _short(value)
        return show.in_words(field, kind.values({conflict.cell: value}).get(name), title_of).replace(
            "\n", ", "
        )

    label = _(field.label) if field is not None else conflict.cell or _("the whole record")
    said = _("shown: {value} ({person})")
    if each.moved:
        said = _("shown: {value} (the record was last changed by {person})")
    present = _("deleted") if each.deleted else words(each.present)
    found = [f"{each.title} · {label}", "  " + said.format(value=present, person=each.present_by)]
    also = _("also kept: {value} ({person})")
    if each.met_is_kept:
        found.append("  " + also.format(value=words(conflict.shown), person=conflict.shown_by))
    if whole:
        also = _("the other edit: {value} ({person})")
    found.append("  " + also.format(value=words(conflict.kept), person=conflict.kept_by))
    if each.one_person:
        found.append("  " + _("both by one person, on two devices"))
    return found


def _refused_lines(each: met.Attention, steps: Steps, title_of: show.TitleOf) -> list[str]:
    kind = KINDS.get(each.kind)
    label = _(kind.label) if kind is not None else each.kind
    title = each.title or _("Without a name")
    if each.op is not None and each.op.act is Act.ADD:
        said = _("Not accepted ({code}): the new record {title}; the server does not have it.")
    else:
        said = _("Not accepted ({code}): a change of {title}.")
    found = [said.format(code=each.code, title=title), f"  {label} {id_text(each.id)}"]
    if each.op is not None:
        values = kind.values(each.op.set) if kind is not None else each.op.set
        for name in each.fields:
            field = kind.by_name.get(name) if kind is not None else None
            value = values.get(name)
            text = show.in_words(field, value, title_of) if field is not None else _short(value)
            shown = text.replace("\n", ", ") if value is not None else _("(empty)")
            found.append(f"  {_(field.label) if field is not None else name}: {shown}")
    else:
        found.append("  " + _("The record is not on this device. The server keeps what you wrote."))
    if each.hint:
        found.append("  " + each.hint)
    return found + [f"  {text} {command}" for text, command in steps]


def _next_steps(session: Session, each: met.Attention) -> Steps:
    """What a person may do now: in words, and the command."""
    name, record = refused.spelled(each.name), id_text(each.id)
    found: Steps = []
    if refused.may_go_again(session, each):
        found.append((_("Make it again:"), f"fieldkeep conflicts --again {name}"))
    if refused.may_write(session, each) and each.fields:
        act = f"edit {record}" if each.here else f"add {each.kind}"
        fields = " ".join(f"{field}=…" for field in each.fields)
        found.append((_("Write it anew:"), f"fieldkeep {act} {fields}"))
    found.append((_("Let it go:"), f"fieldkeep conflicts --dismiss {name}"))
    return [(words, hints.filled(command)) for words, command in found]


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


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=show.plain)
    return text if len(text) <= 200 else text[:199] + "…"
