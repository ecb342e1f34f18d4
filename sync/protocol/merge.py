"""How an op meets the present row: one pure function, used by every server store and by the client's preview.

Rules, cell by cell, in order:

1. the cell holds the op's value already: nothing to do; a link that would close a circle is kept in a conflict;
2. the author had seen the last write of the cell: the op's value is taken;
3. otherwise by the rule in the table of kinds: latest, hold, notes, stricter (union falls apart into cells that
   do not meet). Whatever is not shown is kept in a conflict.

A deleted row stays deleted: an edit of it is kept in a conflict. A delete that had not seen another's edit is held as a
conflict, and the row stays. An undelete that had not seen the last delete brings the row back, and that is kept so.

An author has seen what stood in the row at the op's base, unless work that still waited lay on top of it and `was` says
so, and what the same copy of the same device did before. Other copies have not, nor has recovered work.

What a restored server lost comes once more, in any order. By the numbers that the lost history gave, an author has seen
what the base covers; what was replaced knowingly does not come back; a delete is not held by what came after it.

An author who takes an edit back before hearing that it met another's has written nothing: the other's value stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from sync.protocol import histories
from sync.protocol.errors import Outcome, Rejection
from sync.protocol.fields import Merge, notes_room
from sync.protocol.ids import CONFLICT_BYTES, OpId
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.kinds.pairs import JOINED
from sync.protocol.ops import Act, Op
from sync.protocol.rules import join_notes, wins

OPEN: Final = "open"
KEPT: Final = "kept"  # somebody chose what stands
SWAPPED: Final = "swapped"  # somebody chose the other value, which stands since
SETTLED: Final = "settled"  # its author took the edit back before hearing of it
WHOLE_RECORD = ""  # the cell name of a conflict about the record itself (a held delete)
DELETED = "deleted"  # what such a conflict keeps
NOBODY = b""  # the device of a mark whose value has more than one author


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """Who wrote a cell last: sequence, clock, device and the person's e-mail.

    `incarnation` tells copies of one device apart; `source` is device and incarnation that recovered work came from.
    `was` is its number in a history that the server has lost, and `base` what its author had seen there. `own` is the
    stamp that the device gave, where its clock was too far ahead to be followed.
    """

    ver: int
    hlc: int
    device: bytes
    person: str
    incarnation: bytes = b""
    source: bytes = b""
    was: int = 0
    base: int = 0
    own: int = 0


_NEVER: Final = Mark(0, 0, NOBODY, "")
_NOBODYS: Final = {"device": NOBODY, "incarnation": b"", "source": b"", "was": 0, "base": 0, "own": 0}


@dataclass(frozen=True, slots=True)
class Row:
    """A record on the server: its cells, and a mark for each cell ever written (emptied ones too)."""

    kind: str
    id: bytes
    ver: int
    cells: Mapping[str, Any]
    marks: Mapping[str, Mark]
    deleted: bool = False


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """Two edits that met: `shown` stands in the row, `kept` is the other one, restorable until settled.

    Of one that is not open, `settled_by` and `settled_hlc` say who ended it, and when.
    """

    id: bytes
    kind: str
    record: bytes
    cell: str
    base: Any = None
    shown: Any = None
    shown_by: str = ""
    shown_hlc: int = 0
    kept: Any = None
    kept_by: str = ""
    kept_hlc: int = 0
    ver: int = 0
    state: str = OPEN
    settled_by: str = ""
    settled_hlc: int = 0


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of an op: the outcome, the row after it (None when there is none) and the conflicts it made.

    `settled` are conflicts that were there and have another state now. `differs` says that the author's device does
    not hold this row yet and must be sent it.
    """

    outcome: Outcome
    row: Row | None
    conflicts: tuple[Conflict, ...] = ()
    code: Rejection | None = None
    differs: bool = False
    changed: bool = False
    settled: tuple[Conflict, ...] = ()


@dataclass(slots=True)
class _Meeting:
    """The state while one op is laid on one row."""

    op: Op
    op_id: OpId
    mark: Mark
    kind: Kind | None
    cells: dict[str, Any]
    marks: dict[str, Mark]
    conflicts: list[Conflict] = field(default_factory=list)
    closing: Collection[str] = ()
    met: Sequence[Conflict] = ()
    reach: int = 0
    settled: list[Conflict] = field(default_factory=list)
    changed: bool = False
    overruled: bool = False

    def taken_back(self, cell: str, value: Any) -> Conflict | None:
        """The open conflict of this author's own edit, not told of yet, that `value` takes back; the newest."""
        was, author = DELETED if cell == WHOLE_RECORD else self.op.was.get(cell), self.mark.person
        for each in reversed(self.met):
            if each.cell != cell or each.base != value or each.ver <= self.reach:
                continue
            stands = each.shown_by == author and each.shown == was and self.seen(self.marks.get(cell, _NEVER))
            if stands or (each.kept_by == author and each.kept == was):
                return each
        return None

    def settle(self, conflict: Conflict) -> None:
        """Nothing of it is left to choose."""
        self.settled.append(ended(conflict, SETTLED, self.mark))
        self.met = [each for each in self.met if each is not conflict]
        self.overruled = True

    def seen(self, mark: Mark, *, covered: bool = False) -> bool:
        """Whether the op's author had seen the write that left this mark; `covered`: something lay on top of it."""
        known = mark.ver <= self.reach or (mark.was and histories.covers(self.op.base, mark.was))
        if known and not covered:
            return True
        if self.mark.source and mark.device + mark.incarnation == self.mark.source:
            return True
        if (mark.device, mark.incarnation) != (self.mark.device, self.mark.incarnation):
            return False
        if self.mark.source != mark.source:
            # What is edited here lies on top of recovered work that came here; that work knew nothing of this device.
            return self.mark.source == b""
        if covered and mark.base and not mark.was:
            return False  # an open conflict alone had kept it in the lost history: it was not on this screen
        # What was refused and is sent again comes behind what was written after it, and knew nothing of that.
        return (mark.own or mark.hlc) <= (self.mark.own or self.mark.hlc)

    def replaced(self, mark: Mark | None) -> bool:
        """Whether this op is sent once more, and the mark's author had seen it when they wrote what stands there."""
        return mark is not None and self.op.ver > 0 and histories.covers(mark.base, self.op.ver)

    def keep_replaced(self, cell: str, *, shown: Any, shown_mark: Mark, kept: Any) -> None:
        """Nobody is asked once more, but that its author had seen what it replaced is its device's word alone."""
        self.keep(cell, shown=shown, shown_mark=shown_mark, kept=kept, kept_mark=self.mark)
        self.conflicts[-1] = msgspec.structs.replace(
            self.conflicts[-1], state=KEPT, settled_by=shown_mark.person, settled_hlc=shown_mark.hlc
        )

    def take(self, cell: str, value: Any) -> None:
        mark, below = self.mark, self.marks.get(cell, _NEVER)
        if (
            below.base
            and not below.was
            and self.op.was.get(cell) == self.cells.get(cell)
            and self.seen(below)
        ):
            # Own work lay there that the lost history had not laid on the record: what did stand was not on the screen.
            mark = msgspec.structs.replace(mark, base=min(mark.base, below.base))
        if value is None:
            self.cells.pop(cell, None)
        else:
            self.cells[cell] = value
        self.marks[cell] = mark
        self.changed = True

    def keep(self, cell: str, *, shown: Any, shown_mark: Mark, kept: Any, kept_mark: Mark) -> None:
        self.conflicts.append(between(
            self.op, self.op_id, cell, ver=self.mark.ver,
            shown=shown, shown_mark=shown_mark, kept=kept, kept_mark=kept_mark,
        ))  # fmt: skip


def between(
    op: Op, op_id: OpId, cell: str, *, ver: int, shown: Any, shown_mark: Mark, kept: Any, kept_mark: Mark
) -> Conflict:
    """The conflict that an op makes in a cell: what stands, by whom, and what is kept beside it."""
    return Conflict(
        id=conflict_id(op_id, cell),
        kind=op.kind,
        record=op.id,
        cell=cell,
        base=op.was.get(cell),
        shown=shown,
        shown_by=shown_mark.person,
        shown_hlc=shown_mark.hlc,
        kept=kept,
        kept_by=kept_mark.person,
        kept_hlc=kept_mark.hlc,
        ver=ver,
    )


def ended(conflict: Conflict, state: str, mark: Mark) -> Conflict:
    """A conflict that the author of this mark has brought to an end, or opened again."""
    by, hlc = ("", 0) if state == OPEN else (mark.person, mark.hlc)
    return msgspec.structs.replace(conflict, state=state, ver=mark.ver, settled_by=by, settled_hlc=hlc)


def conflict_id(op_id: OpId, cell: str) -> bytes:
    """The same op meets the same cell once: 16 bytes drawn from both, so a repeat makes no second conflict."""
    text = op_id.device + op_id.incarnation + op_id.n.to_bytes(8, "big") + cell.encode()
    return hashlib.sha256(b"fieldkeep-conflict/v1" + text).digest()[:CONFLICT_BYTES]


def _mark(op: Op, op_id: OpId, seq: int, person: str, own: int) -> Mark:
    source = op.origin[0] + op.origin[1] if op.origin else b""
    base = 0 if histories.same(op.base, seq) else op.base
    own = own if own > op.hlc else 0
    return Mark(seq, op.hlc, op_id.device, person, op_id.incarnation, source, op.ver, base, own)


def apply(
    row: Row | None,
    op: Op,
    op_id: OpId,
    *,
    seq: int,
    person: str,
    closing: Collection[str] = (),
    met: Sequence[Conflict] = (),
    reach: int | None = None,
    own: int = 0,
) -> Merged:
    """Lay `op` on `row` under number `seq`. `op.hlc` is clamped (`own` is as it came), its cells are checked.

    `reach` is the number of this history up to which its author had seen it, where `op.base` is of another one
    (histories.reach). `closing` names cells whose new value would make the record part of itself by way of others.
    `met` are the record's open conflicts, the oldest first.
    """
    mark = _mark(op, op_id, seq, person, own)
    if row is None:
        return _add(op, op_id, mark, closing)
    if row.kind != op.kind:
        return Merged(Outcome.REJECTED, row, code=Rejection.INVALID)
    cells, marks = dict(row.cells), dict(row.marks)
    meeting = _Meeting(
        op, op_id, mark, KINDS.get(op.kind), cells, marks,
        closing=closing, met=met, reach=op.base if reach is None else reach,
    )  # fmt: skip
    back = row.deleted and op.act is Act.UNDELETE
    unseen, lost = any(not meeting.seen(each) for each in row.marks.values()), bool(mark.base or mark.was)
    if op.act is Act.DELETE:
        return _delete(row, meeting, unseen=unseen)
    if back:
        last = row.marks.get(WHOLE_RECORD)
        if last is not None and not meeting.seen(last):
            meeting.keep(WHOLE_RECORD, shown=None, shown_mark=mark, kept=DELETED, kept_mark=last)
        row = replace(row, deleted=False)
        meeting.marks[WHOLE_RECORD] = mark
        meeting.changed = True
    elif op.act is Act.UNDELETE and (mine := meeting.taken_back(WHOLE_RECORD, None)) is not None:
        meeting.settle(mine)
    elif op.act is Act.UNDELETE and op.ver:
        # The delete that it took back may come later.
        meeting.marks[WHOLE_RECORD] = mark
        meeting.changed = True
    for cell, value in op.set.items():
        _lay_cell(row, meeting, cell, value)
    asks = any(each.state == OPEN for each in meeting.conflicts)
    outcome = Outcome.CONFLICT if asks else Outcome.MERGED if unseen else Outcome.OK
    # A device that came after the delete, or has read a restored server, holds nothing of what its author had seen.
    differs = unseen or meeting.overruled or back or row.deleted or lost
    made, settled = tuple(meeting.conflicts), tuple(meeting.settled)
    if not meeting.changed:
        return Merged(outcome, row, made, differs=differs, settled=settled)
    after = Row(row.kind, row.id, seq, meeting.cells, meeting.marks, row.deleted)
    return Merged(outcome, after, made, differs=differs, changed=True, settled=settled)


def _add(op: Op, op_id: OpId, mark: Mark, closing: Collection[str]) -> Merged:
    """An op on a record that is not there."""
    if op.act is not Act.ADD:
        return Merged(Outcome.REJECTED, None, code=Rejection.GONE)
    cells = {c: value for c, value in op.set.items() if value is not None and c not in closing}
    fresh = Row(op.kind, op.id, mark.ver, cells, dict.fromkeys(op.set, mark))
    new = _Meeting(op, op_id, mark, KINDS.get(op.kind), cells, {})
    for cell in closing:
        new.keep(cell, shown=None, shown_mark=_NEVER, kept=op.set[cell], kept_mark=mark)
    outcome = Outcome.CONFLICT if new.conflicts else Outcome.OK
    return Merged(outcome, fresh, tuple(new.conflicts), differs=bool(closing), changed=True)


def _delete(row: Row, meeting: _Meeting, *, unseen: bool) -> Merged:
    replaced = meeting.replaced(row.marks.get(WHOLE_RECORD))
    if row.deleted or replaced:
        return Merged(Outcome.OK, row, differs=replaced)
    others = {cell: each for cell, each in row.marks.items() if not meeting.seen(each)}
    ver = meeting.op.ver
    if others and ver and all(ver < m.was and histories.same(ver, m.was) for m in others.values()):
        for cell, each in others.items():
            if cell in row.cells:
                meeting.keep(cell, shown=None, shown_mark=meeting.mark, kept=row.cells[cell], kept_mark=each)
    elif unseen:
        foreign = max(others.values(), key=lambda m: (m.ver, m.hlc))
        meeting.keep(WHOLE_RECORD, shown=None, shown_mark=foreign, kept=DELETED, kept_mark=meeting.mark)
        return Merged(Outcome.CONFLICT, row, tuple(meeting.conflicts), differs=True)
    marks = {**row.marks, WHOLE_RECORD: meeting.mark}
    gone = Row(row.kind, row.id, meeting.mark.ver, row.cells, marks, deleted=True)
    outcome = Outcome.CONFLICT if meeting.conflicts else Outcome.OK
    return Merged(outcome, gone, tuple(meeting.conflicts), changed=True)


def _lay_cell(row: Row, meeting: _Meeting, cell: str, value: Any) -> None:
    there = row.cells.get(cell)
    if (mine := meeting.taken_back(cell, value)) is not None:
        _take_back(meeting, mine)
        return
    before = row.marks.get(cell)
    if value == there:
        if value and not row.deleted and before is not None and cell.startswith(JOINED):
            meeting.take(cell, value)  # who takes the first join back has not seen this one
        return
    if before is not None and meeting.replaced(before):
        meeting.overruled = True
        meeting.keep_replaced(cell, shown=there, shown_mark=before, kept=value)
        return
    if row.deleted:
        gone = row.marks.get(WHOLE_RECORD, meeting.mark)
        if not meeting.replaced(gone):
            meeting.keep(cell, shown=None, shown_mark=gone, kept=value, kept_mark=meeting.mark)
            return
        # Who deleted it had seen it there: it goes with the record, and comes back with it, unless that is forgotten.
        if row.marks.keys() == {WHOLE_RECORD}:
            meeting.keep_replaced(cell, shown=None, shown_mark=gone, kept=value)
            return
    if cell in meeting.closing:
        meeting.overruled = True
        meeting.keep(cell, shown=there, shown_mark=before or _NEVER, kept=value, kept_mark=meeting.mark)
        return
    was = meeting.op.was.get(cell, there)
    own = before is not None and before.device == NOBODY and before.person == meeting.mark.person
    if before is None or meeting.seen(before, covered=was != there) or (own and was == there):
        meeting.take(cell, value)
        return
    rule = meeting.kind.rule(cell) if meeting.kind else Merge.LATEST
    joined = join_notes(meeting.op.was.get(cell), there, value) if rule is Merge.NOTES else ""
    if joined and len(joined) <= notes_room(joined):
        meeting.overruled = True
        if joined == there:
            return
        meeting.take(cell, joined)
        # Neither author has seen the whole of it: the next edit of either is joined as well.
        meeting.marks[cell] = msgspec.structs.replace(meeting.mark, **_NOBODYS)
        return
    later = (meeting.mark.hlc, meeting.mark.device) > (before.hlc, before.device)
    if wins(rule, meeting.kind, cell, there, value, later=later):
        meeting.take(cell, value)
        meeting.keep(cell, shown=value, shown_mark=meeting.mark, kept=there, kept_mark=before)
    else:
        meeting.overruled = True
        meeting.keep(cell, shown=there, shown_mark=before, kept=value, kept_mark=meeting.mark)


def _take_back(meeting: _Meeting, mine: Conflict) -> None:
    """As if the edit had not been: what it met stands again, as its own author's."""
    meeting.settle(mine)
    if mine.shown_by != meeting.mark.person or mine.shown != meeting.op.was.get(mine.cell):
        return  # the other's value never went
    meeting.take(mine.cell, mine.kept)
    # Who takes it back has not seen it, and on which device it was written is not known any more.
    nobodys = msgspec.structs.replace(meeting.mark, hlc=mine.kept_hlc, person=mine.kept_by, **_NOBODYS)
    meeting.marks[mine.cell] = nobodys
