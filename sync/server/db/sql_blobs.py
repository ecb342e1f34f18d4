"""The encrypted bytes of attached files and who names them, in SQL that both stores speak."""

# Only lists of our own columns are put into statements; every value is bound.
# ruff: noqa: S608

from __future__ import annotations

from typing import Any

from sync.server.db.kept import Blob
from sync.server.db.sql import Sql

_BLOB = "sha256, enrolment, place, length, held, whole, gone, begun"


class SqlBlobs:
    """The book of blobs on one connection."""

    def __init__(self, sql: Sql) -> None:
        self._db = sql

    def blobs(self, sha256: bytes) -> list[Blob]:
        """What devices have brought of a blob: the whole one first, then what is furthest."""
        asked = f"SELECT {_BLOB} FROM blob WHERE sha256 = ? ORDER BY whole DESC, gone, held DESC, enrolment"
        return [_blob(row) for row in self._db.execute(asked, (sha256,))]

    def put_blob(self, blob: Blob) -> None:
        """Keep how far a blob of a device is."""
        self._db.execute(
            f"INSERT INTO blob ({_BLOB}) VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (sha256, enrolment) DO UPDATE SET "
            "place = excluded.place, length = excluded.length, held = excluded.held, whole = excluded.whole, "
            "gone = excluded.gone, begun = excluded.begun",
            (
                blob.sha256,
                blob.enrolment,
                blob.place,
                blob.length,
                blob.held,
                int(blob.whole),
                int(blob.gone),
                blob.begun,
            ),
        )

    def put_piece(self, place: bytes, begins: int, data: bytes) -> None:
        """Keep a piece."""
        self._db.execute(
            "INSERT INTO blob_piece (place, begins, data) VALUES (?, ?, ?)", (place, begins, data)
        )

    def bytes_of(self, place: bytes, at: int, most: int) -> bytes:
        """What is kept in a place from `at` on, at most so much of one piece; b"" behind its end."""
        row = self._db.execute(
            "SELECT substr(data, CAST(? - begins + 1 AS INTEGER), CAST(? AS INTEGER)) FROM blob_piece "
            "WHERE place = ? AND begins <= ? ORDER BY begins DESC LIMIT 1",
            (at, most, place, at),
        ).fetchone()
        return bytes(row[0]) if row else b""

    def drop_pieces(self, place: bytes) -> None:
        """Forget the bytes in a place."""
        self._db.execute("DELETE FROM blob_piece WHERE place = ?", (place,))

    def name(self, sha256: bytes, record: bytes) -> None:
        """Note that a record names a blob, which may not be here yet."""
        self._db.execute(
            "INSERT INTO blob_named (sha256, record) VALUES (?, ?) ON CONFLICT (sha256, record) DO NOTHING",
            (sha256, record),
        )

    def is_named(self, sha256: bytes) -> bool:
        """Whether any record has ever named a blob."""
        asked = "SELECT 1 FROM blob_named WHERE sha256 = ? LIMIT 1"
        return self._db.execute(asked, (sha256,)).fetchone() is not None

    def uncounted(self, enrolment: str) -> list[Blob]:
        """What a device brought that is not whole yet, or that no record has ever named, the oldest first."""
        rows = self._db.execute(
            f"SELECT {_BLOB} FROM blob WHERE enrolment = ? AND gone = 0 AND (whole = 0 OR NOT EXISTS "
            "(SELECT 1 FROM blob_named WHERE blob_named.sha256 = blob.sha256)) ORDER BY begun, sha256",
            (enrolment,),
        )
        return [_blob(row) for row in rows]

    def forgotten(self, before: int) -> list[Blob]:
        """Blobs that are here, were begun before that time, and were named by no kept record since then. One that no
        record has ever named stays while the work that may name it is still to come: its device is locked or has unsent
        work, or its sealed outbox is here; and one stays that a refused change names, whose record never was.
        """
        rows = self._db.execute(
            f"SELECT {_BLOB} FROM blob WHERE gone = 0 AND begun < ? AND NOT EXISTS (SELECT 1 FROM blob_named "
            "LEFT JOIN record ON record.id = blob_named.record LEFT JOIN change ON change.seq = record.ver "
            "WHERE blob_named.sha256 = blob.sha256 AND (record.id IS NULL OR record.deleted = 0 OR change.at >= ?)) "
            "AND (EXISTS (SELECT 1 FROM blob_named WHERE blob_named.sha256 = blob.sha256) OR NOT ("
            "EXISTS (SELECT 1 FROM device WHERE device.enrolment = blob.enrolment AND (locked = 1 OR unsent > 0)) OR "
            "EXISTS (SELECT 1 FROM sealed_outbox WHERE sealed_outbox.enrolment = blob.enrolment AND whole = 1))) "
            "ORDER BY blob.sha256, blob.enrolment",
            (before, before),
        )
        return [_blob(row) for row in rows]


def _blob(row: Any) -> Blob:
    return Blob(
        sha256=bytes(row[0]),
        enrolment=row[1],
        place=bytes(row[2]),
        length=row[3],
        held=row[4],
        whole=bool(row[5]),
        gone=bool(row[6]),
        begun=row[7],
    )
