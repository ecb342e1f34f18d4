"""What is hidden from this device's person though the record is here, and what goes when that becomes more.

The cursor says up to which care class the server shows. What needs more holds a mask or nothing: it is hidden, and
never empty. Rows are mended by the server, which sends each once more; here goes what lies beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from app.store import chosen, indexing, rows
from app.store.db import Database
from app.store.outbox import op_of
from app.store.reader import Reader
from app.store.schema import Shape
from sync.protocol.codec import pack, unpack
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import Care
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.merge import WHOLE_RECORD, Conflict
from sync.protocol.messages import Cursor
from sync.protocol.ops import Op
from sync.protocol.texts import gettext as _


class HiddenField(FieldProblem):
    """A field that is hidden here was to be written or asked about; `label` is what people call it."""

    def __init__(self, field: str, title: str, hint: str = "", *, label: str = "") -> None:
        super().__init__(field, title, hint)
        self.label = label


def hidden(store: Reader, kind: Kind) -> frozenset[str]:
    """Names of the fields of a kind that are hidden here."""
    return kind.hidden(store.here().cursor.care)


def refuse_hidden(kind: Kind, names: Iterable[str], care: int, said: str = "") -> None:
    """Stop what would write into a field that is hidden here: the server would not take it. Raises FieldProblem.

    `said` is the sentence for what else is not to be done with such a {field}.
    """
    out_of_sight = kind.hidden(care)
    for name in names:
        if name in out_of_sight:
            said = said or _("{field} is hidden on this device and cannot be changed.")
            label = _(kind.by_name[name].label)
            raise HiddenField(name, said.format(field=label), _("Ask IT if you should see it."), label=label)


def sets_hidden(op: Op, care: int) -> bool:
    """Whether an op writes what is hidden here."""
    return care < Care.RESTRICTED and not all(_shows(op.kind, cell, care) for cell in op.set)


def seen_part(op: Op, care: int) -> Op:
    """An op without what it writes that is hidden here."""
    if not sets_hidden(op, care):
        return op
    return msgspec.structs.replace(op, set=seen_cells(op.kind, op.set, care))


def seen_cells(kind: str, cells: Mapping[str, Any], care: int) -> dict[str, Any]:
    """Cells without those that are hidden here, their masks too."""
    return {cell: value for cell, value in cells.items() if _shows(kind, cell, care)}


def gone_through(before: Cursor, after: Cursor) -> bool:
    """Whether the last of what became hidden has just gone: all was gone through under rights that hide something."""
    return after.care < Care.RESTRICTED and after.scopes > 0 and after.scopes != before.scopes


def forget_hidden(db: Database, care: int) -> None:
    """Take away what lies beside the rows of what is hidden from now on: conflicts about it, and words of ops on it
    that were refused or taken. Waiting ops go once the server has them. In a transaction.
    """
    for table in ("conflict", chosen.TABLE):
        bodies = (body for (body,) in db.all(f"SELECT body FROM {table}"))
        found = [msgspec.msgpack.decode(body, type=Conflict) for body in bodies]
        dropped = [(each.id,) for each in found if not _shows(each.kind, each.cell, care)]
        db.executemany(f"DELETE FROM {table} WHERE id = ?", dropped)
    for table, sets in (("attention", "op = NULL"), ("op_archive", "gone = 1")):
        kept = db.all(f"SELECT incarnation, n, op FROM {table} WHERE op IS NOT NULL")
        ops = [(incarnation, n) for incarnation, n, op in kept if sets_hidden(op_of(op), care)]
        db.executemany(f"UPDATE {table} SET {sets} WHERE incarnation = ? AND n = ?", ops)


def refused_about(db: Database, care: int) -> int:
    """How many refused ops write what is hidden from this class of care on."""
    kept = db.all("SELECT op FROM attention WHERE op IS NOT NULL")
    return sum(sets_hidden(op_of(op), care) for (op,) in kept)


def taken_about(db: Database, care: int) -> int:
    """The same of taken ones."""
    return sum(sets_hidden(op_of(op), care) for (op,) in db.all("SELECT op FROM op_archive"))


def strip_deleted(db: Database, shapes: Iterable[Shape], care: int) -> None:
    """Deleted records keep what they held, and the server sends none of it again: what is hidden goes, here."""
    for shape in shapes:
        hidden = shape.kind.hidden(care)
        columns = [
            f'"{f.name}{suffix}"'
            for f in shape.kind.fields
            if f.name in hidden
            for suffix, _sql in f.type.sql
        ]
        sets = [*(f"{column} = NULL" for column in columns), "_ext = NULL"]
        if shape.kind.title in hidden:
            sets.append("_key = ''")
        db.execute(f'UPDATE "{shape.table}" SET {", ".join(sets)} WHERE _deleted = 1')
    for id_, kind, cells in db.all("SELECT id, kind, cells FROM base WHERE deleted = 1"):
        db.execute(
            "UPDATE base SET cells = ? WHERE id = ?", (pack(seen_cells(kind, unpack(cells), care)), id_)
        )


def purge(db: Database, shapes: Iterable[Shape]) -> None:
    """Have no word stay in the search indexes that no row has any more, and no group in the totals."""
    for shape in shapes:
        rows.purge_words(db, shape)
        indexing.drop_old(db, shape)
        for tally in shape.tallies:
            tally.purge(db)


def _shows(kind: str, cell: str, care: int) -> bool:
    known = KINDS.get(kind)
    if cell == WHOLE_RECORD:
        return True
    return known.shows(cell, care) if known is not None else care >= Care.RESTRICTED
