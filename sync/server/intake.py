"""Takes ops in: contiguous, each once, merged with the present row, its effect and its result kept together.

An op is judged at the moment it is applied, by the rights its author has then. One that is refused is answered so
and does not stand in the way of the others. A number that was taken in before is answered with what was said then.
An op that comes again under another number, from a restored copy or a recovery, is known by its print and done once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from sync.protocol import codec, histories, rejections, settling
from sync.protocol.errors import FieldProblem, Outcome, Problem, Rejection
from sync.protocol.ids import ID_BYTES, DeviceId, Incarnation, OpId
from sync.protocol.kinds import KINDS
from sync.protocol.kinds.circle import closing
from sync.protocol.merge import Conflict, Merged, Row
from sync.protocol.messages import OpResult
from sync.protocol.ops import Act, Op, print_of
from sync.protocol.texts import gettext as _
from sync.server import access, checking, forgetting
from sync.server.access import Rights, Scope
from sync.server.db.base import Transaction
from sync.server.db.kept import Device, Held, Numbering, Person, Result
from sync.server.errors import RequestProblem

DISPUTED_MAX: Final = 1_000  # open conflicts of one record
DISPUTED_BYTES: Final = 4 * 2**20  # and what they may come to: all of them go out beside it at once
SHOWN_BYTES: Final = 2**20  # of rows and conflicts beside results: beyond it no more ops are taken at once


class Unreadable(msgspec.Struct, frozen=True):
    """An op of which only the number could be read; it is refused, and the queue goes on."""

    n: int


@dataclass(frozen=True, slots=True)
class Author:
    """Who sent the ops, as the server knows it at this moment."""

    device: Device
    person: Person
    incarnation: bytes

    @property
    def rights(self) -> Rights:
        """What this person may see and edit. Of somebody who has left, what a device had not sent counts as it did:
        unsent work is never lost, and the device is locked."""
        return self.person.rights_at_work


@dataclass(slots=True)
class Taken:
    """What became of the ops of one exchange."""

    acked_n: int
    results: list[OpResult] = field(default_factory=list)
    conflicts: list[bytes] = field(default_factory=list)
    shown: list[bytes | None] = field(default_factory=list)  # per result: the record to send along
    new: int = 0
    weight: int = 0  # bytes of what goes along with the results
    stopped: bool = False  # ops are left that were not looked at: their results would not fit into the answer
    forgotten: bool = False  # of some that were taken, what was answered is not kept any more


def read_op(raw: msgspec.Raw) -> Op | Unreadable:
    """One op frame. Raises BadFrames when not even its number can be read."""
    try:
        return msgspec.msgpack.decode(raw, type=Op)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return codec.read(raw, Unreadable)


def take(tx: Transaction, author: Author, ops: Sequence[Op | Unreadable], now: int) -> Taken:
    """Take ops in, in their order. Raises RequestProblem for a gap or a number used twice; then nothing is taken."""
    records, device = tx.records, author.device.device
    numbering = records.numbering(device, author.incarnation) or Numbering()
    _contiguous(ops, numbering.acked_n)
    taken = Taken(numbering.acked_n)
    answered = numbering.acked_n
    fallen = _fallen(tx, author, ops)
    prints = [_print(op) for op in ops]
    records.look_ahead([op.id for op in ops if isinstance(op, Op)], prints)
    for op, print_ in zip(ops, prints, strict=True):
        if taken.weight >= SHOWN_BYTES:
            taken.stopped = True
            break
        answered = op.n
        op_id = OpId(DeviceId(device), Incarnation(author.incarnation), op.n)
        if op.n <= numbering.acked_n:
            result = records.result(op_id)
            if result is None:
                taken_in = records.answered(print_)
                if taken_in and isinstance(op, Op):
                    # Answered so long ago that only this is kept. How the record stands says what became of it.
                    taken.forgotten = True
                    result = _known(author, print_, records.held(op.id))
                elif taken_in is False:
                    hint = _(rejections.NOT_TAKEN)
                    result = _refused(print_, Rejection.FORBIDDEN, hint)
            if result is None or result.print != print_:
                raise RequestProblem(Problem.ROLLBACK, why="number used twice")
        else:
            result = _rest_of(op, fallen, print_) or _new(tx, author, op, op_id, print_, now)
            refused = result.outcome is Outcome.REJECTED
            if refused and isinstance(op, Op):
                # Its author's device has ended conflicts with it, or opened some again: it hears how they stand.
                result = msgspec.structs.replace(result, conflicts=checking.named(op))
                # What its author may no longer hold is not lost: the words stay here, beside the answer.
                said = result.code.value if result.code else ""
                records.keep_refused(op_id, author.person.id, said, checking.to_keep(op), now)
                _name_files(tx, op.kind, op.id, op.set)  # nor are the bytes that it names
            if isinstance(op, Op) and (refused or op.ver) and _sees(author, records.held(op.id)):
                # Below work that is sent once more lies a row of a history that is lost.
                result = msgspec.structs.replace(result, differs=True)
            records.put_result(op_id, result, now)
            records.put_answered(print_, not refused)
            taken.acked_n = op.n
            taken.new += 1
        if result.outcome is Outcome.REJECTED and isinstance(op, Op) and op.first:
            fallen.setdefault(op.first, result.code or Rejection.INVALID)
        _answer(taken, op, result)
        taken.weight += records.weigh(taken.shown[-1], result.conflicts)
    if taken.new:
        records.put_numbering(
            device, author.incarnation, msgspec.structs.replace(numbering, acked_n=taken.acked_n)
        )
    if taken.stopped:
        # What was answered long ago is told once more in the next exchange, with the row that it lacks here.
        taken.acked_n = answered
    return taken


def _fallen(tx: Transaction, author: Author, ops: Sequence[Op | Unreadable]) -> dict[int, Rejection]:
    """Acts of which something was refused, by their first op: so far, of an act that began in an earlier exchange."""
    first = ops[0].first if ops and isinstance(ops[0], Op) else 0
    if not 0 < first < ops[0].n:
        return {}
    code = tx.records.refused_within(author.device.device, author.incarnation, first, ops[0].n)
    return {} if code is None else {first: Rejection(code or Rejection.INVALID)}


def _rest_of(op: Op | Unreadable, fallen: Mapping[int, Rejection], print_: bytes) -> Result | None:
    """The refusal of what comes behind something refused in its act: a record whose values were not taken over into
    another one is not deleted for it.
    """
    if not isinstance(op, Op) or op.first not in fallen:
        return None
    hint = _(rejections.PART_OF_AN_ACT)
    return _refused(print_, fallen[op.first], hint)


def _contiguous(ops: Sequence[Op | Unreadable], acked_n: int) -> None:
    expected = None
    for op in ops:
        if op.n < 1 or (op.n != expected if expected is not None else op.n > acked_n + 1):
            raise RequestProblem(Problem.GAP, why="gap", expected=acked_n + 1)
        expected = op.n + 1


def _sees(author: Author, held: Held | None) -> bool:
    """Whether there is such a record and its author sees it: nobody learns of one by guessing."""
    return held is not None and access.sees(author.rights, held.row.kind, held.scope)


def _answer(taken: Taken, op: Op | Unreadable, result: Result) -> None:
    taken.results.append(
        OpResult(
            n=op.n,
            outcome=result.outcome,
            ver=result.ver,
            code=result.code,
            hint=result.hint,
            conflicts=result.conflicts,
        )
    )
    taken.shown.append(op.id if result.differs and isinstance(op, Op) else None)
    taken.conflicts.extend(result.conflicts)


def _new(
    tx: Transaction, author: Author, op: Op | Unreadable, op_id: OpId, print_: bytes, now: int
) -> Result:
    if isinstance(op, Unreadable):
        return _refused(print_, Rejection.INVALID, _(rejections.UNREADABLE))
    own = op.hlc
    try:
        op = checking.checked(op, tx.records.head(), now)
    except FieldProblem as problem:
        return _refused(print_, Rejection.INVALID, f"{problem.field}: {problem}")
    if op.kind not in KINDS:
        return _refused(print_, Rejection.SCHEMA, _(rejections.UNKNOWN_KIND))
    held = tx.records.held(op.id)
    if tx.records.answered(print_):
        return _known(author, print_, held)
    if held is not None and op.act is Act.UNDELETE and forgetting.hollow(held.row):
        hint = _(rejections.FORGOTTEN)
        return _refused(
            print_, Rejection.INVALID, hint
        )  # not “gone”: no record of that id will come some day
    if not _may(author.rights, op, held):
        return _refused(print_, Rejection.FORBIDDEN, _why_not(author.rights))
    named = [each.cell for each in tx.records.conflicts(list(op.settles)) if each.record == op.id]
    if not access.sets(author.rights, op.kind, (*op.set, *named)):
        hint = _(rejections.HIDDEN)
        return _refused(print_, Rejection.FORBIDDEN, hint)
    return _apply(tx, author, op, op_id, print_, held, now, own)


def _known(author: Author, print_: bytes, held: Held | None) -> Result:
    """The answer to an op that was taken before: not the number of today where its author does not see the record."""
    ver = held.row.ver if held is not None and _sees(author, held) else 0
    return Result(outcome=Outcome.OK, print=print_, ver=ver, differs=held is not None)


def _apply(
    tx: Transaction, author: Author, op: Op, op_id: OpId, print_: bytes, held: Held | None, now: int, own: int
) -> Result:
    records = tx.records
    seq = records.head() + 1
    row, links = held.row if held else None, _closing(tx, op)
    reach = _reach(tx, op.base)
    met = records.conflicts_of(op.id) if row is not None and row.ver > reach else ()
    named = [each for each in records.conflicts(list(op.settles)) if each.record == op.id]
    merged = settling.apply(
        row, op, op_id, seq=seq, person=author.person.email, closing=links, met=met, reach=reach, own=own,
        named=named,
    )  # fmt: skip
    if merged.outcome is Outcome.REJECTED:
        return _refused(print_, merged.code or Rejection.INVALID, _(rejections.NOT_THERE))
    if merged.conflicts and _too_disputed(tx, op.id, merged.conflicts):
        hint = _(rejections.TOO_DISPUTED)
        return _refused(print_, Rejection.INVALID, hint)
    if merged.changed and merged.row is not None:
        if (problem := checking.too_large(merged.row)) is not None:
            return _refused(print_, Rejection.INVALID, problem)
        _keep(tx, author, op, held, merged.row, now)
    elif merged.conflicts or merged.settled:
        records.next_seq()
    for conflict in merged.conflicts:
        records.put_conflict(conflict)
    for conflict in merged.settled:
        records.settle_conflict(conflict)
    return Result(
        outcome=merged.outcome,
        print=print_,
        ver=merged.row.ver if merged.row else 0,
        # Those it names go out again whatever became of them: their author waits for that.
        conflicts=list(dict.fromkeys(each.id for each in (*merged.conflicts, *merged.settled, *named))),
        differs=_differs(merged),
    )


def _reach(tx: Transaction, base: int) -> int:
    """Up to which number of this history an author had seen it who had seen `base`, of whichever history."""
    head = tx.records.head()
    return base if histories.same(base, head) else histories.reach(base, head, tx.histories.ends())


def _closing(tx: Transaction, op: Op) -> list[str]:
    """Cells whose new link closes a circle with what stands here now: its author may have seen another state."""
    kind = KINDS[op.kind]

    def values_of(id_: bytes) -> Mapping[str, Any] | None:
        held = tx.records.held(id_)
        return held.row.cells if held is not None and held.row.kind == op.kind else None

    return [each.name for each in closing(kind, op.id, op.set, values_of)]


def _differs(merged: Merged) -> bool:
    return merged.differs or merged.outcome in (Outcome.MERGED, Outcome.CONFLICT)


def _keep(tx: Transaction, author: Author, op: Op, held: Held | None, row: Row, now: int) -> None:
    creator = held.creator if held else author.person.id
    fresh = Held(
        row=row,
        scope=Scope(creator, ""),
        owner=access.owner_of(row.kind, row.cells),
        subject=_subject(tx, author, row),
        creator=creator,
        device=author.device.device,
        incarnation=author.incarnation,
        person=author.person.email,
        hlc=op.hlc,
    )
    _name_files(tx, row.kind, row.id, row.cells)
    tx.records.next_seq()
    put_where_it_belongs(tx, fresh, held.scope if held else None, now)


def _name_files(tx: Transaction, kind: str, record: bytes, cells: Mapping[str, Any]) -> None:
    """Note which files a record names, or would if it had been taken; what was refused may have any form."""
    known = KINDS.get(kind)
    for field_ in known.contents if known is not None and len(record) == ID_BYTES else ():
        with contextlib.suppress(FieldProblem):
            content = field_.type.check(field_.name, cells.get(field_.name))
            if content is not None:
                tx.blobs.name(content["sha256"], record)


def _subject(tx: Transaction, author: Author, row: Row) -> bytes:
    """The record whose people also get this one. One that its author never had in sight is to them as one that is not
    here: nothing is laid beside it, and nothing tells that it is there.
    """
    subject = access.subject_of(row.kind, row.cells)
    if not subject or access.has_owner(row.kind):
        return subject
    about = tx.records.held(subject)
    if about is None or access.sees(author.rights, about.row.kind, about.scope):
        return subject  # one that is not here may come yet
    traces = tx.records.traces(subject, 0)
    scopes = [about.scope, *(trace.before for trace in traces if trace.before is not None)]
    # Whoever was moved meanwhile had it in sight when they wrote.
    rights = (author.rights, *tx.people.former_rights(author.person.id))
    was_seen = any(access.sees(each, about.row.kind, scope) for each in rights for scope in scopes)
    return subject if was_seen or any(trace.device == author.device.device for trace in traces) else b""


def put_where_it_belongs(tx: Transaction, held: Held, before: Scope | None, now: int) -> int:
    """Keep a record that was changed, and take along what goes where it goes; how many those were."""
    scope = scope_of(tx, held)
    tx.records.put(replace(held, scope=scope), before, now)
    return rescope(tx, _followers(tx, held.row, before, scope), now)


def scope_of(tx: Transaction, held: Held) -> Scope:
    """Whose a record is: its owner's, if that is somebody with an account, that of the record it is about, else its
    maker's; and where it lies: in the territory that it names, or in that of the record that it is about."""
    kind = held.row.kind
    if held.subject and not access.has_owner(kind):
        about = tx.records.held(held.subject)
        if about is not None and access.has_owner(about.row.kind):
            return about.scope
    if access.has_territory(kind):
        territory = access.territory_of(kind, held.row.cells)
    else:
        territory = tx.records.territory(held.subject) if held.subject else ""
    person = (tx.people.by_email(held.owner) if held.owner else None) or tx.people.person(held.creator)
    return Scope(person.id, person.team, territory) if person else Scope(held.creator, "", territory)


def _followers(tx: Transaction, row: Row, before: Scope | None, scope: Scope) -> list[bytes]:
    """Records that go where this one went: what has no owner of its own, and at another territory everything."""
    if before == scope or not access.has_owner(row.kind):
        return []
    elsewhere = scope.territory != (before.territory if before else "")
    return [id_ for id_, kind in tx.records.about(row.id) if elsewhere or not access.has_owner(kind)]


def rescope(tx: Transaction, ids: Sequence[bytes], now: int) -> int:
    """Work out anew whose these records are, after a person came or moved; how many have changed hands."""
    moved, waiting = 0, list(reversed(ids))
    while waiting:
        id_ = waiting.pop()
        held = tx.records.held(id_)
        if held is None:
            continue
        scope = scope_of(tx, held)
        if scope != held.scope:
            row = replace(held.row, ver=tx.records.next_seq())
            # No device made this change, so none has it yet: it goes to all.
            tx.records.put(replace(held, row=row, scope=scope, device=b"", incarnation=b""), held.scope, now)
            moved += 1
            waiting.extend(_followers(tx, row, held.scope, scope))
    return moved


def _may(rights: Rights, op: Op, held: Held | None) -> bool:
    if held is None:
        return access.adds(rights)
    return access.edits(rights, held.row.kind, held.scope)


def _why_not(rights: Rights) -> str:
    if not access.adds(rights):
        return _(rejections.READS_ONLY)
    return _(rejections.NOT_YOURS)


def _too_disputed(tx: Transaction, record: bytes, fresh: Sequence[Conflict]) -> bool:
    """Whether these conflicts are more than may be open about one record: whoever sees it gets all of them."""
    count, size = tx.records.disputed(record)
    size += sum(len(codec.pack(each)) for each in fresh)
    return count + len(fresh) > DISPUTED_MAX or size > DISPUTED_BYTES


def _refused(print_: bytes, code: Rejection, hint: str) -> Result:
    return Result(outcome=Outcome.REJECTED, print=print_, code=code, hint=hint)


def _print(op: Op | Unreadable) -> bytes:
    return b"" if isinstance(op, Unreadable) else print_of(op)
