"""A server's row and the devices that edit it, for tests of merging: no network, no store, every step by hand."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sync.protocol import ops, settling
from sync.protocol.errors import Outcome
from sync.protocol.ids import DeviceId, Incarnation, OpId
from sync.protocol.merge import DELETED, KEPT, OPEN, SWAPPED, WHOLE_RECORD, Conflict, Merged, Row
from sync.protocol.ops import Act, Op

RECORD = b"r" * 16


@dataclass
class Server:
    """One record, its sequence number, and every conflict there ever was."""

    kind: str = "customer"
    row: Row | None = None
    seq: int = 0
    conflicts: list[Conflict] = field(default_factory=list)
    log: list[tuple[Op, OpId, str, Merged]] = field(default_factory=list)

    def take(self, op: Op, op_id: OpId, person: str) -> Merged:
        """Merge one op; the row, its number and the conflicts move on as on the server."""
        named = [each for each in self.conflicts if each.id in op.settles]
        merged = settling.apply(
            self.row, op, op_id, seq=self.seq + 1, person=person, met=self.open, named=named
        )
        self.log.append((op, op_id, person, merged))
        if merged.changed or merged.conflicts or merged.settled:
            self.seq += 1
        if merged.changed:
            self.row = merged.row
        self.conflicts += merged.conflicts
        settled = {each.id: each for each in merged.settled}
        self.conflicts = [settled.get(each.id, each) for each in self.conflicts]
        return merged

    @property
    def open(self) -> list[Conflict]:
        """What waits for a choice."""
        return [each for each in self.conflicts if each.state == OPEN]

    @property
    def cells(self) -> dict[str, Any]:
        """What stands in the row."""
        return dict(self.row.cells) if self.row else {}

    @property
    def deleted(self) -> bool:
        """Whether the record is deleted."""
        return bool(self.row and self.row.deleted)


@dataclass
class Device:
    """One device: the server's row as it last saw it, and the ops that wait on top."""

    name: str
    server: Server
    ticks: list[int]  # one clock for all, so that every stamp differs
    row: Row | None = None
    waiting: list[Op] = field(default_factory=list)
    sent: list[Op] = field(default_factory=list)  # no answer yet: still shown on top
    n: int = 0
    incarnation: bytes = b"incarn.1"
    open: list[Conflict] = field(default_factory=list)  # as it last heard of them

    @property
    def shown(self) -> tuple[dict[str, Any], bool]:
        """The record as it stands on this screen, and whether it is deleted."""
        cells = dict(self.row.cells) if self.row else {}
        return ops.lay(cells, bool(self.row and self.row.deleted), [*self.sent, *self.waiting])

    def do(
        self, act: Act, *, at: int | None = None, settles: dict[bytes, str] | None = None, **cells: Any
    ) -> Op:
        """One edit, waiting to be sent; `at` sets its stamp."""
        self.ticks[0] += 1
        self.n += 1
        shown, _deleted = self.shown
        named = {cell.replace("__", "/"): value for cell, value in cells.items()}
        op = Op(
            n=self.n,
            kind=self.server.kind,
            id=RECORD,
            act=act,
            hlc=self.ticks[0] if at is None else at,
            base=self.row.ver if self.row else 0,
            set=named,
            was={cell: shown.get(cell) for cell in named},
            first=self.n,
            settles=settles or {},
        )
        self.waiting.append(op)
        return op

    def settle(self, conflict: Conflict, choice: str) -> Op:
        """Choose between two values that met, as the app does (app/store/choices.py)."""
        self.open = [each for each in self.open if each.id != conflict.id]
        (shown, deleted), settles = self.shown, {conflict.id: choice}
        if conflict.cell == WHOLE_RECORD:
            gone = (conflict.kept == DELETED) is (choice == SWAPPED)
            if choice == KEPT or gone is deleted:
                return self.do(Act.SET, settles=settles)
            return self.do(Act.DELETE if gone else Act.UNDELETE, settles=settles)
        if choice == KEPT:
            cells = {} if deleted else {conflict.cell: shown.get(conflict.cell)}
            return self.do(Act.SET, settles=settles, **cells)
        return self.do(
            Act.UNDELETE if deleted else Act.SET, settles=settles, **{conflict.cell: conflict.kept}
        )

    def reopen(self, op: Op) -> Op:
        """Take a choice back that `settle` made, as the app does."""
        settles = dict.fromkeys(op.settles, OPEN)
        turned = {Act.DELETE: Act.UNDELETE, Act.UNDELETE: Act.DELETE}.get(op.act)
        if turned is not None:
            return self.do(turned, settles=settles)
        shown, deleted = self.shown
        changed = {c: op.was.get(c) for c, v in op.set.items() if v != op.was.get(c) and shown.get(c) == v}
        return self.do(Act.SET, settles=settles, **({} if deleted else changed))

    def add(self, **cells: Any) -> Op:
        """Make the record."""
        return self.do(Act.ADD, **cells)

    def set(self, *, at: int | None = None, **cells: Any) -> Op:
        """Edit it."""
        return self.do(Act.SET, at=at, **cells)

    def push(self) -> list[Merged]:
        """Send what waits; the answer is not read yet."""
        sent, self.waiting = self.waiting, []
        self.sent += sent
        return [self.server.take(op, self.op_id(op), f"{self.name}@x") for op in sent]

    def pull(self) -> None:
        """See the server's row, and its word on what was sent."""
        self.row, self.sent = self.server.row, []
        waiting = {id_ for op in self.waiting for id_ in op.settles}
        self.open = [each for each in self.server.open if each.id not in waiting]

    def sync(self) -> list[Merged]:
        """Send and see."""
        answers = self.push()
        self.pull()
        return answers

    def op_id(self, op: Op) -> OpId:
        """The id of one of this device's ops."""
        return OpId(DeviceId(self.name.encode().ljust(16, b".")), Incarnation(self.incarnation), op.n)

    def copied(self) -> Device:
        """This device as it is now, as a backup keeps it."""
        twin = copy.copy(self)
        twin.waiting, twin.sent = [*self.sent, *self.waiting], []
        return twin

    def restore(self, backup: Device, incarnation: bytes) -> None:
        """Put yesterday's copy back; the server makes it take a new incarnation and number its work anew."""
        self.row, self.incarnation, self.sent = backup.row, incarnation, []
        self.waiting = [_renumbered(op, n) for n, op in enumerate(backup.waiting, 1)]
        self.n = len(self.waiting)


def _renumbered(op: Op, n: int) -> Op:
    return msgspec.structs.replace(op, n=n, first=n)


def pair(kind: str = "customer", **cells: Any) -> tuple[Server, Device, Device]:
    """A record that two devices have seen."""
    server, ticks = Server(kind), [1_000]
    first, second = Device("ann", server, ticks), Device("bob", server, ticks)
    first.add(**(cells or {"name": "Acme"}))
    assert [merged.outcome for merged in first.sync()] == [Outcome.OK]
    second.pull()
    return server, first, second
