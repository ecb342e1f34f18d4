"""Takes sealed outboxes in, piece by piece, and says how far each is; nobody here can open one.

A device may come with a sealed outbox at any time: before the receipt of a wipe, or because its store is lost. Every
piece is signed with the device key and names the whole that it belongs to. An outbox counts once all of it is here
and its digest and the number of its records are what the device said; from then on it is neither changed nor
dropped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar

import msgspec

from sync.protocol import codec, documents, messages, signing
from sync.protocol.documents import WIPE, BlobPiece, Root, SealedOutbox, SealedPiece
from sync.protocol.errors import Problem, Refused
from sync.protocol.messages import PieceHead, PieceReply
from sync.protocol.outbox_seal import Measure
from sync.protocol.texts import gettext as _
from sync.server import limits, logs
from sync.server.db.base import Store, Transaction
from sync.server.db.kept import AuditLine, Device, Sealed
from sync.server.errors import RequestProblem

Step = Callable[[str], None]
P = TypeVar("P", SealedPiece, BlobPiece)


def read(body: bytes) -> tuple[bytes, bytes]:
    """The envelope and the piece of a request, b"" where it only asks. Raises RequestProblem, BadFrames."""
    frames = codec.decode(body)
    if not 1 <= len(frames) <= 2 or frames[0][0] != messages.HEAD:
        raise RequestProblem(Problem.BAD_REQUEST, why="no head")
    if any(tag != messages.PART for tag, _raw in frames[1:]):
        raise RequestProblem(Problem.BAD_REQUEST, why="parts")
    data = codec.read(frames[1][1], bytes) if len(frames) == 2 else b""
    return codec.read(frames[0][1], PieceHead).piece, data


def take(store: Store, envelope: bytes, data: bytes, now: int, step: Step) -> PieceReply:
    """Keep a piece that begins where the last one ended; how much is here then. Any other changes nothing.

    Raises RequestProblem, Refused, StoreError.
    """
    with store.read() as tx:
        device, piece = _believed(tx, envelope, data)
        found = _of(tx, device.enrolment, piece.whole)
    if data and piece.offset == (found.held if found else 0):
        room(store, piece.whole.length - piece.offset)
        with store.write() as tx:
            found = begun(tx, device, piece.whole, now)
            if piece.offset == found.held:
                tx.post.put_piece(device.enrolment, found.sha256, piece.offset, data)
                found = msgspec.structs.replace(found, held=found.held + len(data))
                tx.post.put_sealed(found)
            step("piece applied")
        step("piece committed")
    if found is None:
        return PieceReply(held=0)
    if not found.whole and found.held == found.length:
        found = _judged(store, found, now)
    logs.note("sealed", device=device.enrolment, held=found.held, of=found.length)
    return PieceReply(held=found.held, whole=found.whole)


def begun(
    tx: Transaction, device: Device, stated: SealedOutbox, now: int, *, own_place: bool = False
) -> Sealed:
    """The record of a sealed outbox, made if this is its first piece.

    What a device hands in is bounded. When a new outbox does not fit beside the others, unfinished ones make room for
    it, the oldest first; one that is whole never does. Once a wipe is filed there is as much room again, so that what
    came before takes no place from what its receipt names; with `own_place` nothing else is asked. Raises
    RequestProblem.
    """
    known = tx.post.sealed(device.enrolment)
    for each in known:
        if stated_by(each) == stated:
            return each
        if each.sha256 == stated.sha256:
            raise RequestProblem(Problem.BAD_REQUEST, why="outbox stated in two ways")
    wiped = any(order.op == WIPE for order in tx.post.orders_for(device.enrolment))
    most, bytes_most = ((1 + wiped) * each for each in (limits.SEALED_AT_MOST, limits.SEALED_MAX))
    while not own_place and (len(known) >= most or _total(known) + stated.length > bytes_most):
        unfinished = next((each for each in known if not each.whole), None)
        if unfinished is None:
            raise RequestProblem(
                Problem.TOO_BIG,
                _("The unsent work of this device is more than the server takes."),
                _("It stays on the device. Ask IT."),
                why="sealed too much",
            )
        tx.post.drop_sealed(unfinished.enrolment, unfinished.sha256)
        known.remove(unfinished)
    fresh = Sealed(
        enrolment=device.enrolment,
        sha256=stated.sha256,
        length=stated.length,
        records=stated.records,
        begun=now,
    )
    tx.post.put_sealed(fresh)
    return fresh


def holds(tx: Transaction, device: Device, stated: SealedOutbox) -> None:
    """That the whole of this outbox is here. Raises RequestProblem, which says how much is."""
    if not stated.length:
        if stated != Measure().stated():
            raise RequestProblem(Problem.BAD_REQUEST, why="outbox differs from its receipt")
        return
    found = _of(tx, device.enrolment, stated)
    if found is None or not found.whole:
        raise RequestProblem(
            Problem.GAP,
            _("The unsent work of this device has not arrived yet."),
            why="outbox missing",
            expected=found.held if found else 0,
        )


def take_along(
    tx: Transaction, device: Device, stated: SealedOutbox, data: bytes, now: int, *, own_place: bool
) -> None:
    """Keep an outbox that came with its receipt, in one piece; `own_place` for the first. Raises RequestProblem."""
    measure = Measure()
    measure.feed(data)
    if measure.stated() != stated:
        raise RequestProblem(Problem.BAD_REQUEST, why="outbox differs from its receipt")
    found = begun(tx, device, stated, now, own_place=own_place)
    if not found.whole:
        tx.post.drop_sealed(found.enrolment, found.sha256)  # pieces of it that came before
        tx.post.put_sealed(msgspec.structs.replace(found, held=stated.length, whole=True))
        tx.post.put_piece(found.enrolment, found.sha256, 0, data)


def signer(tx: Transaction, opened: signing.Envelope) -> Device | None:
    """The device whose key an envelope names; nothing in its payload is read for this, and nothing believed yet."""
    for signature in opened.signatures:
        if (device := tx.people.device_by_key(signature.keyid)) is not None:
            return device
    return None


def stated_by(sealed: Sealed) -> SealedOutbox:
    """What a device said of an outbox that it hands in."""
    return SealedOutbox(length=sealed.length, sha256=sealed.sha256, records=sealed.records)


def believed(tx: Transaction, envelope: bytes, data: bytes, type_: type[P]) -> tuple[Device, P]:
    """The device that signed this piece, and what it says of it. Raises RequestProblem, Refused."""
    opened = signing.open_envelope(envelope, type_.TYPE)
    device = signer(tx, opened)
    if device is None:
        raise RequestProblem(Problem.UNKNOWN_DEVICE, why="piece of an unknown key")
    if not signing.verifies(opened, device.spki):
        raise Refused("signature", _("Sealed work without this device's signature was refused."))
    piece = documents.parse(opened.payload, type_)
    root = documents.parse(signing.open_envelope(tx.post.newest(Root.TYPE)[1], Root.TYPE).payload, Root)
    if (piece.org, piece.enrolment, piece.device) != (root.org, device.enrolment, device.device.hex()):
        raise RequestProblem(Problem.BAD_REQUEST, why="piece of another device")
    if (piece.length, piece.sha256) != (len(data), hashlib.sha256(data).hexdigest()):
        raise RequestProblem(Problem.BAD_REQUEST, why="piece differs")
    return device, piece


def fits(data: bytes, offset: int, length: int) -> None:
    """Refuse a piece that is too large, or lies outside of its whole. Raises RequestProblem."""
    if len(data) > messages.SEALED_PART or not 0 <= offset <= length - len(data):
        raise RequestProblem(Problem.BAD_REQUEST, why="piece does not fit")


def _believed(tx: Transaction, envelope: bytes, data: bytes) -> tuple[Device, SealedPiece]:
    device, piece = believed(tx, envelope, data, SealedPiece)
    stated = piece.whole
    if not (0 < stated.length < 2**53 and 0 <= stated.records <= stated.length and len(stated.sha256) == 64):
        raise RequestProblem(Problem.BAD_REQUEST, why="no such outbox")
    fits(data, piece.offset, stated.length)
    return device, piece


def _judged(store: Store, found: Sealed, now: int) -> Sealed:
    """An outbox of which every byte is here: whole if digest and count are as stated, else dropped.

    Raises RequestProblem. It is read outside the write, since that takes seconds; nobody changes a piece that is here.
    """
    measure = Measure()
    with store.read() as tx:
        at = 0
        while data := tx.post.sealed_bytes(found.enrolment, found.sha256, at):
            measure.feed(data)
            at += len(data)
    with store.write() as tx:
        kept = _of(tx, found.enrolment, stated_by(found))
        if kept is None or kept.whole or kept.held < kept.length:
            return kept or msgspec.structs.replace(found, held=0)  # others were here meanwhile
        if measure.stated() == stated_by(kept):
            kept = msgspec.structs.replace(kept, whole=True)
            tx.post.put_sealed(kept)
            line = AuditLine(
                at=now, actor=kept.enrolment, verb="handed in", object=kept.enrolment, digest=kept.sha256
            )
            tx.post.audit(line)
            return kept
        tx.post.drop_sealed(kept.enrolment, kept.sha256)
    raise RequestProblem(Problem.BAD_REQUEST, why="outbox differs from what was stated")


def room(store: Store, wanted: int) -> None:
    """That the disk has room for so many bytes, and for the work of the others besides. Raises RequestProblem."""
    free = store.room()
    if free - wanted < limits.ROOM_KEPT:
        logs.alarm("disk", free=free, wanted=wanted)
        raise RequestProblem(
            Problem.BUSY,
            _("The server's disk is full."),
            _("Unsent work stays on this device and is handed in later. Tell IT."),
            why="disk full",
            retry_after=limits.RETRY_S,
        )


def _of(tx: Transaction, enrolment: str, stated: SealedOutbox) -> Sealed | None:
    return next((each for each in tx.post.sealed(enrolment) if stated_by(each) == stated), None)


def _total(known: list[Sealed]) -> int:
    return sum(each.length for each in known)
