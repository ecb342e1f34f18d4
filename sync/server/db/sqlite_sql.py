"""A connection of the SQLCipher store, as the books and a move to another store speak to it."""

# Only names of our own tables and columns are put into statements; every value is bound.
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

_ROWID: Final = "rowid"


class SqliteSql:
    """One connection in the midst of a transaction."""

    def __init__(self, connection: Any) -> None:
        self._db = connection
        self.execute = connection.execute
        self.executemany = connection.executemany

    def rising(self, statement: str, seq: int) -> Iterator[Any]:
        """Rows after a number, one by one."""
        return iter(self.execute(f"{statement} ORDER BY ver, id", (seq,)))

    def tables(self) -> dict[str, tuple[str, ...]]:
        """Every table with its columns; those without a number of their own tell their `rowid`, too."""
        found = self.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        ).fetchall()
        return {name: self._columns(name, sql) for name, sql in found}

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Sequence[Any]]:
        """All rows of a table."""
        return iter(self.execute(f"SELECT {', '.join(columns)} FROM {table}"))

    def fill(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Put these rows in the place of what the table holds."""
        self.execute(f"DELETE FROM {table}")
        marks = ", ".join("?" for _each in columns)
        self._db.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)

    def _columns(self, table: str, sql: str) -> tuple[str, ...]:
        names = tuple(each[0] for each in self.execute(f"SELECT * FROM {table} LIMIT 0").description)
        numbered = sql.endswith("WITHOUT ROWID") or "INTEGER PRIMARY KEY" in sql
        return names if numbered else (*names, _ROWID)
