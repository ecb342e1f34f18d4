"""Records, changes, conflicts and what became of ops, in SQL that both stores speak."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from sync.protocol import codec
from sync.protocol.ids import OpId
from sync.protocol.merge import Conflict, Mark, Row
from sync.server.access import Scope
from sync.server.db.kept import RESULTS_KEPT, Entry, Held, Numbering, RefusedOp, Result, Trace
from sync.server.db.news import News
from sync.server.db.sql import Sql

_HIGHEST = 2**63 - 1
_PACK = msgspec.msgpack.Encoder()
_CELLS = msgspec.msgpack.Decoder(dict[str, Any])
_MARKS = msgspec.msgpack.Decoder(list[tuple[Mark, list[str]]])
_CONFLICT = msgspec.msgpack.Decoder(Conflict)
_RESULT = msgspec.msgpack.Decoder(Result)


class SqlRecords:
    """The book of records on one connection; `seq` is the head when the transaction began."""

    def __init__(self, sql: Sql, seq: int, news: News) -> None:
        self._db = sql
        self._news = news
        self._began = seq
        self._seq = seq

    def head(self) -> int:
        """The highest sequence number given."""
        return self._seq

    def next_seq(self) -> int:
        """A new sequence number."""
        self._seq += 1
        return self._seq

    def flush(self) -> None:
        """Keep the head; called once, before the commit."""
        if self._seq != self._began:
            self._db.execute("UPDATE meta SET seq = ?", (self._seq,))

    def held(self, id_: bytes) -> Held | None:
        """The record of that id."""
        row = self._db.execute(
            "SELECT kind, id, ver, cells, marks, deleted, scope_person, scope_team, owner, creator, device, "
            "incarnation, person, hlc, subject FROM record WHERE id = ?",
            (id_,),
        ).fetchone()
        if row is None:
            return None
        return Held(
            row=Row(row[0], row[1], row[2], _CELLS.decode(row[3]), _unpack_marks(row[4]), bool(row[5])),
            scope=Scope(row[6], row[7]),
            owner=row[8],
            creator=row[9],
            device=row[10],
            incarnation=row[11],
            person=row[12],
            hlc=row[13],
            subject=row[14],
        )

    def put(self, held: Held, before: Scope | None, now: int) -> None:
        """Keep a record under its row's number."""
        row = held.row
        self._news.record(row.kind, held.scope, before)
        self._db.execute(
            "INSERT INTO record (id, kind, ver, deleted, scope_person, scope_team, owner, creator, device, "
            "incarnation, person, hlc, cells, marks, subject) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
            "ON CONFLICT (id) DO UPDATE SET ver = excluded.ver, deleted = excluded.deleted, "
            "scope_person = excluded.scope_person, scope_team = excluded.scope_team, owner = excluded.owner, "
            "device = excluded.device, incarnation = excluded.incarnation, person = excluded.person, "
            "hlc = excluded.hlc, cells = excluded.cells, marks = excluded.marks, subject = excluded.subject",
            (
                row.id,
                row.kind,
                row.ver,
                row.deleted,
                held.scope.person,
                held.scope.team,
                held.owner,
                held.creator,
                held.device,
                held.incarnation,
                held.person,
                held.hlc,
                _PACK.encode(dict(row.cells)),
                _pack_marks(row.marks),
                held.subject,
            ),
        )
        self._db.execute(
            "INSERT INTO change VALUES (?, ?, ?, ?, ?, ?)",
            (
                row.ver,
                row.id,
                before.person if before else None,
                before.team if before else None,
                held.device,
                now,
            ),
        )

    def after(self, seq: int) -> Iterator[Entry]:
        """Records changed after `seq`, each once in its newest state, rising."""
        asked = (
            "SELECT ver, id, kind, deleted, cells, scope_person, scope_team, device, incarnation, person, hlc "
            "FROM record WHERE ver > ?"
        )
        for row in self._db.rising(asked, seq):
            yield Entry(
                id=row[1],
                kind=row[2],
                ver=row[0],
                deleted=bool(row[3]),
                cells=row[4],
                scope=Scope(row[5], row[6]),
                device=row[7],
                incarnation=row[8],
                person=row[9],
                hlc=row[10],
            )

    def traces(self, id_: bytes, seq: int) -> list[Trace]:
        """What is remembered of each change of a record after `seq`."""
        rows = self._db.execute(
            "SELECT seq, person_before, team_before, device FROM change WHERE record = ? AND seq > ? ORDER BY seq",
            (id_, seq),
        )
        return [
            Trace(number, None if person is None else Scope(person, team), device)
            for number, person, team, device in rows
        ]

    def passed_on(self, after: int, upto: int, device: bytes, *, own: bool = False) -> list[bytes]:
        """Ids of records changed within these numbers, `after` left out, and once more behind them, that have gone to
        another person or team since, or were written by this device; `own` for these last alone.
        """
        asked = (
            "SELECT DISTINCT record.id FROM change JOIN record ON record.id = change.record"
            " WHERE change.seq > ? AND change.seq <= ? AND record.ver > ? AND (change.device = ? OR (? = 0 AND"
            " (change.person_before <> record.scope_person OR change.team_before <> record.scope_team)))"
            " ORDER BY record.id"
        )
        return [row[0] for row in self._db.execute(asked, (after, upto, upto, device, int(own)))]

    def owned_by(self, owner: str) -> list[bytes]:
        """Ids of records with this (folded) owner."""
        asked = "SELECT id FROM record WHERE owner = ? AND owner <> '' ORDER BY ver"
        return [row[0] for row in self._db.execute(asked, (owner,))]

    def of_person(self, person: bytes) -> list[bytes]:
        """Ids of records in this person's scope."""
        asked = "SELECT id FROM record WHERE scope_person = ? ORDER BY ver"
        return [row[0] for row in self._db.execute(asked, (person,))]

    def about(self, subject: bytes) -> list[bytes]:
        """Ids of records that belong where this one belongs."""
        asked = "SELECT id FROM record WHERE subject = ? AND subject <> x'' ORDER BY ver"
        return [row[0] for row in self._db.execute(asked, (subject,))]

    def put_conflict(self, conflict: Conflict) -> None:
        """Keep a conflict, once."""
        self._db.execute(
            "INSERT INTO conflict VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            (conflict.id, conflict.record, conflict.ver, conflict.state, _PACK.encode(conflict)),
        )
        self._disputed(conflict)

    def settle_conflict(self, conflict: Conflict) -> None:
        """Keep what became of a conflict that is kept already: its state, under a new number."""
        self._db.execute(
            "UPDATE conflict SET ver = ?, state = ?, body = ? WHERE id = ?",
            (conflict.ver, conflict.state, _PACK.encode(conflict), conflict.id),
        )
        self._disputed(conflict)

    def _disputed(self, conflict: Conflict) -> None:
        """A conflict concerns those who see its record, which need not have changed."""
        asked = "SELECT kind, scope_person, scope_team FROM record WHERE id = ?"
        if row := self._db.execute(asked, (conflict.record,)).fetchone():
            self._news.record(row[0], Scope(row[1], row[2]))

    def conflicts(self, ids: Sequence[bytes]) -> list[Conflict]:
        """These conflicts."""
        found = (
            self._db.execute("SELECT body FROM conflict WHERE id = ?", (each,)).fetchone() for each in ids
        )
        return [_CONFLICT.decode(row[0]) for row in found if row]

    def conflicts_after(self, seq: int) -> Iterator[Conflict]:
        """Conflicts made after `seq`, rising."""
        for row in self._db.rising("SELECT ver, id, body FROM conflict WHERE ver > ?", seq):
            yield _CONFLICT.decode(row[2])

    def conflicts_of(self, record: bytes, *, upto: int | None = None) -> list[Conflict]:
        """Open conflicts of a record, the oldest first; with `upto`, those up to that number."""
        rows = self._db.execute(
            "SELECT body FROM conflict WHERE record = ? AND state = 'open' AND ver <= ? ORDER BY ver, id",
            (record, _HIGHEST if upto is None else upto),
        )
        return [_CONFLICT.decode(row[0]) for row in rows]

    def disputed(self, record: bytes) -> tuple[int, int]:
        """How many open conflicts a record has, and their bytes."""
        asked = "SELECT count(*), coalesce(sum(length(body)), 0) FROM conflict WHERE record = ? AND state = 'open'"
        count, size = self._db.execute(asked, (record,)).fetchone()
        return int(count), int(size)

    def weigh(self, record: bytes | None, conflicts: Sequence[bytes]) -> int:
        """The bytes of that record's cells (None for no record) and of these conflicts."""
        asked = [] if record is None else [("SELECT length(cells) FROM record WHERE id = ?", record)]
        asked += [("SELECT length(body) FROM conflict WHERE id = ?", each) for each in conflicts]
        found = (self._db.execute(statement, (id_,)).fetchone() for statement, id_ in asked)
        return sum(int(row[0]) for row in found if row)

    def numbering(self, device: bytes, incarnation: bytes) -> Numbering | None:
        """How far an incarnation's ops are taken in."""
        row = self._db.execute(
            "SELECT acked_n, echo_from, retired FROM numbering WHERE device = ? AND incarnation = ?",
            (device, incarnation),
        ).fetchone()
        return Numbering(acked_n=row[0], echo_from=row[1], retired=bool(row[2])) if row else None

    def put_numbering(self, device: bytes, incarnation: bytes, numbering: Numbering) -> None:
        """Keep how far it is."""
        self._db.execute(
            "INSERT INTO numbering VALUES (?, ?, ?, ?, ?) ON CONFLICT (device, incarnation) DO UPDATE SET "
            "acked_n = excluded.acked_n, echo_from = excluded.echo_from, retired = excluded.retired",
            (device, incarnation, numbering.acked_n, numbering.echo_from, numbering.retired),
        )

    def result(self, op_id: OpId) -> Result | None:
        """What became of an op."""
        row = self._db.execute(
            "SELECT body FROM opresult WHERE device = ? AND incarnation = ? AND n = ?", op_id
        ).fetchone()
        return _RESULT.decode(row[0]) if row else None

    def put_result(self, op_id: OpId, result: Result) -> None:
        """Keep what became of an op."""
        self._db.execute("INSERT INTO opresult VALUES (?, ?, ?, ?)", (*op_id, _PACK.encode(result)))
        self._db.execute(
            "DELETE FROM opresult WHERE device = ? AND incarnation = ? AND n = ?",
            (op_id.device, op_id.incarnation, op_id.n - RESULTS_KEPT),
        )

    def keep_refused(self, op_id: OpId, person: bytes, code: str, op: bytes, at: int) -> None:
        """Keep an op that was not taken: its author may not be able to hold it any longer."""
        self._db.execute(
            "INSERT INTO refused VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (*op_id, person, at, code, op),
        )

    def refused(self, device: bytes | None = None) -> list[RefusedOp]:
        """The ops that were not taken, of one device or of all, the oldest first."""
        rows = self._db.execute(
            "SELECT device, incarnation, n, person, at, code, op FROM refused WHERE device = ? OR ? = 1 "
            "ORDER BY at, device, incarnation, n",
            (device or b"", device is None),
        )
        return [
            RefusedOp(
                device=row[0], incarnation=row[1], n=row[2], person=row[3], at=row[4], code=row[5], op=row[6]
            )
            for row in rows
        ]

    def answered(self, print_: bytes) -> bool | None:
        """Whether the op of this print was taken in; None where it was never answered."""
        row = self._db.execute("SELECT taken FROM answered WHERE print = ?", (print_,)).fetchone()
        return bool(row[0]) if row else None

    def put_answered(self, print_: bytes, taken: bool) -> None:
        """Note that an op was answered."""
        self._db.execute(
            "INSERT INTO answered VALUES (?, ?) ON CONFLICT (print) DO UPDATE SET taken = excluded.taken "
            "WHERE excluded.taken > answered.taken",
            (print_, taken),
        )


def _pack_marks(marks: Mapping[str, Mark]) -> bytes:
    """Marks with the cells that carry them: most cells of a row were written together."""
    groups: dict[Mark, list[str]] = {}
    for cell, mark in marks.items():
        groups.setdefault(mark, []).append(cell)
    return _PACK.encode(list(groups.items()))


def _unpack_marks(data: bytes) -> dict[str, Mark]:
    return {cell: mark for mark, cells in _MARKS.decode(data) for cell in cells}


def unpack_cells(data: bytes) -> dict[str, codec.Raw]:
    """Packed cells as a map whose values stay packed."""
    return msgspec.msgpack.decode(data, type=dict[str, codec.Raw])
