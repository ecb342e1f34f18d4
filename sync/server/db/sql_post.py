"""Documents, orders, receipts, sealed outboxes, recovered packets and audit lines, in SQL that both stores speak."""

# Only lists of our own columns are put into statements; every value is bound.
# ruff: noqa: S608

from __future__ import annotations

from typing import Any

from sync.protocol.texts import gettext as _
from sync.server.db.kept import AuditLine, FiledOrder, Packet, Sealed, StoredReceipt
from sync.server.db.news import News
from sync.server.db.sql import Sql
from sync.server.errors import StoreError

_ORDER = "seq, order_id, op, digest, envelope, enrolment, reason, signers, filed, not_before, expires, report, reported"
_PACKET = "id, target, source, data, ops, filed, taken"
_SEALED = "enrolment, sha256, length, records, begun, held, whole"
_PIECE = 2**20  # bytes read at once


class SqlPost:
    """The book of papers on one connection."""

    def __init__(self, sql: Sql, news: News) -> None:
        self._db = sql
        self._news = news
        self._orders: dict[str, list[FiledOrder]] = {}  # of devices that were asked for, until one is written
        self._all = False  # those of every device were asked for

    def document(self, type_: str, version: int) -> bytes | None:
        """The envelope of a root or policy."""
        row = self._db.execute(
            "SELECT envelope FROM document WHERE type = ? AND version = ?", (type_, version)
        ).fetchone()
        return row[0] if row else None

    def newest(self, type_: str) -> tuple[int, bytes]:
        """Version and envelope of the newest root or policy."""
        row = self._db.execute(
            "SELECT version, envelope FROM document WHERE type = ? ORDER BY version DESC LIMIT 1", (type_,)
        ).fetchone()
        if row is None:
            raise StoreError(_("This store belongs to no organisation yet."))
        return row[0], row[1]

    def put_document(self, type_: str, version: int, envelope: bytes) -> None:
        """Keep a root or policy."""
        self._news.everybody = True
        self._db.execute("INSERT INTO document VALUES (?, ?, ?)", (type_, version, envelope))

    def next_order_number(self) -> int:
        """A number no order has yet."""
        self._db.execute("UPDATE meta SET order_number = order_number + 1")
        return self.last_order_number()

    def last_order_number(self) -> int:
        """The highest number given out."""
        number: int = self._db.execute("SELECT order_number FROM meta").fetchone()[0]
        return number

    def put_order(self, order: FiledOrder) -> None:
        """File an order for one of its devices."""
        self._news.ordered.add(order.enrolment)
        self._forget()
        self._db.execute(
            f"INSERT INTO filed_order ({_ORDER}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                order.seq,
                order.order_id,
                order.op,
                order.digest,
                order.envelope,
                order.enrolment,
                order.reason,
                " ".join(order.signers),
                order.filed,
                order.not_before,
                order.expires,
                order.report,
                order.reported,
            ),
        )

    def orders(self) -> list[FiledOrder]:
        """All orders, once per device, by number."""
        rows = self._db.execute(f"SELECT {_ORDER} FROM filed_order ORDER BY seq, enrolment")
        found = [_order(row) for row in rows]
        self._forget()
        for each in found:
            self._orders.setdefault(each.enrolment, []).append(each)
        self._all = True
        return found

    def orders_for(self, enrolment: str) -> list[FiledOrder]:
        """The orders for one device, by number."""
        found = self._orders.get(enrolment, [] if self._all else None)
        if found is None:
            rows = self._db.execute(
                f"SELECT {_ORDER} FROM filed_order WHERE enrolment = ? ORDER BY seq", (enrolment,)
            )
            found = self._orders[enrolment] = [_order(row) for row in rows]
        return list(found)

    def _forget(self) -> None:
        self._orders.clear()
        self._all = False

    def report(self, order_id: str, enrolment: str, report: str, now: int) -> FiledOrder | None:
        """Keep what a device says of an order."""
        self._forget()
        self._db.execute(
            "UPDATE filed_order SET report = ?, reported = ? WHERE order_id = ? AND enrolment = ?",
            (report, now, order_id, enrolment),
        )
        row = self._db.execute(
            f"SELECT {_ORDER} FROM filed_order WHERE order_id = ? AND enrolment = ?", (order_id, enrolment)
        ).fetchone()
        return _order(row) if row else None

    def receipt(self, enrolment: str) -> StoredReceipt | None:
        """The verified receipt of a device."""
        row = self._db.execute(
            "SELECT enrolment, receipt_id, envelope, received, outbox_bytes, outbox_records FROM receipt "
            "WHERE enrolment = ?",
            (enrolment,),
        ).fetchone()
        if row is None:
            return None
        return StoredReceipt(
            enrolment=row[0],
            receipt_id=row[1],
            envelope=row[2],
            received=row[3],
            outbox_bytes=row[4],
            outbox_records=row[5],
        )

    def put_receipt(self, receipt: StoredReceipt) -> None:
        """Keep a verified receipt."""
        self._db.execute(
            "INSERT INTO receipt (enrolment, receipt_id, envelope, received, outbox_bytes, outbox_records) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (
                receipt.enrolment,
                receipt.receipt_id,
                receipt.envelope,
                receipt.received,
                receipt.outbox_bytes,
                receipt.outbox_records,
            ),
        )

    def sealed(self, enrolment: str) -> list[Sealed]:
        """The sealed outboxes of a device, oldest first, the unfinished ones too."""
        rows = self._db.execute(
            f"SELECT {_SEALED} FROM sealed_outbox WHERE enrolment = ? ORDER BY begun, rowid", (enrolment,)
        )
        return [
            Sealed(
                enrolment=row[0], sha256=row[1], length=row[2], records=row[3], begun=row[4], held=row[5],
                whole=bool(row[6]),
            )
            for row in rows
        ]  # fmt: skip

    def put_sealed(self, sealed: Sealed) -> None:
        """Keep how far a sealed outbox is."""
        self._db.execute(
            f"INSERT INTO sealed_outbox ({_SEALED}) VALUES (?,?,?,?,?,?,?) "
            "ON CONFLICT (enrolment, sha256) DO UPDATE SET held = excluded.held, whole = excluded.whole",
            (
                sealed.enrolment,
                sealed.sha256,
                sealed.length,
                sealed.records,
                sealed.begun,
                sealed.held,
                int(sealed.whole),
            ),
        )

    def put_piece(self, enrolment: str, sha256: str, begins: int, data: bytes) -> None:
        """Keep a piece of a sealed outbox."""
        self._db.execute("INSERT INTO sealed_piece VALUES (?, ?, ?, ?)", (enrolment, sha256, begins, data))

    def sealed_bytes(self, enrolment: str, sha256: str, at: int) -> bytes:
        """What is kept of a sealed outbox from `at` on, a piece of it at most; b"" behind its end."""
        row = self._db.execute(
            "SELECT substr(data, CAST(? - begins + 1 AS INTEGER), CAST(? AS INTEGER)) FROM sealed_piece "
            "WHERE enrolment = ? AND sha256 = ? AND begins <= ? ORDER BY begins DESC LIMIT 1",
            (at, _PIECE, enrolment, sha256, at),
        ).fetchone()
        return row[0] if row else b""

    def drop_sealed(self, enrolment: str, sha256: str) -> None:
        """Forget a sealed outbox and its pieces."""
        for table in ("sealed_piece", "sealed_outbox"):
            self._db.execute(f"DELETE FROM {table} WHERE enrolment = ? AND sha256 = ?", (enrolment, sha256))

    def packets_for(self, enrolment: str, most: int) -> list[Packet]:
        """Packets the device has not taken in yet, the oldest ones."""
        rows = self._db.execute(
            f"SELECT {_PACKET} FROM packet WHERE target = ? AND taken = 0 ORDER BY rowid LIMIT ?",
            (enrolment, most),
        )
        return [
            Packet(
                id=row[0], target=row[1], source=row[2], data=row[3], ops=row[4], filed=row[5], taken=row[6]
            )
            for row in rows
        ]

    def put_packet(self, packet: Packet) -> bool:
        """File a packet; False when it is there already and waits to be taken in.

        One that was taken in and is offered again holds ops that never came: its device was set back since.
        """
        done = self._db.execute(
            f"INSERT INTO packet ({_PACKET}) VALUES (?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET "
            "data = excluded.data, ops = excluded.ops, filed = excluded.filed, taken = 0 WHERE packet.taken <> 0 "
            "RETURNING id",
            (packet.id, packet.target, packet.source, packet.data, packet.ops, packet.filed, packet.taken),
        )
        fresh = bool(list(done))
        if fresh:
            self._news.filed.add(packet.target)
        return fresh

    def take_packet(self, id_: bytes, enrolment: str, now: int) -> None:
        """Note that the device has taken a packet in; its content is not needed any more."""
        self._db.execute(
            "UPDATE packet SET taken = ?, data = x'' WHERE id = ? AND target = ? AND taken = 0",
            (now, id_, enrolment),
        )

    def audit(self, line: AuditLine) -> None:
        """Append a line."""
        self._db.execute(
            "INSERT INTO audit (at, actor, verb, object, digest) VALUES (?, ?, ?, ?, ?)",
            (line.at, line.actor, line.verb, line.object, line.digest),
        )

    def audit_lines(self) -> list[AuditLine]:
        """Every line, oldest first."""
        rows = self._db.execute("SELECT at, actor, verb, object, digest FROM audit ORDER BY n")
        return [AuditLine(at=r[0], actor=r[1], verb=r[2], object=r[3], digest=r[4]) for r in rows]


def _order(row: Any) -> FiledOrder:
    return FiledOrder(
        seq=row[0],
        order_id=row[1],
        op=row[2],
        digest=row[3],
        envelope=row[4],
        enrolment=row[5],
        reason=row[6],
        signers=row[7].split(),
        filed=row[8],
        not_before=row[9],
        expires=row[10],
        report=row[11],
        reported=row[12],
    )
