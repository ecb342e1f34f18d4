"""What import and export ask of the customer book."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


class Book(Protocol):
    """The records on this device, as far as import and export see them. Deleted ones are not among them."""

    def titles(self, kind: Kind, /) -> Iterable[tuple[bytes, str, str | None]]:
        """Id, title and number (None where there is none) of each record of a kind."""

    def get(self, record_id: bytes, /) -> Mapping[str, Value]:
        """The values of one record by field name. Raises app.errors.NotFound."""

    def records(self, kind: Kind, /) -> Iterable[tuple[bytes, Mapping[str, Value]]]:
        """Id and values of each record of a kind, in a steady order."""

    def batch(self) -> AbstractContextManager[Batch]:
        """Many records, one transaction."""
