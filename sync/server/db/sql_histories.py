"""Histories and backups in a store, of whichever database."""

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

    def newest_common(self) -> int | None:
        """The same for the history before this one; None where there was none: this server was never restored."""
        found: int | None = self._sql.execute("SELECT max(common) FROM history").fetchone()[0]
        return found

    def given_after(self, seq: int) -> int:
        """How many changes have a number above `seq`."""
        return int(self._sql.execute("SELECT count(*) FROM change WHERE seq > ?", (seq,)).fetchone()[0])

    def begin(self, epoch: bytes, head: int, order_number: int) -> None:
        """End the history and go on with a new one behind these numbers. A transaction that does so gives no number."""
        self._sql.execute("INSERT INTO history SELECT epoch, seq FROM meta")
        self._sql.execute("UPDATE meta SET epoch = ?, seq = ?, order_number = ?", (epoch, head, order_number))
