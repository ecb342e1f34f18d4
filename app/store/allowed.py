"""What a connection to the store may be told, by SQLite's authorizer.

Allow lists, for a deny list always has one hole more than its author knew. `first` and `second` are what SQLite
tells of an action: a table and a column, a pragma and its value, a function's name.
"""

from __future__ import annotations

from typing import Final

from sqlcipher3 import dbapi2

_READ_ACTIONS: Final = frozenset(
    {dbapi2.SQLITE_SELECT, dbapi2.SQLITE_READ, dbapi2.SQLITE_RECURSIVE, dbapi2.SQLITE_TRANSACTION}
)
_WRITE_ACTIONS: Final = frozenset({dbapi2.SQLITE_INSERT, dbapi2.SQLITE_UPDATE, dbapi2.SQLITE_DELETE})
_BUILD_ACTIONS: Final = frozenset(
    {
        dbapi2.SQLITE_CREATE_TABLE,
        dbapi2.SQLITE_CREATE_INDEX,
        dbapi2.SQLITE_CREATE_VTABLE,
        dbapi2.SQLITE_ALTER_TABLE,
        dbapi2.SQLITE_REINDEX,
        dbapi2.SQLITE_DROP_INDEX,
        dbapi2.SQLITE_DROP_TABLE,
        dbapi2.SQLITE_DROP_VTABLE,
    }
)
_PRAGMAS: Final = frozenset(
    {
        "data_version",
        "user_version",
        "table_info",
        "table_xinfo",
        "wal_checkpoint",
        "quick_check",
        "integrity_check",
    }
)
_TUNING: Final = frozenset({"synchronous", "cache_size", "shrink_memory", "query_only"})
_FUNCTIONS: Final = frozenset(
    {
        "match",
        "json_extract",
        "json_each",
        "max",
        "min",
        "count",
        "sum",
        "coalesce",
        "length",
        "substr",
        "like",
        "instr",
        "folded",
        "holding",
    }
)
_BUILD_FUNCTIONS: Final = frozenset({"printf", "substr", "length", "like"})


def reading(action: int, first: str | None, second: str | None) -> bool:
    """Whether it only looks."""
    if action == dbapi2.SQLITE_FUNCTION:
        return second in _FUNCTIONS
    if action == dbapi2.SQLITE_PRAGMA:
        return first in _PRAGMAS and (first != "user_version" or second is None)
    return action in _READ_ACTIONS


def writing(action: int, first: str | None) -> bool:
    """Whether it changes rows of ours."""
    return action in _WRITE_ACTIONS and not (first or "").startswith("sqlite_")


def building(action: int, first: str | None, second: str | None) -> bool:
    """Whether it makes or changes tables, indexes and the version of the file."""
    if action == dbapi2.SQLITE_FUNCTION:
        return second in _BUILD_FUNCTIONS
    if action == dbapi2.SQLITE_PRAGMA:
        return first in _PRAGMAS
    return action in _BUILD_ACTIONS or action in _WRITE_ACTIONS


def tuning(action: int, first: str | None) -> bool:
    """Whether it sets how much is held in memory, or how sure a commit is."""
    return action == dbapi2.SQLITE_PRAGMA and first in _TUNING
