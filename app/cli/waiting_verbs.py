"""The verb for what waits for a person's eye: edits that met, with both values, and changes that were not accepted."""

from __future__ import annotations

from typing import Any

from app.cli import hints, show
from app.cli.verb import Arguments, done, say, unlocked
from app.paths import Profile
from app.services import refused, settling
from app.services.session import Session
from app.store import conflicts as met
from sync.protocol import clock
from sync.protocol.ids import id_text
from sync.protocol.kinds import KINDS
from sync.protocol.merge import WHOLE_RECORD
from sync.protocol.ops import Act
from sync.protocol.roles import may_change
from sync.protocol.texts import gettext as _

Steps = list[tuple[str, str]]  # what a person may do now, in words, and the command for it


def conflicts(profile: Profile, args: Arguments) -> int:
    """Edits that met, which are settled, and changes that were not accepted, which are made again or let go."""
    with unlocked(profile) as session:
        if args.keep is not None or args.take is not None:
            return _settled(session, args)
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
        title_of, care = show.names(session), session.card.person.care
        met_, refused_ = session.call(met.open_conflicts), session.call(met.attention)
        steps = {each.name: _next_steps(session, each) for each in refused_}
        choices = {each.conflict.id: _choices(session, each) for each in met_}
        told = [conflict_lines(each, choices[each.conflict.id], title_of) for each in met_]
        told += [refused_lines(each, steps[each.name], title_of, care) for each in refused_]
    if args.json:
        show.emit(
            [_conflict_json(each, choices[each.conflict.id]) for each in met_]
            + [_refused_json(each, steps[each.name]) for each in refused_]
        )
        return 0
    if not met_ and not refused_:
        say(_("No conflicts."))
    for lines in told:
        say("\n".join(lines))
    return 0


def _conflict_json(each: met.OpenConflict, steps: Steps) -> dict[str, Any]:
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
        "next": [command for _text, command in steps],
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
        "values": show.told(each.kind, each.op.set) if each.op else None,
        "code": each.code,
        "hint": each.hint,
        "at": show.when_iso(each.at_ms),
        "next": [command for _text, command in steps],
        "state": "refused",
    }


def conflict_lines(each: met.OpenConflict, steps: Steps, title_of: show.TitleOf) -> list[str]:
    """Two edits that met as lines for a person, with what they can do."""
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
    said = _("shown: {value} ({person})") if each.present_by else _("shown: {value}")
    if each.moved and each.present_by:
        said = _("shown: {value} (the record was last changed by {person})")
    present = _("deleted") if each.deleted else words(each.present)
    found = [f"{each.called} · {label}", "  " + said.format(value=present, person=each.present_by)]
    if each.met_is_kept:
        then = _("stood there then: {value} ({person})")
        stood = _("nothing, or the record was deleted") if each.gone_then else words(conflict.shown)
        found.append("  " + then.format(value=stood, person=conflict.shown_by))
    other = _("the other: {value} ({person})")
    found.append("  " + other.format(value=words(conflict.kept), person=conflict.kept_by))
    if each.chosen_first:
        found.append("  " + _("both settled an earlier conflict, and differently; the first one stands"))
    elif each.one_person:
        found.append("  " + _("both by one person, on two devices"))
    return found + [f"  {text} {command}" for text, command in steps]


def refused_lines(each: met.Attention, steps: Steps, title_of: show.TitleOf, care: int) -> list[str]:
    """A change that was not accepted as lines for a person who sees up to `care`, with what they can do."""
    kind = KINDS.get(each.kind)
    label = _(kind.label) if kind is not None else each.kind
    title = each.title or _("Without a name")
    if kind is not None and kind.title in kind.hidden(care):
        title = _("a record whose name is hidden on this device")
    if each.op is not None and each.op.act is Act.ADD:
        said = _("Not accepted: the new record {title}; the server does not have it.")
    else:
        said = _("Not accepted: a change of {title}.")
    found = [said.format(title=title), "  " + _("{kind}, id {id}").format(kind=label, id=id_text(each.id))]
    if each.op is not None:
        values = kind.values(each.op.set) if kind is not None else each.op.set
        for name in each.fields:
            field = kind.by_name.get(name) if kind is not None else None
            value = values.get(name)
            text = show.in_words(field, value, title_of) if field is not None else _short(value)
            shown = text.replace("\n", ", ") if value is not None else _("(empty)")
            found.append(f"  {_(field.label) if field is not None else name}: {shown}")
    found += [f"  {said}" for said in (refused.why(each), refused.words_gone(each)) if said]
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
    if refused.may_type_again(session, each):
        found.append((_("Type it again:"), f"fieldkeep edit {record} FIELD=…"))
    found.append((_("Let it go:"), f"fieldkeep conflicts --dismiss {name}"))
    return [(words, hints.filled(command)) for words, command in found]


def _settled(session: Session, args: Arguments) -> int:
    """Settle one, and say what stands now."""
    each = settling.find(session, args.keep if args.keep is not None else args.take)
    made = (settling.keep if args.keep is not None else settling.take)(session, each)
    found = {"conflict": settling.spelled(each), "record": id_text(made.record), "state": made.choice}
    return done(args, found, _("Settled, and waits to be sent."))


def _choices(session: Session, each: met.OpenConflict) -> Steps:
    """The two ways to settle a conflict, for whoever may change records: in words, and the command."""
    if not may_change(session.card.person.role):
        return []
    name = settling.spelled(each)
    found = zip(settling.offered(each), ("keep", "take"), strict=True)
    return [
        (_("{choice}:").format(choice=words), hints.filled(f"fieldkeep conflicts --{option} {name}"))
        for words, option in found
        if words
    ]


def _short(value: object) -> str:
    text = value if isinstance(value, str) else show.spelled(value)
    return text if len(text) <= 200 else text[:199] + "…"
