"""What import and export ask of the customer book."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from sync.protocol.fields import Value
from sync.protocol.kinds import Kind


class Batch(Protocol):
    """Many records in one transaction; nothing of it stays when the block raises."""

    def add(self, kind: Kind, values: Mapping[str, Value], record_id: bytes, /) -> None:
        """A new record with the id that the plan gave it."""

    def edit(self, record_id: bytes, values: Mapping[str, Value], /) -> None:
        """Fields of a record that is there."""


Named = tuple[bytes, str, str | None]  # id, title, number; number None where there is none


class Catalogue(Protocol):
    """The records on this device as a plan sees them. Deleted ones are not among them.

    Each answer is of one moment, two answers may not be; `turn` tells whether anything was called otherwise between.
    """

    def titles(self, kind: Kind, /) -> Iterable[Named]:
        """Every record of a kind by what names it."""

    def titled(self, kind: Kind, titles: Collection[str], /) -> Iterable[Named]:
        """Records with one of these titles, whatever its case, accents, width and spaces; each once."""

    def numbered(self, kind: Kind, numbers: Collection[str], /) -> Iterable[Named]:
        """Records that have one of these numbers; those of one number in a steady order."""

    def named(self, kind: Kind, ids: Collection[bytes], /) -> Iterable[Named]:
        """Those of these records that are there."""

    def values(self, kind: Kind, ids: Collection[bytes], /) -> Mapping[bytes, Mapping[str, Value]]:
        """The values of those of these records that are there, by field name."""

    def hidden(self, kind: Kind, /) -> Collection[str]:
        """Names of the fields that are hidden from this device's person: nothing can be written there."""

    def turn(self, kind: Kind, /) -> int:
        """Another number after a record of the kind came, went or got another title or number."""


class Book(Catalogue, Protocol):
    """The records on this device, as far as import and export see them."""

    def get(self, record_id: bytes, /) -> Mapping[str, Value]:
        """The values of one record by field name. Raises app.errors.NotFound."""

    def records(self, kind: Kind, /) -> Iterable[tuple[bytes, Mapping[str, Value]]]:
        """Id and values of each record of a kind, in a steady order."""

    def batch(self, rows: int, /) -> AbstractContextManager[Batch]:
        """So many records in one transaction. Raises NoSpace before anything is written when they have no room."""
