"""The verb for records that seem to be about one customer: both beside one another, joined, or called different."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.cli import hints, show
from app.cli.verb import Arguments, done, reading, say
from app.errors import WrongUse
from app.paths import Profile
from app.services import duplicates, records
from app.services.duplicates import Seen
from app.services.session import Session
from app.store import joining
from app.store.joining import BOTH, GONE, REMAINS, Line
from sync.protocol.ids import id_text
from sync.protocol.joins import sentences
from sync.protocol.roles import may_change
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

_TAKEN = {"first": REMAINS, "second": GONE, "both": BOTH}


def tell(profile: Profile, args: Arguments) -> int:
    """Pairs, one pair field by field, or what somebody decides about one."""
    with reading(profile) as session:
        if args.join is not None:
            return _join(session, args)
        if args.different is not None or args.alike is not None:
            return _parted(session, args)
        duplicates.look(session)
        if args.pair:
            return _pair(session, args)
        limit = args.limit if args.limit is not None else -1
        found = session.read(lambda store: duplicates.seen(store, limit=limit))
        # The names of what they refer to are read from the store: as long as it is open.
        lines = [] if args.json else [line for each in found for line in _lines(session, each)]
    if args.json:
        show.emit([_as_json(each) for each in found])
        return 0
    if not found:
        say(_("No possible duplicates."))
    for line in lines:
        say(line)
    return 0


def _lines(session: Session, each: Seen) -> Iterator[str]:
    """A pair in words, and what may be done about it."""
    person, title_of = session.card.person, show.names(session)
    yield each.why
    for record in (each.remains, each.gone):
        second = [show.in_words(f, record.values.get(f.name), title_of) for f in record.kind.columns[1:]]
        facts = " · ".join(part.replace("\n", ", ") for part in second if part)
        shown = record.title if person.care >= record.kind.by_name[record.kind.title].care else "–"
        yield f"  {id_text(record.id)}  {shown}" + (f" · {facts}" if facts else "")
    for text, command in _steps(each) if may_change(person.role) else []:
        yield f"  {text} {hints.filled(command)}"


def _steps(each: Seen) -> list[tuple[str, str]]:
    both = f"{id_text(each.remains.id)} {id_text(each.gone.id)}"
    return [
        (_("See both:"), f"fieldkeep duplicates {both}"),
        (_("Make them one:"), f"fieldkeep duplicates --join {both}"),
        (_("They are different:"), f"fieldkeep duplicates --different {both}"),
    ]


def _pair(session: Session, args: Arguments) -> int:
    """Two records, field by field, and what would stand."""
    if len(args.pair) != 2:
        raise WrongUse(_("Name two records by their ids, or none."))
    one, other = map(records.find_id, args.pair)
    lines = [each for each in session.read(duplicates.compared, one, other) if each.gone or each.remains]
    title_of = show.names(session)
    if args.json:
        show.emit([_line_json(each) for each in lines])
        return 0
    words = {REMAINS: _("first"), GONE: _("second"), BOTH: _("both")}

    def said(line: Line, value: Any) -> str:
        return show.in_words(line.field, value, title_of).replace("\n", ", ") or "–"

    for line in lines:
        if not line.differs:
            say(f"{_(line.field.label)}: {said(line, line.remains)}")
            continue
        say(f"{_(line.field.label)}:")
        say("  " + _("first: {value}").format(value=said(line, line.remains)))
        say("  " + _("second: {value}").format(value=said(line, line.gone)))
        say("  " + _("would stand: {which}").format(which=words[line.takes]))
    for text, command in (
        (_("Make them one:"), f"fieldkeep duplicates --join {args.pair[0]} {args.pair[1]}"),
        (
            _("With another value:"),
            f"fieldkeep duplicates --join {args.pair[0]} {args.pair[1]} --take FIELD=second",
        ),
    ):
        say(f"{text} {hints.filled(command)}")
    return 0


def _join(session: Session, args: Arguments) -> int:
    remains, gone = map(records.find_id, args.join)
    takes = {}
    kind = records.get(session, remains).kind
    for each in args.take:
        name, _is, which = each.partition("=")
        if which not in _TAKEN:
            raise WrongUse(_("Write FIELD=first, FIELD=second or FIELD=both."))
        takes[kind.field(name).name] = _TAKEN[which]
    made = duplicates.join(session, remains, gone, takes)
    moved = len(made.moved)
    title = records.get(session, remains).title or _("Without a name")
    text = _("Joined as “{title}”, and waits to be sent.").format(title=title)
    if moved:
        said = ngettext(
            "{n} record that referred to the second refers to the first.",
            "{n} records that referred to the second refer to the first.",
            moved,
        )
        text = sentences(text, said.format(n=moved))
    back = _("The second can be brought back:") + " " + hints.filled(f"fieldkeep undelete {id_text(gone)}")
    found = {"remains": id_text(remains), "joined": id_text(gone), "moved": moved, "state": "waiting"}
    stays = _(
        "It comes back as it was; what was taken over from it, and what refers to the first now, stays with the first."
    )
    return done(args, found, f"{text}\n{back}\n{stays}")


def _parted(session: Session, args: Arguments) -> int:
    """They are different, or may be one after all."""
    different = args.different is not None
    one, other = map(records.find_id, args.different if different else args.alike)
    duplicates.set_apart(session, one, other, different=different)
    found = {"records": [id_text(one), id_text(other)], "state": "different" if different else "alike"}
    if different:
        return done(args, found, _("Different, for everybody who has both; it waits to be sent."))
    return done(args, found, _("They may be one again; it waits to be sent."))


def _as_json(each: Seen) -> dict[str, Any]:
    return {
        "kind": each.pair.kind,
        "why": each.pair.why,
        "first": {"id": id_text(each.remains.id), "title": each.remains.title},
        "second": {"id": id_text(each.gone.id), "title": each.gone.title},
    }


def _line_json(line: Line) -> dict[str, Any]:
    takes = next(word for word, which in _TAKEN.items() if which == line.takes)
    return {
        "field": line.field.name,
        "first": line.remains,
        "second": line.gone,
        "takes": takes,
        "stands": joining.value_of(line),
        "fixed": line.fixed,
    }
