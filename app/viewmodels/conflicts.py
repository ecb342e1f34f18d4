"""What waits for a choice: both values of edits that met, who and when; and changes that were not accepted."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import msgspec

from app.services import refused as refusals
from app.services import settling
from app.services.session import Session
from app.store import conflicts
from app.store.choices import Settled
from app.store.conflicts import Attention, OpenConflict
from app.store.reader import Reader
from app.viewmodels import differences, words
from app.viewmodels.base import Errands
from app.viewmodels.drafts import Drafts
from app.viewmodels.editor import Undoable
from app.viewmodels.reading import Titles
from sync.protocol import clock
from sync.protocol.errors import KnownError
from sync.protocol.fields import Ref, Several, Tags
from sync.protocol.joins import labelled, sentences
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.merge import WHOLE_RECORD
from sync.protocol.ops import Act
from sync.protocol.quiet import Quiet
from sync.protocol.texts import gettext as _


class Side(Quiet, frozen=True):
    """One of the two values: in words, by whom, when; `differs` are stretches that the other does not have."""

    heading: str
    value: str
    by: str
    differs: tuple[differences.Span, ...] = ()


class Met(Quiet, frozen=True):
    """Something that waits: the record, the field, the sides: what is shown now first, then what met.

    `refused` is that change; `again` says that it can be made again, `here` that the record is on this device. `open`
    are the edits that met, `keep` and `take` what the two choices are called.
    """

    kind: str
    id: bytes
    title: str
    field: str
    sides: tuple[Side, ...]
    explanation: str = ""
    refused: Attention | None = None
    again: bool = False
    here: bool = True
    open: OpenConflict | None = None
    keep: str = ""
    take: str = ""


class Workplace(Protocol):
    """What settling needs of the desk."""

    session: Session
    errands: Errands
    drafts: Drafts

    def say(self, text: str, *, undoes: bool = False) -> None:
        """Show one line about something just done, which can be taken back."""

    def fail(self, problem: KnownError) -> None:
        """Show what went wrong."""


def make_again(desk: Workplace, met: Met) -> None:
    """Make a change again that was not accepted; it waits to be sent then."""
    _settle(desk, met, refusals.make_again, _("The change is made again, and waits to be sent."))


def let_go(desk: Workplace, met: Met) -> None:
    """Give up a change that was not accepted."""
    _settle(desk, met, refusals.let_go, _("Let go. The server keeps what you wrote."))


def keep(desk: Workplace, met: Met) -> None:
    """Let stand what stands."""
    _choose(desk, met, settling.keep)


def take(desk: Workplace, met: Met) -> None:
    """Put the other one in its place."""
    _choose(desk, met, settling.take)


def _choose(desk: Workplace, met: Met, act: Callable[[Session, OpenConflict], Settled]) -> None:
    each, kind = met.open, KINDS.get(met.kind)
    if each is None or kind is None:
        return

    def done(made: Settled) -> None:
        desk.drafts.may_undo(Undoable(kind, made.record, {}, settled=made))
        desk.say(_("Settled: “{title}”.").format(title=met.title), undoes=True)

    desk.errands.run(lambda: act(desk.session, each), done, desk.fail)


def _settle(desk: Workplace, met: Met, act: Callable[[Session, Attention], None], text: str) -> None:
    refused = met.refused
    if refused is None:
        return
    desk.errands.run(lambda: act(desk.session, refused), lambda _done: desk.say(text), desk.fail)


def read(store: Reader, now_ms: int) -> list[Met]:
    """Everything that waits, the oldest first."""
    titles = Titles(store)
    found = []
    for each in conflicts.open_conflicts(store):
        conflict, kind = each.conflict, KINDS.get(each.conflict.kind)
        sides = _marked(tuple(sides_of(each, kind, titles, now_ms)))
        title = each.called
        name = _field(kind, conflict.cell)
        why = words.one_person(each.one_person)
        if each.chosen_first:
            why = words.chosen_differently(conflict.shown_by, conflict.kept_by)
        keep_, take_ = settling.offered(each)
        found.append(
            Met(
                conflict.kind,
                conflict.record,
                title,
                name,
                sides,
                why,
                open=each,
                keep=keep_,
                take=take_,
            )
        )
    found.extend(_refused(each, titles, now_ms) for each in conflicts.attention(store))
    return found


def _marked(sides: tuple[Side, ...]) -> tuple[Side, ...]:
    """The sides with what differs in them: each from the first one, and that from the last."""
    if len(sides) < 2:
        return sides
    pairs = ((sides[0], sides[-1]), *((side, sides[0]) for side in sides[1:]))
    return tuple(
        msgspec.structs.replace(side, differs=differences.spans(side.value, other.value))
        for side, other in pairs
    )


def sides_of(each: OpenConflict, kind: Kind | None, titles: Titles, now_ms: int) -> Iterator[Side]:
    """What the record holds now, then what met, as far as it is something else."""
    conflict = each.conflict

    def side(heading: str, value: str, by: str, at_ms: int) -> Side:
        return Side(heading, value, _by(by, at_ms, now_ms))

    present = _("deleted") if each.deleted else cell_text(kind, conflict.cell, each.present, titles)
    if each.moved:
        when = _by(each.present_by, each.present_ms, now_ms)
        told = _("Record last changed: {who}").format(who=when) if when else ""
        yield Side(_("Shown now"), present, told)
    else:
        yield side(_("Shown now"), present, each.present_by, each.present_ms)
    if each.met_is_kept:
        then = cell_text(kind, conflict.cell, conflict.shown, titles)
        then = _("nothing, or the record was deleted") if each.gone_then else then
        yield side(_("Stood there then"), then, conflict.shown_by, clock.millis(conflict.shown_hlc))
    kept = cell_text(kind, conflict.cell, conflict.kept, titles)
    # the very word of the button that takes it
    yield side(_("The other"), kept, conflict.kept_by, clock.millis(conflict.kept_hlc))


def _refused(refused: Attention, titles: Titles, now_ms: int) -> Met:
    kind = KINDS.get(refused.kind)
    cells: Mapping[str, Any] = refused.op.set if refused.op else {}
    lines = [
        labelled(_field(kind, cell), cell_text(kind, cell, held, titles)) for cell, held in cells.items()
    ]
    if refused.op is not None and refused.op.act in (Act.DELETE, Act.UNDELETE):
        lines.append(_("Delete the record") if refused.op.act is Act.DELETE else _("Bring the record back"))
    said = "\n".join(lines) or (words.DASH if refused.op is not None else _("Kept on the server"))
    side = Side(_("Your change"), said, words.moment(refused.at_ms, now_ms))
    why = (
        refusals.why(refused) or _("The server did not accept this change."),
        refusals.words_gone(refused),
    )
    again = refused.op is not None and (refused.here or refused.op.act is Act.ADD)
    return Met(
        refused.kind,
        refused.id,
        refused.title or words.DASH,
        _("Not accepted"),
        (side,),
        sentences(*why),
        refused,
        again,
        refused.here,
    )


def cell_text(kind: Kind | None, cell: str, held: Any, titles: Titles) -> str:
    """The value of a cell in words, as much as this version knows of it."""
    if cell == WHOLE_RECORD:
        return _("kept") if held is None else _("deleted")
    if held is None:
        return _("empty")
    name = cell.partition("/")[0]
    field = kind.by_name.get(name) if kind is not None else None
    if field is None:
        return str(held)
    with contextlib.suppress(KeyError, TypeError, AttributeError, ValueError):  # a newer version's form of it
        if isinstance(field.type, Several):
            return words.value(field, [held], titles)
        if isinstance(field.type, Tags):
            return cell.partition("/")[2]
        if isinstance(field.type, Ref):
            return titles(bytes(held))
        return words.value(field, held, titles)
    return str(held)


def _field(kind: Kind | None, cell: str) -> str:
    field = kind.by_name.get(cell.partition("/")[0]) if kind is not None else None
    if field is not None:
        return _(field.label)
    return cell or _("The whole record")


def _by(who: str, at_ms: int, now_ms: int) -> str:
    when = words.moment(at_ms, now_ms) if at_ms else ""
    return words.DOT.join(part for part in (words.person(who), when) if part)
