"""The contract of the book of attached files, which stay encrypted (docs/decisions/0035-files-of-records.md)."""

from __future__ import annotations

from typing import Protocol

from sync.server.db.kept import Blob


class Blobs(Protocol):
    """The encrypted bytes of attached files."""

    def blobs(self, sha256: bytes) -> list[Blob]:
        """What devices have brought of a blob: the whole one first, then what is furthest."""

    def put_blob(self, blob: Blob) -> None:
        """Keep how far a blob of a device is."""

    def put_piece(self, place: bytes, begins: int, data: bytes) -> None:
        """Keep a piece."""

    def bytes_of(self, place: bytes, at: int, most: int) -> bytes:
        """What is kept in a place from `at` on, at most so much of one piece; b"" behind its end."""

    def drop_pieces(self, place: bytes) -> None:
        """Forget the bytes in a place."""

    def name(self, sha256: bytes, record: bytes) -> None:
        """Note that a record names a blob, which may not be here yet."""

    def is_named(self, sha256: bytes) -> bool:
        """Whether any record has ever named a blob."""

    def uncounted(self, enrolment: str) -> list[Blob]:
        """What a device brought that is not whole yet, or that no record has ever named, the oldest first."""

    def forgotten(self, before: int) -> list[Blob]:
        """Blobs that are here, were begun before that time, and were named by no kept record since then. One that no
        record has ever named stays while the work that may name it is still to come: its device is locked or has unsent
        work, or its sealed outbox is here; and one stays that a refused change names, whose record never was.
        """
