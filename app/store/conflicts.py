"""What waits for a person's eye: edits that met, and edits that the server did not take.

A refused edit stays here until its author makes it again or lets it go; nothing else ends it, and nothing sends it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from app.errors import NotFound
from app.store import chosen, joined, lists, outbox, records
from app.store.reader import Reader
from app.store.records import Batch
from app.store.rows import marks
from app.store.store import Store
from sync.protocol import clock
from sync.protocol.fields import Value
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.merge import DELETED, WHOLE_RECORD, Conflict
from sync.protocol.ops import Act, Op, lay
from sync.protocol.quiet import Quiet
from sync.protocol.texts import gettext as _

# Which refused op: incarnation and number.
Name = tuple[bytes, int]


class OpenConflict(Quiet, frozen=True):
    """A conflict that nobody has settled, with the record's title ("" when the record is not here).

    `present` is what the cell holds now, None when it is empty or the record is `deleted`; of a conflict about the
    whole record it is DELETED or None. `moved` says that this is not what stood there when the edits met: then
    `present_by` and `present_ms` (UTC) tell who changed the record last and when, else whose value it is.
    """

    conflict: Conflict
    title: str
    present: Any
    present_by: str
    present_ms: int
    moved: bool = False
    deleted: bool = False
    remains: bytes = b""  # into which the record was joined, where it is deleted
    remains_title: str = ""
    chosen_first: bool = (
        False  # both sides are choices about an earlier conflict: that of `shown_by` came first
    )

    @property
    def called(self) -> str:
        """The record in a heading, never "": one that was deleted before this device knew it is here without a name."""
        if self.title or self.remains_title:
            return self.title or self.remains_title
        kind = KINDS.get(self.conflict.kind)
        if self.deleted and kind is not None:
            return _("{kind}, deleted").format(kind=_(kind.label))
        return _("Without a name")

    @property
    def gone_then(self) -> bool:
        """Whether nothing stood there when they met though it was filled before: emptied, or the record was deleted."""
        conflict = self.conflict
        return conflict.cell != WHOLE_RECORD and conflict.shown is None and conflict.base is not None

    @property
    def one_person(self) -> str:
        """Who wrote both values, on two devices; "" when they are two people's."""
        both = {self.conflict.shown_by, self.conflict.kept_by}
        return both.pop() if len(both) == 1 else ""

    @property
    def met_is_kept(self) -> bool:
        """Whether what stood when the edits met is worth a look: not what its own author took back since."""
        back = self.present == self.conflict.base and self.present_by == self.conflict.shown_by
        return self.moved and self.conflict.cell != WHOLE_RECORD and not back and not self.remains


class Attention(Quiet, frozen=True):
    """An op that the server refused: why, when (UTC ms), and the op; None when the record has left this device since.

    `here` says that the record is on this device: it may have come back, and what the op said has not.
    """

    n: int
    incarnation: bytes
    kind: str
    id: bytes
    code: str
    hint: str
    at_ms: int
    op: Op | None
    title: str
    here: bool

    @property
    def name(self) -> Name:
        """What tells it from all others."""
        return self.incarnation, self.n

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields it was to write, in the order of the form."""
        touched = {cell.partition("/")[0] for cell in self.op.set} if self.op is not None else set()
        kind = KINDS.get(self.kind)
        known = [name for name in kind.by_name if name in touched] if kind is not None else []
        return (*known, *sorted(touched.difference(known)))


def open_conflicts(store: Reader, *, record: bytes | None = None, limit: int = -1) -> list[OpenConflict]:
    """Open conflicts, the oldest first, at most so many; of one record when it is named: its own, and those of records
    that were joined into it.
    """
    about = [] if record is None else [record, *joined.joined_into(store, record)]
    only = f" WHERE record IN ({marks(len(about))})" if about else ""
    rows = store.db.all(f"SELECT body FROM conflict{only} ORDER BY ver, id LIMIT ?", (*about, limit))
    found = [msgspec.msgpack.decode(body, type=Conflict) for (body,) in rows]
    settled = chosen.told_of(store, {each.record for each in found})
    return [_with_present(store, each, settled.get(each.record, ())) for each in found]


def _with_present(store: Reader, conflict: Conflict, settled: Iterable[Conflict]) -> OpenConflict:
    """Nobody closes a conflict yet, and the record goes on changing meanwhile: what it holds now is read from it."""
    title = lists.title_of(store, conflict.record) or ""
    then = (conflict.shown_by, clock.millis(conflict.shown_hlc))
    try:
        shape, stored = records.find_row(store, conflict.record)
    except NotFound:
        return OpenConflict(conflict, title, conflict.shown, *then)
    if conflict.cell == WHOLE_RECORD:
        present = DELETED if stored.deleted else None
    else:
        present = None if stored.deleted else shape.cells(stored).get(conflict.cell)
    remains = joined.remains_of(store, conflict.record) if stored.deleted else conflict.record
    if remains != conflict.record:
        return _told_on(store, conflict, title, remains)
    moved = present != conflict.shown
    by, ms = (stored.changed_by, stored.changed_ms) if moved else then
    return OpenConflict(
        conflict, title, present, by, ms, moved, stored.deleted, chosen_first=_chosen_first(conflict, settled)
    )


def _chosen_first(conflict: Conflict, settled: Iterable[Conflict]) -> bool:
    """Whether what stood when they met was somebody's choice about the same thing (docs/merge.md, "Settling");
    `settled` are the conflicts of the record that ended.
    """
    return any(
        conflict.cell in (each.cell, WHOLE_RECORD)
        and (each.settled_by, each.settled_hlc) == (conflict.shown_by, conflict.shown_hlc)
        for each in settled
        if each.settled_hlc and each.id != conflict.id
    )


def _told_on(store: Reader, conflict: Conflict, title: str, remains: bytes) -> OpenConflict:
    """One about a record that was joined into another meanwhile: what stands is what the other one holds."""
    shape, stored = records.find_row(store, remains)
    present = shape.cells(stored).get(conflict.cell)
    then = (stored.changed_by, stored.changed_ms)
    return OpenConflict(
        conflict, title, present, *then, moved=True, remains=remains, remains_title=shape.title(stored.values)
    )


def open_count(store: Reader) -> int:
    """How many open conflicts there are."""
    return int(store.db.one("SELECT count(*) FROM conflict")[0])


def attention(store: Reader, limit: int = -1) -> list[Attention]:
    """Refused ops, the oldest first, at most so many."""
    return [_attention(store, row) for row in store.db.all(f"{_ASKED} ORDER BY at_ms, n LIMIT ?", (limit,))]


def attention_count(store: Reader) -> int:
    """How many refused ops there are."""
    return int(store.db.one("SELECT count(*) FROM attention")[0])


def make_again(store: Store, name: Name) -> bytes:
    """Do what a refused op was to do, as a new act of now; the record's id. Its old entry goes in the same breath.

    Raises NotFound when there is no such op, or nothing left to make it from; FieldProblem, NoSpace; AppError when
    the record is deleted.
    """
    refused = _named(store, name)
    if refused.op is None or (refused.op.act is not Act.ADD and not refused.here):
        raise nothing_left(here=refused.here)
    with records.batch(store) as batch:
        _act(store, batch, refused.op)
        _forget(store, name)
    return refused.id


def let_go(store: Store, name: Name) -> bytes:
    """Give a refused op up on this device; the id of its record. Raises NotFound."""
    refused = _named(store, name)
    with store.writing():
        _forget(store, name)
    return refused.id


def nothing_left(*, here: bool) -> NotFound:
    """A change cannot be made again: its record is not `here`, or what it said has gone with the record, which is here
    again since.
    """
    if here:
        return NotFound(
            _("What you wrote is on the server, and not on this device any more."),
            _("Ask IT to show it to you."),
        )
    return NotFound(
        _("The record is not on this device any more, so the change cannot be made here."),
        _("The server keeps what you wrote; ask IT who has the record now."),
    )


def not_there() -> NotFound:
    """Nothing refused has that name."""
    return NotFound(_("There is no such refused change."), _("See them with: fieldkeep conflicts"))


def _act(store: Store, batch: Batch, op: Op) -> None:
    kind = KINDS[op.kind]
    if op.act is Act.DELETE:
        batch.delete(op.id)
    elif op.act is Act.UNDELETE:
        batch.undelete(op.id)
    elif op.act is Act.ADD and lists.title_of(store, op.id) is None:
        batch.add(kind, kind.values(op.set), id=op.id)
    else:
        batch.edit(op.id, _wanted(kind, records.get(store, op.id).values, op))


def _wanted(kind: Kind, present: dict[str, Value], op: Op) -> dict[str, Value]:
    """The fields as the op leaves them: what it says of one phone touches no other phone."""
    laid, _deleted = lay(kind.cells(present), False, [op])
    values = kind.values(laid)
    touched = {cell.partition("/")[0] for cell in op.set}
    return {name: values.get(name) for name in kind.by_name if name in touched}


def _forget(store: Store, name: Name) -> None:
    store.db.execute("DELETE FROM attention WHERE incarnation = ? AND n = ?", name)


_ASKED = "SELECT n, incarnation, kind, id, code, hint, at_ms, op FROM attention"


def _named(store: Reader, name: Name) -> Attention:
    row = store.db.first(f"{_ASKED} WHERE incarnation = ? AND n = ?", name)
    if row is None:
        raise not_there()
    return _attention(store, row)


def _attention(store: Reader, row: tuple[Any, ...]) -> Attention:
    n, incarnation, kind, id_, code, hint, at_ms, data = row
    op = outbox.op_of(data) if data is not None else None
    title = lists.title_of(store, id_)
    here = title is not None
    if title is None and op is not None and kind in store.shapes:
        shape = store.shapes[kind]
        title = shape.title(shape.split(op.set)[0])
    return Attention(n, incarnation, kind, id_, code, hint, at_ms, op, title or "", here)
