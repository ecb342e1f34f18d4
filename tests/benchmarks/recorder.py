"""Notes the statements by which a store changes something, so that a twin can be changed in the same way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from app.store.db import Database

Statement = tuple[bool, str, Any]  # many, the statement, what is bound


class Recorder:
    """Notes every statement that changes something, on its way to the store's database."""

    def __init__(self, db: Database) -> None:
        self.statements: list[Statement] = []
        self._db = db
        self._execute, self._executemany = db.execute, db.executemany
        db.execute = self.execute  # type: ignore[method-assign]
        db.executemany = self.executemany  # type: ignore[method-assign]

    def execute(self, sql: str, values: Sequence[Any] = ()) -> int:
        """As Database.execute."""
        self.statements.append((False, sql, values))
        return self._execute(sql, values)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """As Database.executemany."""
        bound = list(rows)
        self.statements.append((True, sql, bound))
        self._executemany(sql, bound)

    def let_go(self) -> None:
        """Note nothing more."""
        del self._db.execute, self._db.executemany


def replay(db: Database, statements: list[Statement]) -> None:
    """Write what was noted, statement for statement."""
    for many, sql, values in statements:
        if many:
            db.executemany(sql, values)
        else:
            db.execute(sql, values)
