"""Records, changes, conflicts and what became of ops, in SQL that both stores speak."""

# Only lists of our own columns, and marks, are put into statements; every value is bound.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from sync.protocol.ids import OpId
from sync.protocol.merge import Conflict, Row
from sync.server.access import Scope
from sync.server.db.kept import RESULTS_KEPT, Entry, Held, Numbering, RefusedOp, Result, Trace
from sync.server.db.news import News
from sync.server.db.sql import Sql
from sync.server.db.sql_rows import HELD, held_of, pack_marks, trace_of

_HIGHEST = 2**63 - 1
_TRACED = 50  # records in one question for what is remembered of them
_PACK = msgspec.msgpack.Encoder()
_CONFLICT = msgspec.msgpack.Decoder(Conflict)
_RESULT = msgspec.msgpack.Decoder(Result)


_ASKED = 200  # ids in one question
# Written together, in this order, before anybody reads them.
_WRITES = {
    "record": (
        "INSERT INTO record (id, kind, ver, deleted, scope_person, scope_team, owner, creator, device, "
        "incarnation, person, hlc, cells, marks, subject, territory) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
        "ON CONFLICT (id) DO UPDATE SET ver = excluded.ver, deleted = excluded.deleted, "
        "scope_person = excluded.scope_person, scope_team = excluded.scope_team, owner = excluded.owner, "
        "device = excluded.device, incarnation = excluded.incarnation, person = excluded.person, "
        "hlc = excluded.hlc, cells = excluded.cells, marks = excluded.marks, subject = excluded.subject, "
        "territory = excluded.territory"
    ),
    "change": (
        "INSERT INTO change (seq, record, person_before, team_before, device, at, territory_before) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)"
    ),
    "opresult": "INSERT INTO opresult (device, incarnation, n, body, at) VALUES (?, ?, ?, ?, ?)",
    "forgotten": "DELETE FROM opresult WHERE device = ? AND incarnation = ? AND n = ?",
    "answered": (
        "INSERT INTO answered VALUES (?, ?) ON CONFLICT (print) DO UPDATE SET taken = excluded.taken "
        "WHERE excluded.taken > answered.taken"
    ),
}


_TRACES = "SELECT record, seq, person_before, team_before, territory_before, device FROM change WHERE seq > ?"


class SqlRecords:
    """The book of records on one connection; `seq` is the head when the transaction began.

    What an op writes goes to the database with what others write, and what `look_ahead` was told of is read at once:
    a statement alone costs as much as ten in a row. Whoever reads in another way sees all that was written.
    """

    def __init__(self, sql: Sql, seq: int, news: News) -> None:
        self._sql = sql
        self._news = news
        self._began = seq
        self._seq = seq
        self._unwritten: dict[str, list[tuple[object, ...]]] = {}
        self._held: dict[bytes, Held | None] = {}  # records that ops are about
        self._answered: dict[bytes, bool | None] = {}  # their prints

    @property
    def _db(self) -> Sql:
        """The connection, with all that was put."""
        self.write()
        return self._sql

    def write(self) -> None:
        """Give the database what was put, so that others see it there."""
        if self._unwritten:
            unwritten, self._unwritten = self._unwritten, {}
            for table, statement in _WRITES.items():
                if rows := unwritten.get(table):
                    self._sql.executemany(statement, rows)

    def _put(self, table: str, *row: object) -> None:
        self._unwritten.setdefault(table, []).append(row)

    def look_ahead(self, ids: Sequence[bytes], prints: Sequence[bytes]) -> None:
        """Records and prints that are asked for in what follows."""
        self._held = dict.fromkeys(ids)
        self._answered = dict.fromkeys(prints)
        for some in _some(list(self._held)):
            for row in self._db.execute(f"{HELD} IN ({_marks(some)})", some):
                self._held[bytes(row[1])] = held_of(row)
        for some in _some(list(self._answered)):
            asked = f"SELECT print, taken FROM answered WHERE print IN ({_marks(some)})"
            for print_, taken in self._db.execute(asked, some):
                self._answered[bytes(print_)] = bool(taken)

    def head(self) -> int:
        """The highest sequence number given."""
        return self._seq

    def next_seq(self) -> int:
        """A new sequence number."""
        self._seq += 1
        return self._seq

    def flush(self) -> None:
        """Write what was put, and keep the head; called once, before the commit."""
        db = self._db
        if self._seq != self._began:
            db.execute("UPDATE meta SET seq = ?", (self._seq,))

    def held(self, id_: bytes) -> Held | None:
        """The record of that id."""
        if id_ in self._held:
            return self._held[id_]
        row = self._db.execute(f"{HELD} = ?", (id_,)).fetchone()
        return held_of(row) if row is not None else None

    def put(self, held: Held, before: Scope | None, now: int) -> None:
        """Keep a record under its row's number."""
        row = held.row
        self._news.record(row.kind, held.scope, before)
        if row.id in self._held:
            self._held[row.id] = held
        scope, cells = held.scope, _PACK.encode(dict(row.cells))
        self._put(
            "record",
            row.id, row.kind, row.ver, row.deleted, scope.person, scope.team, held.owner, held.creator, held.device,
            held.incarnation, held.person, held.hlc, cells, pack_marks(row.marks), held.subject, scope.territory,
        )  # fmt: skip
        was = (before.person, before.team) if before else (None, None)
        self._put("change", row.ver, row.id, *was, held.device, now, before.territory if before else None)

    def after(self, seq: int) -> Iterator[Entry]:
        """Records changed after `seq`, each once in its newest state, rising."""
        asked = (
            "SELECT ver, id, kind, deleted, cells, scope_person, scope_team, device, incarnation, person, hlc, "
            "territory FROM record WHERE ver > ?"
        )
        for row in self._db.rising(asked, seq):
            yield Entry(
                id=row[1],
                kind=row[2],
                ver=row[0],
                deleted=bool(row[3]),
                cells=row[4],
                scope=Scope(row[5], row[6], row[11] or ""),
                device=row[7],
                incarnation=row[8],
                person=row[9],
                hlc=row[10],
            )

    def traces(self, id_: bytes, seq: int) -> list[Trace]:
        """What is remembered of each change of a record after `seq`."""
        rows = self._db.execute(f"{_TRACES} AND record = ? ORDER BY seq", (seq, id_))
        return [trace_of(row) for row in rows]

    def traces_of(self, ids: Sequence[bytes], seq: int) -> dict[bytes, list[Trace]]:
        """The same of many records; those of which nothing is remembered are left out."""
        asked = f"{_TRACES} AND record IN ({', '.join('?' * _TRACED)}) ORDER BY seq"
        found: dict[bytes, list[Trace]] = {}
        for at in range(0, len(ids), _TRACED):
            some = [*ids[at : at + _TRACED]]
            some += some[-1:] * (_TRACED - len(some))  # one statement, however many they are
            for row in self._db.execute(asked, (seq, *some)):
                found.setdefault(bytes(row[0]), []).append(trace_of(row))
        return found

    def passed_on(self, after: int, upto: int, device: bytes, *, own: bool = False) -> list[bytes]:
        """Ids of records changed within these numbers, `after` left out, and once more behind them, that have gone to
        another person, team or territory since, or were written by this device; `own` for these last alone.
        """
        asked = (
            "SELECT DISTINCT record.id FROM change JOIN record ON record.id = change.record"
            " WHERE change.seq > ? AND change.seq <= ? AND record.ver > ? AND (change.device = ? OR (? = 0 AND"
            " (change.person_before <> record.scope_person OR change.team_before <> record.scope_team"
            " OR change.territory_before <> record.territory)))"
            " ORDER BY record.id"
        )
        return [row[0] for row in self._db.execute(asked, (after, upto, upto, device, int(own)))]

    def returned(self, after: int, upto: int, device: bytes) -> list[bytes]:
        """Ids of records that this device wrote last, within these numbers (`after` left out), and that belonged to
        another person, team or territory before somebody else's change among them.
        """
        asked = (
            "SELECT DISTINCT record.id FROM change JOIN record ON record.id = change.record"
            " WHERE change.seq > ? AND change.seq <= ? AND change.device <> ? AND record.ver <= ? AND record.device = ?"
            " AND (change.person_before <> record.scope_person OR change.team_before <> record.scope_team"
            " OR change.territory_before <> record.territory)"
            " ORDER BY record.id"
        )
        return [row[0] for row in self._db.execute(asked, (after, upto, device, upto, device))]

    def owned_by(self, owner: str) -> list[bytes]:
        """Ids of records with this (folded) owner."""
        asked = "SELECT id FROM record WHERE owner = ? AND owner <> '' ORDER BY ver"
        return [row[0] for row in self._db.execute(asked, (owner,))]

    def of_person(self, person: bytes) -> list[bytes]:
        """Ids of records in this person's scope."""
        asked = "SELECT id FROM record WHERE scope_person = ? ORDER BY ver"
        return [row[0] for row in self._db.execute(asked, (person,))]

    def about(self, subject: bytes) -> list[tuple[bytes, str]]:
        """Id and kind of the records that are about this one."""
        asked = "SELECT id, kind FROM record WHERE subject = ? AND subject <> x'' ORDER BY ver"
        return [(row[0], row[1]) for row in self._db.execute(asked, (subject,))]

    def territory(self, id_: bytes) -> str:
        """The territory that a record lies in; "" for none, and for one that is not here."""
        row = self._db.execute("SELECT territory FROM record WHERE id = ?", (id_,)).fetchone()
        return (row[0] or "") if row else ""

    def of_territory(self, territory: str) -> list[bytes]:
        """Ids of records that are about no other and lie in this territory."""
        asked = "SELECT id FROM record WHERE territory = ? AND subject = x'' ORDER BY ver"
        return [row[0] for row in self._db.execute(asked, (territory,))]

    def territories(self) -> list[tuple[str, int]]:
        """Every territory that records lie in which are about no other, with their number."""
        asked = (
            "SELECT territory, count(*) FROM record WHERE subject = x'' AND territory <> '' "
            "GROUP BY territory ORDER BY territory"
        )
        return [(row[0], row[1]) for row in self._db.execute(asked)]

    def unplaced(self, after: int, most: int) -> list[bytes]:
        """Ids of records with a higher number than this whose territory nobody has worked out yet, rising."""
        asked = "SELECT id FROM record WHERE territory IS NULL AND ver > ? ORDER BY ver LIMIT ?"
        return [row[0] for row in self._db.execute(asked, (after, most))]

    def is_placed(self, id_: bytes) -> bool:
        """Whether it is known where a record lies; one that is not here lies nowhere."""
        asked = "SELECT territory IS NULL FROM record WHERE id = ?"
        row = self._db.execute(asked, (id_,)).fetchone()
        return row is None or not row[0]

    def empty(self, row: Row) -> None:
        """Keep less of a deleted record than stood in it."""
        self._db.execute(
            "UPDATE record SET cells = ?, marks = ? WHERE id = ?",
            (_PACK.encode(dict(row.cells)), pack_marks(row.marks), row.id),
        )

    def place(self, id_: bytes, subject: bytes, territory: str) -> None:
        """Note what a record is about and where it lies, of one that was kept before that counted."""
        self._db.execute(
            "UPDATE record SET subject = ?, territory = ? WHERE id = ?", (subject, territory, id_)
        )

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
        asked = "SELECT kind, scope_person, scope_team, territory FROM record WHERE id = ?"
        if row := self._db.execute(asked, (conflict.record,)).fetchone():
            self._news.record(row[0], Scope(row[1], row[2], row[3] or ""))

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
        held = self.held(record) if record is not None else None
        size = len(_PACK.encode(dict(held.row.cells))) if held is not None else 0
        asked = "SELECT length(body) FROM conflict WHERE id = ?"
        found = (self._db.execute(asked, (each,)).fetchone() for each in conflicts)
        return size + sum(int(row[0]) for row in found if row)

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

    def put_result(self, op_id: OpId, result: Result, at: int = 0) -> None:
        """Keep what became of an op."""
        self._put("opresult", *op_id, _PACK.encode(result), at)
        if op_id.n > RESULTS_KEPT:
            self._put("forgotten", op_id.device, op_id.incarnation, op_id.n - RESULTS_KEPT)

    def keep_refused(self, op_id: OpId, person: bytes, code: str, op: bytes, at: int) -> None:
        """Keep an op that was not taken: its author may not be able to hold it any longer."""
        self._db.execute(
            "INSERT INTO refused VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (*op_id, person, at, code, op),
        )

    def refused_within(self, device: bytes, incarnation: bytes, first: int, upto: int) -> str | None:
        """Why the first op of these numbers (`upto` left out) that was refused was not taken; None where none was."""
        asked = "SELECT code FROM refused WHERE device = ? AND incarnation = ? AND n >= ? AND n < ? ORDER BY n LIMIT 1"
        row = self._db.execute(asked, (device, incarnation, first, upto)).fetchone()
        return str(row[0]) if row else None

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
        if print_ in self._answered:
            return self._answered[print_]
        row = self._db.execute("SELECT taken FROM answered WHERE print = ?", (print_,)).fetchone()
        return bool(row[0]) if row else None

    def put_answered(self, print_: bytes, taken: bool) -> None:
        """Note that an op was answered."""
        if print_ in self._answered:
            self._answered[print_] = taken or self._answered[print_] or False
        self._put("answered", print_, taken)


def _some(all_: list[bytes]) -> Iterator[list[bytes]]:
    return (all_[at : at + _ASKED] for at in range(0, len(all_), _ASKED))


def _marks(some: Sequence[bytes]) -> str:
    return ", ".join("?" * len(some))
