"""Histories, backups and what is forgotten of them in a store, of whichever database."""

# Only words of our own are put into statements; every value is bound.
# ruff: noqa: S608

from __future__ import annotations

from sync.server.db.kept import Durable
from sync.server.db.sql import Sql


class SqlHistories:
    """The book of histories on one connection."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def durable(self) -> Durable | None:
        """What the newest verified backup holds; None where there never was one."""
        row = self._sql.execute("SELECT seq, made FROM backup ORDER BY n DESC LIMIT 1").fetchone()
        return Durable(seq=row[0], made=row[1]) if row else None

    def put_durable(self, durable: Durable) -> None:
        """Note a verified backup."""
        self._sql.execute("INSERT INTO backup (seq, made) VALUES (?, ?)", (durable.seq, durable.made))

    def common(self, epoch: bytes) -> int:
        """Up to which number that former history is this one's beginning; 0 for one that is not known."""
        row = self._sql.execute("SELECT common FROM history WHERE epoch = ?", (epoch,)).fetchone()
        return int(row[0]) if row else 0

    def ends(self) -> list[int]:
        """The same for every former history."""
        return [int(common) for (common,) in self._sql.execute("SELECT common FROM history")]

    def newest_common(self) -> int | None:
        """The same for the history before this one; None where there was none: this server was never restored."""
        found: int | None = self._sql.execute("SELECT max(common) FROM history").fetchone()[0]
        return found

    def given_after(self, seq: int) -> int:
        """How many changes have a number above `seq`."""
        return int(self._sql.execute("SELECT count(*) FROM change WHERE seq > ?", (seq,)).fetchone()[0])

    def folded(self) -> tuple[int, int]:
        """Up to which number the log is folded, and when a run came to its end last."""
        row = self._sql.execute("SELECT upto, at FROM folded").fetchone()
        return (row[0], row[1]) if row else (0, 0)

    def put_folded(self, upto: int, at: int) -> None:
        """Note how far the log is folded."""
        self._sql.execute(
            "INSERT INTO folded VALUES (1, ?, ?) "
            "ON CONFLICT (one) DO UPDATE SET upto = excluded.upto, at = excluded.at",
            (upto, at),
        )

    def changes(self, after: int, most: int) -> list[tuple[int, bytes, int]]:
        """Number, record and time of the next entries of the log."""
        asked = "SELECT seq, record, at FROM change WHERE seq > ? ORDER BY seq LIMIT ?"
        return [(row[0], row[1], row[2]) for row in self._sql.execute(asked, (after, most))]

    def fold(self, record: bytes, upto: int) -> int:
        """Keep, of a record's entries up to a number that say the same, the newest; how many went."""
        asked = (
            "SELECT seq, person_before, team_before, territory_before, device FROM change "
            "WHERE record = ? AND seq <= ? ORDER BY seq"
        )
        newest: dict[tuple[object, ...], int] = {}
        gone = []
        for seq, *said in self._sql.execute(asked, (record, upto)):
            if tuple(said) in newest:
                gone.append(newest[tuple(said)])
            newest[tuple(said)] = seq
        for seq in gone:
            self._sql.execute("DELETE FROM change WHERE seq = ?", (seq,))
        return len(gone)

    def drop_results(
        self, after: tuple[bytes, bytes, int], before: int, now: int, most: int
    ) -> tuple[int, tuple[bytes, bytes, int] | None]:
        """Drop what is older than a time of the next results; how many went, and where to go on. Those of which nobody
        knows when they came count from now."""
        asked = (
            "SELECT device, incarnation, n, at FROM opresult WHERE (device, incarnation, n) > (?, ?, ?) "
            "ORDER BY device, incarnation, n LIMIT ?"
        )
        found = [tuple(row) for row in self._sql.execute(asked, (*after, most))]
        one = "WHERE device = ? AND incarnation = ? AND n = ?"
        for *key, at in found:
            if not at:
                self._sql.execute(f"UPDATE opresult SET at = ? {one}", (now, *key))
            elif at < before:
                self._sql.execute(f"DELETE FROM opresult {one}", key)
        dropped = sum(0 < at < before for *_key, at in found)
        return dropped, tuple(found[-1][:3]) if len(found) == most else None

    def begin(self, epoch: bytes, head: int, order_number: int) -> None:
        """End the history and go on with a new one behind these numbers. A transaction that does so gives no number."""
        self._sql.execute("INSERT INTO history SELECT epoch, seq FROM meta")
        self._sql.execute("UPDATE meta SET epoch = ?, seq = ?, order_number = ?", (epoch, head, order_number))
