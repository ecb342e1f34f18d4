"""The encrypted bytes of attached files and who names them, in SQL that both stores speak."""

# Only lists of our own columns are put into statements; every value is bound.
# ruff: noqa: S608

from __future__ import annotations

from typing import Any

from sync.server.db.kept import Blob
from sync.server.db.sql import Sql

_BLOB = "sha256, length, held, whole, gone, enrolment, begun"


class SqlBlobs:
    """The book of blobs on one connection."""

    def __init__(self, sql: Sql) -> None:
        self._db = sql

    def blob(self, sha256: bytes) -> Blob | None:
        """What is known of a blob."""
        row = self._db.execute(f"SELECT {_BLOB} FROM blob WHERE sha256 = ?", (sha256,)).fetchone()
        return _blob(row) if row else None

    def put_blob(self, blob: Blob) -> None:
        """Keep how far a blob is."""
        self._db.execute(
            f"INSERT INTO blob ({_BLOB}) VALUES (?,?,?,?,?,?,?) ON CONFLICT (sha256) DO UPDATE SET "
            "held = excluded.held, whole = excluded.whole, gone = excluded.gone, enrolment = excluded.enrolment, "
            "begun = excluded.begun, length = excluded.length",
            (
                blob.sha256,
                blob.length,
                blob.held,
                int(blob.whole),
                int(blob.gone),
                blob.enrolment,
                blob.begun,
            ),
        )

    def put_piece(self, sha256: bytes, begins: int, data: bytes) -> None:
        """Keep a piece of a blob."""
        self._db.execute(
            "INSERT INTO blob_piece (sha256, begins, data) VALUES (?, ?, ?)", (sha256, begins, data)
        )

    def bytes_of(self, sha256: bytes, at: int, most: int) -> bytes:
        """What is kept of a blob from `at` on, at most so much of one piece; b"" behind its end."""
        row = self._db.execute(
            "SELECT substr(data, CAST(? - begins + 1 AS INTEGER), CAST(? AS INTEGER)) FROM blob_piece "
            "WHERE sha256 = ? AND begins <= ? ORDER BY begins DESC LIMIT 1",
            (at, most, sha256, at),
        ).fetchone()
        return bytes(row[0]) if row else b""

    def drop_pieces(self, sha256: bytes) -> None:
        """Forget the bytes of a blob."""
        self._db.execute("DELETE FROM blob_piece WHERE sha256 = ?", (sha256,))

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

    def unnamed(self, enrolment: str) -> list[Blob]:
        """The blobs that a device began, that are here in part or whole, and that no record has ever named."""
        rows = self._db.execute(
            f"SELECT {_BLOB} FROM blob WHERE enrolment = ? AND gone = 0 AND NOT EXISTS "
            "(SELECT 1 FROM blob_named WHERE blob_named.sha256 = blob.sha256) ORDER BY begun, sha256",
            (enrolment,),
        )
        return [_blob(row) for row in rows]

    def forgotten(self, before: int) -> list[bytes]:
        """Blobs that are here, were begun before that time, and were named by no kept record since then."""
        rows = self._db.execute(
            "SELECT blob.sha256 FROM blob WHERE gone = 0 AND begun < ? AND NOT EXISTS (SELECT 1 FROM blob_named "
            "JOIN record ON record.id = blob_named.record JOIN change ON change.seq = record.ver "
            "WHERE blob_named.sha256 = blob.sha256 AND (record.deleted = 0 OR change.at >= ?)) "
            "ORDER BY blob.sha256",
            (before, before),
        )
        return [bytes(row[0]) for row in rows]


def _blob(row: Any) -> Blob:
    return Blob(
        sha256=bytes(row[0]),
        length=row[1],
        held=row[2],
        whole=bool(row[3]),
        gone=bool(row[4]),
        enrolment=row[5],
        begun=row[6],
    )
