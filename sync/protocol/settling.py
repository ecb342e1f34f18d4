"""How a person's choice between two values that met is merged: one pure function around that of merge.py.

An op says in `settles` what its author chose of which conflict, and does in the same breath what the choice asks for:

| choice | the record | the op |
| --- | --- | --- |
| kept | stands | writes what stands, which changes nothing and tells what was chosen |
| kept | is deleted, or the conflict is about the whole record | writes nothing |
| swapped | stands | writes the other value |
| swapped | is deleted | brings the record back with that value |
| swapped | the conflict is about the whole record | deletes it, or brings it back |
| open | whatever it is | takes back what the choice did |

The first choice that arrives is the one that holds. A second one that says otherwise had not seen it: nothing of it is
laid on the record, and both stand in a conflict of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from sync.protocol import merge
from sync.protocol.errors import Outcome
from sync.protocol.ids import OpId
from sync.protocol.merge import DELETED, KEPT, OPEN, SWAPPED, WHOLE_RECORD, Conflict, Mark, Merged, Row
from sync.protocol.ops import Act, Op


@dataclass(slots=True)
class _Choosing:
    """The state while the choices of one op are looked at; `cells` and `act` are what is left to be laid."""

    row: Row
    op: Op
    op_id: OpId
    mark: Mark
    cells: dict[str, Any]
    act: Act
    made: list[Conflict] = field(default_factory=list)
    settled: list[Conflict] = field(default_factory=list)
    overruled: bool = False

    def dispute(self, conflict: Conflict, cell: str, shown: Any, kept: Any) -> None:
        """Two people chose differently and neither had seen the other's choice: that is a conflict of its own."""
        choice = Mark(conflict.ver, conflict.settled_hlc, merge.NOBODY, conflict.settled_by)
        last = self.row.marks.get(cell, choice)
        # It may have gone on changing after the choice.
        stands = last if last.ver > choice.ver else choice
        made = merge.between(
            self.op, self.op_id, cell, ver=self.mark.ver,
            shown=shown, shown_mark=stands, kept=kept, kept_mark=self.mark,
        )  # fmt: skip
        self.made.append(made)


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
    named: Iterable[Conflict] = (),
) -> Merged:
    """Lay `op` on `row` as `merge.apply` does; `named` are those conflicts of the record that it settles."""
    if row is None or row.kind != op.kind or not op.settles:
        return merge.apply(
            row, op, op_id, seq=seq, person=person, closing=closing, met=met, reach=reach, own=own
        )
    mark = Mark(seq, op.hlc, op_id.device, person, op_id.incarnation)
    choosing = _Choosing(row, op, op_id, mark, dict(op.set), op.act)
    for conflict in named:
        _choose(choosing, conflict, op.settles[conflict.id])
    rest = msgspec.structs.replace(op, act=choosing.act, set=choosing.cells)
    others = [each for each in met if each.id not in op.settles]
    merged = merge.apply(
        row, rest, op_id, seq=seq, person=person, closing=closing, met=others, reach=reach, own=own
    )
    return replace(
        merged,
        outcome=Outcome.CONFLICT if choosing.made else merged.outcome,
        conflicts=(*choosing.made, *merged.conflicts),
        settled=(*choosing.settled, *merged.settled),
        differs=merged.differs or choosing.overruled or bool(choosing.made),
    )


def _choose(choosing: _Choosing, conflict: Conflict, choice: str) -> None:
    if choice == OPEN:
        if conflict.state in (KEPT, SWAPPED) and conflict.settled_by == choosing.mark.person:
            choosing.settled.append(merge.ended(conflict, OPEN, choosing.mark))
        return
    nothing = choice == SWAPPED and conflict.cell not in (WHOLE_RECORD, *choosing.op.set)
    if choice not in (KEPT, SWAPPED) or nothing:
        return  # a newer version's word, or a choice that does not write what it chose
    if conflict.state == OPEN:
        choosing.settled.append(merge.ended(conflict, choice, choosing.mark))
    elif conflict.state in (KEPT, SWAPPED) and conflict.state != choice:
        _dispute(choosing, conflict, choice)
    if choice == KEPT:
        # Who keeps what stands writes nothing, whatever stands there by now: their device is told what that is.
        there = choosing.row.cells.get(conflict.cell)
        choosing.overruled |= choosing.cells.pop(conflict.cell, there) != there


def _dispute(choosing: _Choosing, conflict: Conflict, choice: str) -> None:
    """Keep beside what stands what this author chose, where that is something else."""
    row, cell = choosing.row, conflict.cell
    standing = DELETED if row.deleted else None
    if cell == WHOLE_RECORD:
        chosen = DELETED if (conflict.kept == DELETED) is (choice == SWAPPED) else None
        if chosen != standing:
            choosing.dispute(conflict, WHOLE_RECORD, standing, chosen)
        choosing.act = Act.SET
    elif choice == KEPT and cell not in choosing.cells:
        # Left deleted here, and brought back there.
        if not row.deleted:
            choosing.dispute(conflict, WHOLE_RECORD, None, DELETED)
    else:
        value, there = choosing.cells.pop(cell, None), row.cells.get(cell)
        if value != there or (row.deleted and choosing.act is Act.UNDELETE):
            choosing.dispute(conflict, cell, None if row.deleted else there, value)
        if choosing.act is Act.UNDELETE:
            choosing.act = Act.SET
