"""What the books of a store ask of a connection, in the words that SQLite and PostgreSQL share.

A statement marks its values by `?`, spells the empty bytes `x''`, and uses what both databases know: no INSERT OR, no
numbered marks, no functions of one of them alone. Where they part, each connection turns the words into its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

_NO_TEXT: Final = re.compile("[\x00\ud800-\udfff]")


class Rows(Protocol):
    """What a statement gave."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def __iter__(self) -> Iterator[Any]:
        """The rows, one by one."""


class Sql(Protocol):
    """A connection in the midst of a transaction."""

    def execute(self, statement: str, values: Sequence[object] = (), /) -> Rows:
        """Run one statement."""

    def executemany(self, statement: str, rows: Sequence[Sequence[object]], /) -> object:
        """Run one statement that answers nothing for each of `rows`."""

    def rising(self, statement: str, seq: int) -> Iterator[Any]:
        """Rows of a statement that asks for a higher `ver` and begins with `ver` and `id`, in the order of these two.

        Whoever stops early has not waited for the others, and no more than some of them are in memory.
        """


class Whole(Protocol):
    """All that a store keeps, table by table, for a move to another one."""

    def tables(self) -> Mapping[str, tuple[str, ...]]:
        """Every table with its columns; `rowid` among them where it tells in which order rows came."""

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Sequence[Any]]:
        """All rows of a table, in whatever order."""

    def fill(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Put these rows in the place of what the table holds."""


def plain(value: Any) -> Any:
    """A value as both databases keep it: yes and no are numbers, and text has neither NUL nor half characters."""
    if isinstance(value, str):
        return value if value.isprintable() else _NO_TEXT.sub("\ufffd", value)
    return int(value) if isinstance(value, bool) else value
