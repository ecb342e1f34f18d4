"""`sync --explain ID`: the story of one record in words, the oldest first, and what the server says of it now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from app.cli import hints, roles, show
from app.cli.verb import Arguments, reading, say
from app.errors import NotFound
from app.paths import Profile
from app.services import records, refused, story
from app.services.story import TAKEN, WAITING, Deed, Story
from sync.protocol import clock
from sync.protocol.ids import id_text
from sync.protocol.joins import listed, sentences
from sync.protocol.kinds import KINDS, pairs
from sync.protocol.merge import KEPT, OPEN, SWAPPED, Conflict
from sync.protocol.ops import Act
from sync.protocol.texts import gettext as _


def explain(profile: Profile, args: Arguments) -> int:
    """Tell it. Nothing is exchanged and nothing changes."""
    with reading(profile) as session:
        try:
            told = story.tell(session, records.find_id(args.explain))
        except NotFound as problem:
            raise roles.not_here(session, problem) from None
    if args.json:
        show.emit(_as_json(told))
        return 0
    for line in _lines(told):
        say(hints.filled(line))
    return 0


def _lines(told: Story) -> Iterator[str]:
    record = told.record
    if record is None:
        yield _("{id}: not on this device").format(id=id_text(told.id))
    else:
        yield f"{record.title} · {_(record.kind.label)} {id_text(told.id)}"
        if record.changed_by:
            said = _("last changed by {person}, {when}")
            yield "  " + said.format(person=record.changed_by, when=_when(record.changed_ms))
    happened = [(deed.at_ms, f"{_did(deed)}: {_became(deed)}") for deed in told.deeds]
    happened += [(clock.millis(each.settled_hlc), _ended(each)) for each in told.settled]
    for at_ms, text in sorted(happened, key=lambda each: each[0]):  # of one moment in the order of doing
        yield f"  {_when(at_ms)}  {text}"
    for each in told.open:
        yield "  " + _("{field}: two edits met, and nobody has chosen yet. See: fieldkeep conflicts").format(
            field=_field(each.conflict.kind, each.conflict.cell)
        )
    yield from _kin(told)
    yield "  " + _server(told)


def _kin(told: Story) -> Iterator[str]:
    """Where it went, what came into it, and what it seems to be one with."""
    kin = told.kin
    if kin.remains is not None:
        said = _("joined into {title} {id}: what refers to it leads there")
        yield "  " + said.format(title=kin.remains[1], id=id_text(kin.remains[0]))
    for each in kin.joined:
        yield "  " + _("{id} was joined into it").format(id=id_text(each))
    for id_, title, why in kin.pairs:
        said = _("seems to be one with {title} {id}. {why}. See: fieldkeep duplicates")
        yield "  " + said.format(title=title, id=id_text(id_), why=why)


def _did(deed: Deed) -> str:
    """What one op was to do."""
    if deed.op is None:
        return _("a change made here")
    fields = listed([_field(deed.op.kind, name) for name in deed.fields])
    if deed.op.settles:
        return (
            _("a conflict opened again") if OPEN in deed.op.settles.values() else _("a conflict settled here")
        )
    if deed.op.act is Act.ADD:
        return _("made here")
    if deed.op.act is Act.DELETE:
        return _("deleted here")
    if deed.op.act is Act.UNDELETE:
        return _("brought back here")
    for how, text in (
        (pairs.JOINED, _("another record joined into it here")),
        (pairs.APART, _("said here that another record is a different one")),
    ):
        if pairs.named(deed.op.set, how):
            stands = any(value for cell, value in deed.op.set.items() if cell.startswith(how))
            return text if stands else _("what joined or parted it taken back here")
    return _("changed here ({fields})").format(fields=fields)


def _became(deed: Deed) -> str:
    """What the server made of it."""
    if deed.state == WAITING:
        return _("waits to be sent")
    if deed.state == TAKEN:
        return _("sent, and taken by the server as number {ver}").format(ver=deed.ver)
    why = refused.why(deed.refused) if deed.refused is not None else ""
    return sentences(_("not accepted."), why, _("See: fieldkeep conflicts"))


def _ended(conflict: Conflict) -> str:
    field = _field(conflict.kind, conflict.cell)
    if conflict.state == KEPT:
        return _("{field}: {person} kept what stood").format(field=field, person=conflict.settled_by)
    if conflict.state == SWAPPED:
        return _("{field}: {person} took the other").format(field=field, person=conflict.settled_by)
    return _("{field}: its author took the edit back").format(field=field)


def _server(told: Story) -> str:
    """What the server says of it now."""
    if told.server is None:
        why = told.problem.title if told.problem is not None else ""
        return _("server: not asked. {why}").format(why=why)
    server, record = told.server, told.record
    if server.gone == "left":
        return _("server: it has no such record for you")
    if record is not None and server.ver == record.ver:
        return _("server: it has number {ver}, as this device does").format(ver=server.ver)
    if server.gone:
        return _("server: deleted there, number {ver}. Fetch that with: fieldkeep sync").format(
            ver=server.ver
        )
    said = _("server: it has number {ver}, changed by {person}. Fetch that with: fieldkeep sync")
    return said.format(ver=server.ver, person=server.person or _("somebody"))


def _field(kind: str, cell: str) -> str:
    known = KINDS.get(kind)
    field = known.by_name.get(cell.partition("/")[0]) if known is not None else None
    return _(field.label) if field is not None else cell or _("the whole record")


def _when(ms: int) -> str:
    return dt.datetime.fromtimestamp(ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M") if ms else "–"


def _as_json(told: Story) -> dict[str, Any]:
    record, server = told.record, told.server
    return {
        "id": id_text(told.id),
        "kind": record.kind.name if record is not None else None,
        "title": record.title if record is not None else "",
        "here": record is not None,
        "number": record.ver if record is not None else 0,
        "changed_by": record.changed_by if record is not None else "",
        "changed_at": show.when_iso(record.changed_ms) if record is not None else None,
        "deeds": [_deed_json(deed) for deed in told.deeds],
        "open": [{"id": id_text(each.conflict.id), "field": each.conflict.cell} for each in told.open],
        "settled": [
            {
                "id": id_text(each.id),
                "field": each.cell,
                "state": each.state,
                "by": each.settled_by,
                "at": show.when_iso(clock.millis(each.settled_hlc)),
            }
            for each in told.settled
        ],
        "joined_into": id_text(told.kin.remains[0]) if told.kin.remains is not None else None,
        "joined": [id_text(each) for each in told.kin.joined],
        "seems_one_with": [{"id": id_text(id_), "title": title} for id_, title, _why in told.kin.pairs],
        "server": None
        if server is None
        else {"number": server.ver, "gone": server.gone, "changed_by": server.person},
    }


def _deed_json(deed: Deed) -> dict[str, Any]:
    op, refusal = deed.op, deed.refused
    return {
        "n": deed.n,
        "at": show.when_iso(deed.at_ms),
        "act": op.act.value if op is not None else None,
        "fields": list(deed.fields),
        "settles": {id_text(id_): choice for id_, choice in (op.settles if op is not None else {}).items()},
        "state": deed.state,
        "number": deed.ver,
        "code": refusal.code if refusal is not None else None,
        "hint": refusal.hint if refusal is not None else "",
    }
