"""Moves all that a store keeps to another store: table by table, in one transaction, counted and compared by digest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from sync.protocol.texts import gettext as _
from sync.server.db.base import Store
from sync.server.db.books import GIVEN_UP
from sync.server.db.sql import Whole, plain
from sync.server.errors import StoreError

_PACK: Final = msgspec.msgpack.Encoder()
_META: Final = "meta"
_HISTORY: Final = ("epoch", "seq")


class MovableStore(Store, Protocol):
    """A store whose records can be moved to another one, and back."""

    def telling(self) -> AbstractContextManager[Whole]:
        """All that the store keeps at one moment."""

    def filling(self) -> AbstractContextManager[Whole]:
        """A write transaction that puts something else in the place of everything."""

    def give_up(self) -> None:
        """Open no more, since another store holds these records now."""


@dataclass
class Tally:
    """How many rows a table has, and the sum of their digests, whatever order they come in."""

    rows: int = 0
    digest: int = 0

    def counting(self, rows: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
        """The rows, each counted as it goes by."""
        for row in rows:
            exact = [plain(value) for value in row]
            self.rows += 1
            self.digest += int.from_bytes(hashlib.sha256(_PACK.encode(exact)).digest())
            yield exact


def copy(
    source: MovableStore, target: MovableStore, step: Callable[[str], None] = lambda name: None
) -> dict[str, int]:
    """Put all that `source` keeps into `target`; how many rows each table has. Raises StoreError, nothing kept then.

    History goes along, its epoch and every number: a device's cursor points at the same place afterwards.
    """
    counted = {}
    with source.telling() as old, target.filling() as new:
        tables = old.tables()
        if _sorted(tables) != _sorted(new.tables()):
            raise StoreError(_("The two stores do not have the same tables; nothing was moved."))
        _refuse_foreign(old, new)
        for table, columns in tables.items():
            gone, come = Tally(), Tally()
            new.fill(table, columns, gone.counting(old.rows(table, columns)))
            for _row in come.counting(new.rows(table, columns)):
                pass
            if gone != come:
                raise StoreError(
                    _("What arrived of “{table}” is not what was sent; nothing was moved.").format(
                        table=table
                    )
                )
            counted[table] = gone.rows
            step(f"{table} filled")
    return counted


def _sorted(tables: Any) -> dict[str, list[str]]:
    return {table: sorted(columns) for table, columns in tables.items()}


def _refuse_foreign(old: Whole, new: Whole) -> None:
    """Refuse a target that holds what no move has brought there, or that is further than its source."""
    ((epoch, seq),) = old.rows(_META, _HISTORY)
    for epoch_there, seq_there in list(new.rows(_META, _HISTORY)):
        if epoch_there != GIVEN_UP and (epoch_there != epoch or seq_there > seq):
            raise StoreError(
                _("There is a store here already."), _("Name another place, or remove what is there first.")
            )
