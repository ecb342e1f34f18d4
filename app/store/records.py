"""Reads and writes a record of any kind: every act is one transaction of row, outbox, search words and seal."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from app.errors import AppError, NotFound
from app.store import outbox, rows
from app.store.reader import Reader
from app.store.schema import Shape, Stored
from app.store.sight import refuse_hidden
from app.store.store import Store, Writing
from sync.protocol.fields import Several, Value
from sync.protocol.ids import id_text, new_record_id
from sync.protocol.kinds import Kind
from sync.protocol.kinds.circle import refuse_circle
from sync.protocol.ops import Act, Op, lay
from sync.protocol.quiet import Quiet
from sync.protocol.texts import gettext as _

GATHERED: Final = 2_000  # rows that a batch writes in one go


class Record(Quiet, frozen=True):
    """A record as it is shown: the server's row with what still waits laid on top.

    `ver` is the server's version below it, 0 while the server does not know the record; `waiting` says that ops
    on it are unsent, `conflicts` counts those that are open; `changed_ms` is UTC milliseconds.
    """

    kind: Kind
    id: bytes
    ver: int
    values: dict[str, Value]
    deleted: bool = False
    waiting: bool = False
    conflicts: int = 0
    changed_ms: int = 0
    changed_by: str = ""
    title: str = ""

    def __repr__(self) -> str:
        """What may stand in a log: the kind and the id."""
        return f"<{self.kind.name} {id_text(self.id)}>"


def record_of(shape: Shape, stored: Stored) -> Record:
    """A row as a record."""
    return Record(
        shape.kind, stored.id, stored.ver, stored.values, stored.deleted, stored.waiting > 0, stored.conflicts,
        stored.changed_ms, stored.changed_by, shape.title(stored.values),
    )  # fmt: skip


def get(store: Reader, id_: bytes) -> Record:
    """The record of that id, of whatever kind; a deleted one too. Raises NotFound."""
    shape, stored = find_row(store, id_)
    return record_of(shape, stored)


def find_row(store: Reader, id_: bytes) -> tuple[Shape, Stored]:
    """The row of that id and its kind's shape. Raises NotFound."""
    for shape in store.shapes.values():
        row = store.db.first(f"{shape.select} WHERE _id = ?", (id_,))
        if row is not None:
            return shape, shape.stored(row)
    raise NotFound(_("There is no such record on this device."), _("Check the id, or sync and try again."))


class Batch:
    """Many acts that are kept or dropped together: one transaction.

    Rows are gathered and written some thousand at a time, so what a batch has done is read through the batch alone
    until its transaction ends.
    """

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._rows: dict[bytes, tuple[Shape, Stored]] = {}  # as they stand here, with what is not written yet
        self._before: dict[bytes, Stored | None] = {}  # what is not written yet, as the table has it
        self._taken: set[bytes] = set()  # ids that were given to new records: nobody has looked yet
        self._bases: list[outbox.Base] = []
        self._laid = 0
        writing.at_end(self.flush)

    def add(
        self,
        kind: Kind,
        values: Mapping[str, Value],
        *,
        id: bytes | None = None,  # noqa: A002
        begun: bool = False,
    ) -> Record:
        """Make a record. Raises FieldProblem; AppError when the id is taken, which the end of the batch may tell.

        `begun` was typed before something became hidden here: it goes out, and the server keeps what it refuses.
        """
        writing = self._writing
        shape = writing.store.shapes[kind.name]
        given = {name: value for name, value in values.items() if value is not None}
        hidden = kind.hidden(writing.care)
        if not begun:
            refuse_hidden(kind, (field.name for field in kind.fields if field.required), writing.care)
        for field in kind.fields:
            if field.default is not None and field.name not in hidden:
                given.setdefault(field.name, field.default)
        if "owner" in kind.by_name and "owner" not in hidden:
            given.setdefault("owner", writing.person)
        checked = {k: v for k, v in kind.check(given, whole=True).items() if v is not None}
        if not begun:
            refuse_hidden(kind, checked, writing.care)
        if id is None:
            id_ = bytes(new_record_id(writing.now_ms))
        elif id in self._before:
            raise _is_taken()
        else:
            refuse_circle(kind, id, checked, self._values)
            id_ = id
            self._taken.add(id)
        writing.op(kind.name, id_, Act.ADD, cells=kind.cells(checked))
        after = Stored(id_, waiting=1, changed_ms=writing.now_ms, changed_by=writing.person, values=checked)
        self._put(shape, None, after)
        return record_of(shape, after)

    def edit(self, id: bytes, values: Mapping[str, Value], *, begun: bool = False) -> Record:  # noqa: A002
        """Set fields (None empties one); nothing is written when nothing changes. `begun` is as with `add`.

        Raises NotFound, FieldProblem; AppError when the record is deleted.
        """
        shape, before = self.row(id)
        if before.deleted:
            raise AppError(_("This record is deleted."), _("Take it back with “undelete” first."))
        kind = shape.kind
        checked = kind.check(_with_element_ids(kind, before.values, values))
        cells = shape.cells(before)
        changed = kind.changes(cells, checked)
        if not changed:
            return record_of(shape, before)
        if not begun:
            refuse_hidden(kind, {cell.partition("/")[0] for cell in changed}, self._writing.care)
        # What stays as it is is not looked at: an older circle shall not stand in the way of another field.
        refuse_circle(kind, id, {name: checked.get(name) for name in changed}, self._values)
        was = {cell: cells.get(cell) for cell in changed}
        op = self._writing.op(kind.name, id, Act.SET, base=before.ver, cells=changed, was=was)
        return self._lay(shape, before, cells, op)

    def delete(self, id: bytes) -> Record:  # noqa: A002
        """Delete a record; a deleted one stays as it is. Raises NotFound."""
        return self._turn(id, Act.DELETE)

    def undelete(self, id: bytes) -> Record:  # noqa: A002
        """Take a deleted record back; a kept one stays as it is. Raises NotFound.

        One of which this device never held more than that it was deleted stays so until the server sends it.
        """
        return self._turn(id, Act.UNDELETE)

    def settle(
        self,
        id: bytes,  # noqa: A002
        act: Act,
        cells: Mapping[str, Any],
        settles: Mapping[bytes, str],
        *,
        open_ones: int,
    ) -> Record:
        """One op that also says what was chosen of conflicts of the record, of which `open_ones` are left open.

        Raises NotFound, FieldProblem.
        """
        shape, before = self.row(id)
        here = shape.cells(before)
        changed = {cell: value for cell, value in cells.items() if here.get(cell) != value}
        refuse_circle(shape.kind, id, shape.kind.values(changed), self._values)
        # Of a deleted record the server sends no cells: what was written last may not have been seen here.
        was = {cell: here.get(cell) for cell in cells}
        op = self._writing.op(
            shape.kind.name, id, act, base=before.ver, cells=cells, was=was, settles=settles
        )
        return self._lay(shape, before, here, op, conflicts=open_ones)

    def put_cells(self, id: bytes, cells: Mapping[str, Any], *, always: str = "") -> Record:  # noqa: A002
        """Set cells as they are, those of no field too; what stands already is left, but for the one named in `always`.

        Raises NotFound, FieldProblem.
        """
        shape, before = self.row(id)
        here = shape.cells(before)
        changed = {c: value for c, value in cells.items() if here.get(c) != value or c == always}
        if not changed:
            return record_of(shape, before)
        refuse_hidden(shape.kind, {c.partition("/")[0] for c in changed}, self._writing.care)
        refuse_circle(shape.kind, id, shape.kind.values(changed), self._values)
        was = {cell: here.get(cell) for cell in changed}
        op = self._writing.op(shape.kind.name, id, Act.SET, base=before.ver, cells=changed, was=was)
        return self._lay(shape, before, here, op)

    def row(self, id: bytes) -> tuple[Shape, Stored]:  # noqa: A002
        """A row as this batch leaves it so far, and its kind's shape. Raises NotFound."""
        found = self._rows.get(id)
        return found if found is not None else find_row(self._writing.store, id)

    def _values(self, id_: bytes) -> Mapping[str, Value] | None:
        """The values of a row, None when it is not here; kept in mind, since many records have one above them."""
        try:
            found = self.row(id_)
        except NotFound:
            return None
        self._rows.setdefault(id_, found)
        return found[1].values

    def one_act(self) -> contextlib.AbstractContextManager[None]:
        """What is done in this block is one act: the server takes it together."""
        return self._writing.one_act()

    def know(self, shape: Shape, stored: Iterable[Stored]) -> None:
        """Rows that were read in one go and are acted on next; what was changed here is known better."""
        for each in stored:
            self._rows.setdefault(each.id, (shape, each))

    def flush(self) -> None:
        """Write what was gathered. Raises AppError when an id that was given to a new record is taken."""
        db = self._writing.db
        changes: dict[str, list[rows.Change]] = {}
        for id_, before in self._before.items():
            shape, after = self._rows.pop(id_)
            changes.setdefault(shape.kind.name, []).append((before, after))
        for kind, some in changes.items():
            shape = self._writing.store.shapes[kind]
            new = [after.id for before, after in some if before is None and after and after.id in self._taken]
            if rows.there(db, shape, new):
                raise _is_taken()
            rows.write(db, shape, some)
        outbox.keep_bases(db, self._bases)
        self._before, self._taken, self._bases = {}, set(), []
        self._laid = self._writing.laid

    def _turn(self, id_: bytes, act: Act) -> Record:
        shape, before = self.row(id_)
        # Nothing but an undelete can wait where nothing more is known than that it was deleted.
        asked = before.deleted and before.waiting and not before.values
        if before.deleted is (act is Act.DELETE) or asked:
            return record_of(shape, before)
        op = self._writing.op(shape.kind.name, id_, act, base=before.ver)
        return self._lay(shape, before, shape.cells(before), op)

    def _lay(
        self, shape: Shape, before: Stored, cells: dict[str, Any], op: Op, *, conflicts: int | None = None
    ) -> Record:
        """The row with one more op on top; the server's row is kept below the first one."""
        writing = self._writing
        if before.ver > 0 and before.waiting == 0:
            self._bases.append(outbox.base(before.id, shape.kind.name, before.ver, before.deleted, cells))
        laid, deleted = lay(cells, before.deleted, [op])
        values, ext = shape.split(laid)
        after = replace(
            before, deleted=deleted, waiting=before.waiting + 1, changed_ms=writing.now_ms,
            changed_by=writing.person, values=values, ext=ext,
        )  # fmt: skip
        if conflicts is not None:
            after = replace(after, conflicts=conflicts)
            if (laid, deleted) == (
                cells,
                before.deleted,
            ):  # what stands was chosen: nobody has changed the record
                after = replace(after, changed_ms=before.changed_ms, changed_by=before.changed_by)
        self._put(shape, before, after)
        return record_of(shape, after)

    def _put(self, shape: Shape, before: Stored | None, after: Stored) -> None:
        self._before.setdefault(after.id, before)
        self._rows[after.id] = (shape, after)
        if len(self._before) >= GATHERED or self._writing.laid != self._laid:
            self.flush()


@contextlib.contextmanager
def batch(store: Store) -> Iterator[Batch]:
    """A batch of acts; nothing of it stays when the block raises."""
    with store.writing() as writing:
        yield Batch(writing)


def add(
    store: Store,
    kind: Kind,
    values: Mapping[str, Value],
    *,
    id: bytes | None = None,  # noqa: A002
    begun: bool = False,
) -> Record:
    """Make a record: empty fields get their default, the owner is this device's person unless one is given.

    Raises FieldProblem, NoSpace; AppError when the id is taken.
    """
    with batch(store) as one:
        return one.add(kind, values, id=id, begun=begun)


def edit(store: Store, id: bytes, values: Mapping[str, Value], *, begun: bool = False) -> Record:  # noqa: A002
    """Set fields (None empties one); nothing is written when nothing changes.

    Raises NotFound, FieldProblem, NoSpace; AppError when the record is deleted.
    """
    with batch(store) as one:
        return one.edit(id, values, begun=begun)


def delete(store: Store, id: bytes) -> Record:  # noqa: A002
    """Delete a record; a deleted one stays as it is. Raises NotFound, NoSpace."""
    with batch(store) as one:
        return one.delete(id)


def undelete(store: Store, id: bytes) -> Record:  # noqa: A002
    """Take a deleted record back; a kept one stays as it is. Raises NotFound, NoSpace."""
    with batch(store) as one:
        return one.undelete(id)


def _is_taken() -> AppError:
    return AppError(_("A record with this id is here already."))


def _with_element_ids(
    kind: Kind, before: Mapping[str, Value], values: Mapping[str, Value]
) -> dict[str, Value]:
    """New values, in which an element that was there already keeps its id: the same phone is no new phone."""
    given = dict(values)
    for name, value in values.items():
        field = kind.field(name)
        if not isinstance(field.type, Several) or not isinstance(value, list):
            continue
        free = {element["value"]: element["id"] for element in reversed(before.get(field.name) or [])}
        used = {item["id"] for item in value if isinstance(item, Mapping) and item.get("id")}
        elements = []
        for item in value:
            element = {"value": item} if isinstance(item, str) else item
            if isinstance(element, Mapping) and not element.get("id"):
                known = free.pop(element.get("value"), None)
                if known is not None and known not in used:
                    element = {**element, "id": known}
            elements.append(element)
        given[name] = elements
    return given
