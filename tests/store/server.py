"""A server in memory for tests of the replica: the real merge, one sequence, stored results, pages cut anywhere."""

from __future__ import annotations

from sync.client.ports import Answer
from sync.protocol import merge, settling
from sync.protocol.codec import Raw, pack
from sync.protocol.errors import Outcome, Rejection
from sync.protocol.ids import DeviceId, Incarnation, OpId
from sync.protocol.messages import Change, Cursor, OpResult
from sync.protocol.ops import Op

EPOCH = b"one-history"


class Server:
    """Rows, a sequence, and what each device has been told about its ops."""

    def __init__(self) -> None:
        self.rows: dict[bytes, merge.Row] = {}
        self.seq = 0
        self.conflicts: list[merge.Conflict] = []
        self.refuses: set[bytes] = set()  # records of which no op is taken
        self._acked: dict[tuple[bytes, bytes], int] = {}
        self._results: dict[tuple[bytes, bytes, int], OpResult] = {}

    def push(
        self, device: bytes, incarnation: bytes, ops: list[Op], person: str = "lena@example.com"
    ) -> list[OpResult]:
        """Take ops in; those that were taken before are answered as they were then."""
        told = []
        for op in ops:
            acked = self._acked.get((device, incarnation), 0)
            assert op.n <= acked + 1, "a gap"
            if op.n == acked + 1:
                self._acked[device, incarnation] = op.n
                self._results[device, incarnation, op.n] = self._take(device, incarnation, op, person)
            told.append(self._results[device, incarnation, op.n])
        return told

    def write(self, op: Op, person: str = "omar@example.com") -> None:
        """An edit that came from somewhere else."""
        self.seq += 1
        op_id = OpId(DeviceId(b"elsewhere-device"), Incarnation(b"elsewher"), self.seq)
        self._merge(op, op_id, person)

    def _merge(self, op: Op, op_id: OpId, person: str) -> merge.Merged:
        named = [each for each in self.conflicts if each.id in op.settles]
        merged = settling.apply(self.rows.get(op.id), op, op_id, seq=self.seq, person=person, named=named)
        if merged.row is not None:
            self.rows[op.id] = merged.row
        ended = {each.id: each for each in merged.settled}
        self.conflicts = [ended.get(each.id, each) for each in (*self.conflicts, *merged.conflicts)]
        return merged

    def page(self, device: bytes, incarnation: bytes, after: int, limit: int = 2_000) -> Answer:
        """The next rows after a sequence number, with the ops acknowledged so far."""
        later = sorted((row for row in self.rows.values() if row.ver > after), key=lambda row: row.ver)
        some = later[:limit]
        seq = some[-1].ver if len(some) < len(later) else self.seq
        return Answer(
            Cursor(epoch=EPOCH, seq=seq), self._acked.get((device, incarnation), 0), 0,
            more=len(some) < len(later), changes=[change(row) for row in some],
            conflicts=[each for each in self.conflicts if after < each.ver <= seq],
        )  # fmt: skip

    def _take(self, device: bytes, incarnation: bytes, op: Op, person: str) -> OpResult:
        if op.id in self.refuses:
            return OpResult(
                n=op.n, outcome=Outcome.REJECTED, code=Rejection.FORBIDDEN, hint="Ask your manager."
            )
        self.seq += 1
        op_id = OpId(DeviceId(device), Incarnation(incarnation), op.n)
        merged = self._merge(op, op_id, person)
        row = change(merged.row) if merged.row is not None and merged.differs else None
        return OpResult(
            n=op.n, outcome=merged.outcome, ver=merged.row.ver if merged.row else 0, code=merged.code,
            row=row,
        )  # fmt: skip


def change(row: merge.Row, *, gone: str = "") -> Change:
    """A row as it goes to a device."""
    cells = {} if row.deleted else row.cells  # as the real one tells of a deleted record
    last = max(row.marks.values(), key=lambda mark: (mark.ver, mark.hlc))
    return Change(
        kind=row.kind, id=row.id, ver=row.ver, gone=gone or ("deleted" if row.deleted else ""),
        person=last.person, hlc=last.hlc, cells={cell: Raw(pack(value)) for cell, value in cells.items()},
    )  # fmt: skip
