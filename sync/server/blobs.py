"""Takes the encrypted bytes of attached files in, piece by piece, and gives them to who sees a record that names them.

Nobody here can open one: the key stands in the record. A blob is known by the SHA-256 of what lies here and counts once
all of it is here and that digest holds. A device may bring one at any time, before its record or without it, locked or
wiped: each piece is signed with the device key, as those of a sealed outbox are. What each device brings lies apart
until it is whole: everybody who sees the record knows the digest, and may send what is not its bytes. To fetch one it
needs a session and a person who sees a kept record that names it, with its care class, at the moment of the request.

A blob that no kept record has named for `FORGOTTEN_MS` loses its bytes, unless the work that names it may still come.
"""

from __future__ import annotations

import hashlib
import secrets

import msgspec

from sync.protocol import blob_seal, codec, messages
from sync.protocol.documents import BlobPiece
from sync.protocol.errors import Problem
from sync.protocol.kinds import KINDS
from sync.protocol.messages import BlobGet, BlobGetReply, PieceReply
from sync.protocol.texts import gettext as _
from sync.server import access, exchange, handin, limits, logs, post
from sync.server.db.base import Store, Transaction
from sync.server.db.kept import Blob, Device
from sync.server.errors import RequestProblem
from sync.server.handin import Step

_DIGEST_BYTES = 32
_PLACE_BYTES = 16
_READ = 2**20  # bytes read at once


def take(store: Store, envelope: bytes, data: bytes, now: int, step: Step) -> PieceReply:
    """Keep a piece that begins where the last one ended; how much is here then. Any other changes nothing.

    Raises RequestProblem, Refused, StoreError.
    """
    with store.read() as tx:
        device, piece = handin.believed(tx, envelope, data, BlobPiece)
        sha256 = _digest(piece.blob)
        if not 0 < piece.of <= blob_seal.BLOB_MAX:
            raise RequestProblem(Problem.TOO_BIG, why="blob too large")
        handin.fits(data, piece.offset, piece.of)
        found = _here(tx, device, sha256)
    if data and piece.offset == (found.held if found else 0):
        handin.room(store, piece.of - piece.offset)
        with store.write() as tx:
            found = _begun(tx, device, sha256, piece.of, now)
            if piece.offset == found.held:
                tx.blobs.put_piece(found.place, piece.offset, data)
                found = msgspec.structs.replace(found, held=found.held + len(data))
                tx.blobs.put_blob(found)
            step("blob piece applied")
        step("blob piece committed")
    if found is None:
        return PieceReply(held=0)
    if not found.whole and found.held == found.length:
        found = _judged(store, device, found)
    logs.note("blob", device=device.enrolment, held=found.held, of=found.length)
    return PieceReply(held=found.held, whole=found.whole)


def give(store: Store, enrolment: str, body: bytes, now: int) -> bytes:
    """The body of the answer to a request for a blob. Raises RequestProblem, BadFrames."""
    frames = codec.decode(body)
    if len(frames) != 1 or frames[0][0] != messages.HEAD:
        raise RequestProblem(Problem.BAD_REQUEST, why="no head")
    asked = codec.read(frames[0][1], BlobGet)
    if not 0 <= asked.offset < 2**53 or not 0 < asked.most <= messages.BLOB_PIECE:
        raise RequestProblem(Problem.BAD_REQUEST, why="offset")
    with store.read() as tx:
        _refuse_who_may_not(tx, enrolment, asked, now)
        found = next(iter(tx.blobs.blobs(asked.sha256)), None)
        if found is not None and found.gone:
            raise _not_here()
        if found is None or not found.whole:
            raise RequestProblem(
                Problem.GAP,
                _("This attachment has not gone up yet."),
                _("It comes when the device that attached it has a connection."),
                why="blob missing",
                expected=found.held if found else 0,
            )
        data = tx.blobs.bytes_of(found.place, asked.offset, asked.most)
    return codec.encode([(messages.HEAD, BlobGetReply(length=found.length)), (messages.PART, data)])


def forget(store: Store, now: int) -> int:
    """Drop the bytes that no kept record has named for long; how many blobs. Raises StoreError."""
    before = now - limits.FORGOTTEN_MS
    with store.read() as tx:
        if not tx.blobs.forgotten(before):
            return 0
    with store.write() as tx:
        found = tx.blobs.forgotten(before)
        for each in found:
            _drop(tx, each)
    logs.note("blobs forgotten", count=len(found))
    return len(found)


def _refuse_who_may_not(tx: Transaction, enrolment: str, asked: BlobGet, now: int) -> None:
    """What somebody does not see and what there is not are one and the same answer. Raises RequestProblem."""
    device, person = exchange.who(tx, enrolment)
    post.refuse_closed(tx, device, now)
    held = tx.records.held(asked.record)
    if held is None or held.row.deleted or not access.sees(person.rights, held.row.kind, held.scope):
        raise _not_here()
    kind = KINDS.get(held.row.kind)
    for field in kind.contents if kind else ():
        content = held.row.cells.get(field.name)
        if content is not None and content["sha256"] == asked.sha256 and field.care <= person.rights.care:
            return
    raise _not_here()


def _here(tx: Transaction, device: Device, sha256: bytes) -> Blob | None:
    """The whole blob, whoever brought it, or what this device has brought of it."""
    here = [each for each in tx.blobs.blobs(sha256) if not each.gone]
    return next((each for each in here if each.whole or each.enrolment == device.enrolment), None)


def _begun(tx: Transaction, device: Device, sha256: bytes, length: int, now: int) -> Blob:
    """The row of a blob, made if this is its first piece. What a device brings that no record names is bounded, and
    what it has not finished; that makes room, the oldest first. Raises RequestProblem.
    """
    found = _here(tx, device, sha256)
    if found is not None:
        if found.length != length:
            raise RequestProblem(Problem.BAD_REQUEST, why="blob stated in two ways")
        return found
    counted = tx.blobs.uncounted(device.enrolment)
    if tx.blobs.is_named(sha256):
        counted = [each for each in counted if not each.whole]
    while sum(each.length for each in counted) + length > limits.UNNAMED_MAX:
        unfinished = next((each for each in counted if not each.whole), None)
        if unfinished is None:
            raise RequestProblem(
                Problem.BUSY,
                _("The server takes no more attachments of this device for now."),
                _("They stay on this device and go up later. Tell IT if this stays."),
                why="too many unnamed blobs",
                retry_after=limits.MINUTE_MS // 1000,
            )
        _drop(tx, unfinished)
        counted.remove(unfinished)
    place = secrets.token_bytes(_PLACE_BYTES)
    fresh = Blob(sha256=sha256, enrolment=device.enrolment, place=place, length=length, begun=now)
    tx.blobs.put_blob(fresh)
    return fresh


def _judged(store: Store, device: Device, found: Blob) -> Blob:
    """A blob of which every byte is here: whole if its digest is its name, else dropped. Raises RequestProblem.

    It is read outside the write; nobody changes a piece that is here.
    """
    digest, at = hashlib.sha256(), 0
    with store.read() as tx:
        while data := tx.blobs.bytes_of(found.place, at, _READ):
            digest.update(data)
            at += len(data)
    with store.write() as tx:
        kept = _here(tx, device, found.sha256)
        if kept is None or kept.place != found.place or kept.whole or kept.held < kept.length:
            return kept or msgspec.structs.replace(found, held=0)  # others were here meanwhile
        if digest.digest() == kept.sha256:
            for other in tx.blobs.blobs(kept.sha256):
                if other.place != kept.place:
                    _drop(tx, other)
            kept = msgspec.structs.replace(kept, whole=True)
            tx.blobs.put_blob(kept)
            return kept
        _drop(tx, kept)
    raise RequestProblem(Problem.BAD_REQUEST, why="blob differs from its name")


def _drop(tx: Transaction, blob: Blob) -> None:
    tx.blobs.drop_pieces(blob.place)
    tx.blobs.put_blob(msgspec.structs.replace(blob, held=0, whole=False, gone=True))


def _digest(text: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != _DIGEST_BYTES:
        raise RequestProblem(Problem.BAD_REQUEST, why="no such blob")
    return found


def _not_here() -> RequestProblem:
    return RequestProblem(
        Problem.NOT_HERE,
        _("The server has no such attachment for you."),
        _("It may have been removed, or went to another team. Connect and run: fieldkeep sync"),
        why="no blob for this person",
    )
