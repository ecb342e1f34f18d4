"""A record as the server has it, while a page is laid in, and the row that is shown of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import msgspec

from app.store import sight
from app.store.restored import FIRST
from app.store.schema import Shape, Stored
from sync.protocol import clock, codec
from sync.protocol.messages import Change
from sync.protocol.ops import Act, Op, lay

LEFT: Final = "left"
DELETED: Final = "deleted"


class ServerRow(msgspec.Struct):
    """A record as the server has it, as far as we know; `cells` is None when it has none for us."""

    shape: Shape
    raw: tuple[Any, ...] | None  # its row as it is here
    ver: int = 0
    deleted: bool = False
    known: dict[str, Any] | None = None
    as_stored: bool = False  # its cells are those of the row, read off it when they are asked for
    left: bool = False
    changed_ms: int = 0
    changed_by: str = ""
    pending: list[Op] = msgspec.field(default_factory=list)
    decoded: Stored | None = None

    @property
    def stored(self) -> Stored | None:
        """Its row, read off when it is asked for."""
        if self.decoded is None and self.raw is not None:
            self.decoded = self.shape.stored(self.raw)
        return self.decoded

    @property
    def cells(self) -> dict[str, Any] | None:
        """The server's cells."""
        if self.as_stored and self.stored is not None:
            self.cells = self.shape.cells(self.stored)
        return self.known

    @cells.setter
    def cells(self, cells: dict[str, Any] | None) -> None:
        self.known, self.as_stored = cells, False

    @property
    def is_known(self) -> bool:
        """Whether the server has it."""
        return self.as_stored or self.known is not None

    def take(self, change: Change) -> None:
        """The server's word on the record; an older word than the last one changes nothing."""
        if change.ver < self.ver and not (change.gone == LEFT and change.ver == 0):
            return
        if change.gone == LEFT:
            self.cells, self.left = None, True
            return
        self.left = False
        self.ver = change.ver
        self.deleted = change.gone == DELETED
        if change.cells or not self.is_known or not self.deleted:
            self.cells = codec.unpack(codec.pack(change.cells))  # one call each way, not one for each cell
        if change.hlc:
            self.changed_ms, self.changed_by = clock.millis(change.hlc), change.person

    def bare(self, care: int) -> None:
        """Keep nothing of a deleted record that is hidden: the server sends none of its cells again."""
        if self.deleted and self.cells is not None:
            self.cells = sight.seen_cells(self.shape.kind.name, self.cells, care)

    def lay(self, op: Op, ver: int) -> None:
        """An op of ours that the server took as it was."""
        if op.act is Act.ADD and (self.cells is None or self.ver == FIRST):
            # What others wrote there in a history that is lost is not on the server until they send it again.
            self.cells, self.deleted = {}, False
        if self.cells is None and op.act is Act.DELETE and ver > FIRST:
            # It had left before. Its author sees it again, as a deleted one, and is not told of their own delete.
            self.cells = {}
        if self.cells is None:
            return
        self.cells, self.deleted = lay(self.cells, self.deleted, [op])
        self.ver = max(self.ver, ver)
        self.left = False


def shown(id_: bytes, record: ServerRow, conflicts: dict[bytes, int]) -> Stored | None:
    """The row that is shown: the server's with what waits on top; None when there is nothing to show."""
    cells, deleted = record.cells, record.deleted
    if cells is None and not any(op.act is Act.ADD for op in record.pending):
        return None
    before = record.stored
    laid, deleted = lay(cells or {}, deleted, record.pending)
    values, ext = record.shape.split(laid)
    after = Stored(
        id_, record.ver if cells is not None else 0, deleted, len(record.pending), conflicts.get(id_, 0),
        record.changed_ms, record.changed_by, values, ext,
    )  # fmt: skip
    if before is not None and (record.pending or not record.changed_ms):
        after = replace(after, changed_ms=before.changed_ms, changed_by=before.changed_by)
    return after
