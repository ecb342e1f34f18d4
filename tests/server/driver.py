"""A device as the server sees it: enrols, signs in, exchanges, hands in receipts; keeps rows in a dict.

It speaks the wire with `sync.protocol` alone, over any `Send`: a call into the application, or real TLS.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import os
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sync.protocol import clock, codec, codes, documents, messages, outbox_seal, sealing, signing, trust
from sync.protocol.documents import (
    Destroyed,
    Enrolment,
    Files,
    Order,
    Receipt,
    Root,
    SealedOutbox,
    SealedPiece,
    SessionOpen,
)
from sync.protocol.ids import new_device_id, new_incarnation, new_record_id
from sync.protocol.kinds import KINDS
from sync.protocol.merge import Conflict
from sync.protocol.messages import (
    Change,
    Cursor,
    EnrolReply,
    ExchangeHead,
    OpResult,
    Paper,
    ReplyHead,
    SessionReply,
    Trouble,
)
from sync.protocol.ops import Act, Op
from sync.protocol.trust import DAY_MS

Send = Callable[[str, str, bytes, dict[str, str]], tuple[int, bytes]]


_LAST = [0]


def _stamp(now: int) -> int:
    """A clock stamp later than all given before, whichever device asks: a test's edits have an order."""
    _LAST[0] = clock.stamp(_LAST[0], now)
    return _LAST[0]


class Refusal(Exception):
    """The server said no."""

    def __init__(self, status: int, trouble: Trouble) -> None:
        super().__init__(f"{status} {trouble.problem.value} {trouble.title}")
        self.status = status
        self.trouble = trouble


@dataclass(frozen=True)
class Reply:
    """One answer, taken apart."""

    head: ReplyHead
    results: list[OpResult]
    changes: list[Change]
    conflicts: list[Conflict]
    papers: list[Paper]

    def paper(self, kind: str) -> Paper:
        """The one paper of that kind."""
        (found,) = [paper for paper in self.papers if paper.kind == kind]
        return found


def now_ms() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000


def frames_of(status: int, body: bytes) -> list[tuple[str, Any]]:
    """The frames of an answer; raises Refusal for a Trouble."""
    frames = codec.decode(body)
    if frames and frames[0][0] == messages.TROUBLE:
        raise Refusal(status, codec.read(frames[0][1], Trouble))
    assert status == 200
    return list(frames)


@dataclass
class Device:
    """One device."""

    send: Send
    name: str = "laptop"
    sign_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    seal_key: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    device: bytes = field(default_factory=new_device_id)
    incarnation: bytes = field(default_factory=new_incarnation)
    share: bytes = field(default_factory=lambda: os.urandom(32))
    now: Callable[[], int] = now_ms
    enrolment: str = ""
    root: Root | None = None
    given: EnrolReply | None = None
    cursor: Cursor = field(default_factory=Cursor)
    n: int = 0
    waiting: list[Op] = field(default_factory=list)
    rows: dict[bytes, Change] = field(default_factory=dict)
    conflicts: dict[bytes, Conflict] = field(default_factory=dict)
    session: SessionReply | None = None
    counter: int = 0
    sealed: bytes = b""
    applied_orders: list[Order] = field(default_factory=list)

    def wish(self, code: str) -> bytes:
        """A signed wish to be enrolled."""
        read = codes.read(code)
        status, body = self.send("GET", messages.ROOT_PATH, b"", {})
        assert status == 200
        self.root = trust.first_root(body, read.root_digest, self.now())
        document = Enrolment(
            code=read.secret.hex(),
            device=self.device.hex(),
            name=self.name,
            spki=signing.spki_of(self.sign_key),
            sealing_key=sealing.public_bytes(self.seal_key),
            share=self.share,
            share_sealed=sealing.seal(self.root.recovery, sealing.SHARE, self.share),
            platform="test",
            app_version="0",
            nonce=os.urandom(16).hex(),
            at=self.now(),
        )
        return signing.sign(document, ("", self.sign_key)).to_bytes()

    def enrol(self, code: str) -> EnrolReply:
        """Enrol with a code."""
        frames = frames_of(*self.send("POST", messages.ENROL_PATH, self.wish(code), {}))
        self.given = codec.read(frames[0][1], EnrolReply)
        self.enrolment = self.given.enrolment
        return self.given

    def opening(self, *, at: int | None = None, key: Ed25519PrivateKey | None = None, **other: Any) -> bytes:
        """A signed wish for a session."""
        assert self.root is not None
        fields: dict[str, Any] = {
            "org": self.root.org,
            "enrolment": self.enrolment,
            "device": self.device.hex(),
            "incarnation": self.incarnation.hex(),
            "last_n": self.n,
            "protocols": [1],
            "schema": 1,
            "state": "active",
            "nonce": os.urandom(16).hex(),
            "at": self.now() if at is None else at,
        }
        return signing.sign(SessionOpen(**{**fields, **other}), ("", key or self.sign_key)).to_bytes()

    def sign_in(self, body: bytes | None = None) -> SessionReply:
        """Open a session."""
        frames = frames_of(*self.send("POST", messages.SESSION_PATH, body or self.opening(), {}))
        self.session, self.counter = codec.read(frames[0][1], SessionReply), 0
        return self.session

    def headers(self, body: bytes, path: str = messages.EXCHANGE_PATH, verb: str = "POST") -> dict[str, str]:
        """The signature of a request within the session."""
        if self.session is None:
            self.sign_in()
        assert self.session is not None
        self.counter += 1
        return {
            messages.SESSION_HEADER: self.session.session.hex(),
            messages.COUNTER_HEADER: str(self.counter),
            messages.MAC_HEADER: messages.request_mac(self.session.key, verb, path, body, self.counter),
        }

    def body(self, ops: Sequence[Any] = (), **other: Any) -> bytes:
        """A request."""
        head: dict[str, Any] = {
            "incarnation": self.incarnation,
            "cursor": self.cursor,
            "state": "active",
            "nonce": os.urandom(16).hex(),
            "lease_left_ms": 504 * 3_600_000,
            "policy_version": 1,
            "root_version": 1,
            "order_head": 0,
            "unsent": len(self.waiting),
        }
        first = ExchangeHead(**{**head, **other})
        return codec.encode([(messages.HEAD, first), *((messages.OP, op) for op in ops)])

    def exchange(self, ops: Sequence[Any] | None = None, **other: Any) -> Reply:
        """Exchange once and take in what came; ops stay in `waiting` until they are acknowledged."""
        reply = self.ask(self.waiting[:1000] if ops is None else ops, **other)
        self.take(reply)
        return reply

    def ask(self, ops: Sequence[Any] = (), **other: Any) -> Reply:
        """Send and read, without taking anything in."""
        body = self.body(ops, **other)
        frames = frames_of(*self.send("POST", messages.EXCHANGE_PATH, body, self.headers(body)))
        types: dict[str, Any] = {
            messages.RESULT: OpResult,
            messages.CHANGE: Change,
            messages.CONFLICT: Conflict,
            messages.PAPER: Paper,
        }
        kinds: dict[str, list[Any]] = {tag: [] for tag in types}
        for tag, raw in frames[1:]:
            kinds[tag].append(codec.read(raw, types[tag]))
        return Reply(
            codec.read(frames[0][1], ReplyHead),
            kinds[messages.RESULT],
            kinds[messages.CHANGE],
            kinds[messages.CONFLICT],
            kinds[messages.PAPER],
        )

    def take(self, reply: Reply) -> None:
        """What a device does with an answer."""
        done = {op.n: op for op in self.waiting if op.n <= reply.head.acked_n}
        self.waiting = [op for op in self.waiting if op.n > reply.head.acked_n]
        for result in reply.results:
            if result.row is not None:
                self._row(result.row)
            elif (op := done.get(result.n)) is not None and result.outcome == "ok":
                self._own(op, result.ver)
        for change in reply.changes:
            self._row(change)
        self.conflicts.update((conflict.id, conflict) for conflict in reply.conflicts)
        self.cursor = reply.head.cursor

    def sync(self) -> None:
        """Exchange until nothing is left."""
        while self.exchange().head.more or self.waiting:
            pass

    def add(self, kind: str, id_: bytes | None = None, **values: Any) -> bytes:
        """A new record; its id."""
        id_ = id_ or new_record_id()
        table = KINDS[kind]
        self.op(kind, id_, Act.ADD, table.cells(table.check(values)))
        return id_

    def edit(self, id_: bytes, **values: Any) -> Op:
        """Change fields of a record this device holds."""
        row = self.rows[id_]
        table = KINDS[row.kind]
        before = self.cells(id_)
        changed = table.changes(before, table.check(values))
        was = {cell: before.get(cell) for cell in changed}
        return self.op(row.kind, id_, Act.SET, changed, base=row.ver, was=was)

    def edit_unsent(self, id_: bytes, **values: Any) -> Op:
        """Change fields of a record that the server has not seen."""
        (kind,) = {op.kind for op in self.waiting if op.id == id_}
        return self.op(kind, id_, Act.SET, KINDS[kind].cells(KINDS[kind].check(values)))

    def delete(self, id_: bytes) -> Op:
        """Delete a record."""
        return self.op(self.rows[id_].kind, id_, Act.DELETE, {}, base=self.rows[id_].ver)

    def op(self, kind: str, id_: bytes, act: Act, set_: dict[str, Any], **other: Any) -> Op:
        """Put one op into the queue."""
        self.n += 1
        stamp = _stamp(self.now())
        op = Op(n=self.n, kind=kind, id=id_, act=act, hlc=stamp, set=set_, first=self.n, **other)
        self.waiting.append(op)
        if self.root is not None:
            self.seal([op])
        return op

    def seal(self, ops: Sequence[Op]) -> None:
        """Put ops into the sealed outbox, in one record."""
        assert self.root is not None
        for _ops, frame in outbox_seal.seal_ops(self.root.recovery, self.device, self.incarnation, ops):
            self.sealed += frame

    def cells(self, id_: bytes) -> dict[str, Any]:
        """The cells of a row as plain values."""
        return {cell: msgspec.msgpack.decode(raw) for cell, raw in self.rows[id_].cells.items()}

    def _row(self, change: Change) -> None:
        if change.gone:
            self.rows.pop(change.id, None)
            return
        assert change.id not in self.rows or self.rows[change.id].ver <= change.ver
        self.rows[change.id] = change

    def _own(self, op: Op, ver: int) -> None:
        """An op was taken as it was sent: our row with it on top is the server's."""
        if op.act is Act.DELETE:
            self.rows.pop(op.id, None)
            return
        cells = self.cells(op.id) if op.id in self.rows else {}
        for cell, value in op.set.items():
            cells[cell] = value
        kept = {cell: msgspec.Raw(codec.pack(value)) for cell, value in cells.items() if value is not None}
        self.rows[op.id] = Change(kind=op.kind, id=op.id, ver=ver, cells=kept)

    def receipt(
        self, order: bytes, *, key: Ed25519PrivateKey | None = None, along: bool = True, **other: Any
    ) -> bytes:
        """The body that hands in the receipt for a wipe order, and `along` with it the sealed outbox."""
        payload = signing.open_envelope(order, Order.TYPE).payload
        said = documents.parse(payload, Order)
        fields: dict[str, Any] = {
            "receipt_id": said.order_id, "order_sha256": documents.digest(payload), "org": said.org,
            "enrolment": self.enrolment, "device": self.device.hex(), "policy_version": 1,
            "started": self.now(), "finished": self.now(), "files": Files(removed=3), "outbox": self.stated(),
            "keys": [Destroyed(name="ring.1", destroyed=True, verified_absent=True)],
            "app_version": "0", "result": "wiped",
        }  # fmt: skip
        envelope = signing.sign(Receipt(**{**fields, **other}), ("", key or self.sign_key)).to_bytes()
        parts = [self.sealed] if along and self.sealed else []
        head = messages.ReceiptHead(receipt=envelope, parts=len(parts))
        return codec.encode([(messages.HEAD, head), *((messages.PART, part) for part in parts)])

    def stated(self, sealed: bytes | None = None) -> SealedOutbox:
        """What a sealed outbox, its own one if none is given, comes to."""
        return outbox_seal.measured(io.BytesIO(self.sealed if sealed is None else sealed))

    def piece(
        self, data: bytes, offset: int = 0, *, key: Ed25519PrivateKey | None = None, **other: Any
    ) -> bytes:
        """The body that hands in a piece of its sealed outbox, or asks with b""."""
        assert self.root is not None
        fields: dict[str, Any] = {
            "org": self.root.org, "enrolment": self.enrolment, "device": self.device.hex(),
            "whole": self.stated(), "offset": offset, "length": len(data), "sha256": hashlib.sha256(data).hexdigest(),
        }  # fmt: skip
        envelope = signing.sign(SealedPiece(**{**fields, **other}), ("", key or self.sign_key)).to_bytes()
        parts = [(messages.PART, data)] if data else []
        return codec.encode([(messages.HEAD, messages.PieceHead(piece=envelope)), *parts])

    def hand_up(self, body: bytes) -> messages.PieceReply:
        """Hand in a piece."""
        frames = frames_of(*self.send("POST", messages.SEALED_PATH, body, {}))
        return codec.read(frames[0][1], messages.PieceReply)

    def hand_up_all(self, size: int = 2**18) -> messages.PieceReply:
        """Hand in what the server lacks of the sealed outbox."""
        reply = self.hand_up(self.piece(b""))
        while not reply.whole:
            reply = self.hand_up(self.piece(self.sealed[reply.held : reply.held + size], reply.held))
        return reply

    def hand_in(self, body: bytes) -> messages.ReceiptReply:
        """Hand in a receipt."""
        frames = frames_of(*self.send("POST", messages.RECEIPT_PATH, body, {}))
        return codec.read(frames[0][1], messages.ReceiptReply)


class Tls:
    """A line to a server over TLS 1.3, kept alive; knows the organisation's certificate alone."""

    def __init__(self, url: str, ca_pem: str | None) -> None:
        parts = urlsplit(url)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        if ca_pem is None:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        else:
            context.load_verify_locations(cadata=ca_pem)
        self._line = http.client.HTTPSConnection(str(parts.hostname), parts.port, context=context, timeout=30)

    def __call__(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        self._line.request(method, path, body or None, headers)
        answer = self._line.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """Close the line."""
        self._line.close()


Dial = Callable[[str, str | None], Tls]

__all__ = ["DAY_MS", "Device", "Dial", "Refusal", "Reply", "Tls", "frames_of", "now_ms"]
