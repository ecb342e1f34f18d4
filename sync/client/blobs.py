"""The encrypted bytes of attached files on their way: up, signed piece by piece, and down within a session."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from sync.client.errors import ServerRefused, Unreachable
from sync.client.line import Identity, Line, head, whole
from sync.client.pieces import Climb, Pace
from sync.client.ports import Position, Transport
from sync.protocol import blob_seal, codec, messages
from sync.protocol.documents import BlobPiece
from sync.protocol.errors import BadFrames, Problem
from sync.protocol.messages import BlobGet, BlobGetReply, PieceHead, PieceReply
from sync.protocol.texts import gettext as _

_READ: Final = 2**20
_PRIVATE: Final = 0o600
_NEVER: Final = (Problem.TOO_BIG, Problem.BAD_REQUEST, Problem.NOT_HERE)


def climb(transport: Transport, who: Identity, blob: str, source: BinaryIO) -> Climb:
    """A blob of this digest (hex) on its way up."""
    length = source.seek(0, os.SEEK_END)

    def ask(offset: int, data: bytes) -> PieceReply:
        piece = BlobPiece(
            org=who.org,
            enrolment=who.enrolment,
            device=who.device,
            blob=blob,
            of=length,
            offset=offset,
            length=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
        )
        frames: list[tuple[str, object]] = [(messages.HEAD, PieceHead(piece=who.sign(piece).to_bytes()))]
        if data:
            frames.append((messages.PART, data))
        body = codec.encode(frames)
        return head(whole(transport.post(messages.BLOB_PUT_PATH, body, {}, codec.MEDIA_TYPE)), PieceReply)

    return Climb(
        ask,
        source,
        length,
        Unreachable(
            _("The server does not take an attachment."),
            _("It stays on this device and goes up later. Tell IT if this goes on."),
        ),
    )


def is_final(refusal: ServerRefused) -> bool:
    """Whether the server will never take a blob, however often it is asked."""
    return refusal.problem in _NEVER


def fetch(
    line: Line,
    position: Position,
    record: bytes,
    sha256: bytes,
    place: Path,
    told: Callable[[int, int], None] = lambda done, of: None,
) -> None:
    """The blob that a record names, into the file at `place`, behind what an earlier try has brought there.

    `told` hears how much is here, and of how much; what it raises ends it, and what is here stays for the next try.
    Another process may be at the same: each writes where a piece belongs, so both write the same.
    Raises ExchangeError, OSError.
    """
    pace = Pace()
    line.open(position, "active")
    with os.fdopen(os.open(place, os.O_RDWR | os.O_CREAT, _PRIVATE), "r+b") as file:
        at = file.seek(0, os.SEEK_END)
        while True:
            length, data = _piece(
                line, position, BlobGet(record=record, sha256=sha256, offset=at, most=pace.begins())
            )
            pace.ended()
            if at > length:
                break  # what an earlier try left is none of it
            file.seek(at)
            file.write(data)
            at += len(data)
            told(at, length)
            if at == length:
                break
            if not data:
                raise _damaged()
        file.flush()
        os.fsync(file.fileno())
        file.seek(0)
        holds = _digest(file) == sha256
    if not holds:
        with contextlib.suppress(OSError):
            place.unlink()
        raise _damaged()


def _digest(file: BinaryIO) -> bytes:
    digest = hashlib.sha256()
    while data := file.read(_READ):
        digest.update(data)
    return digest.digest()


def _piece(line: Line, position: Position, asked: BlobGet) -> tuple[int, bytes]:
    """How long the whole is, and what begins where it was asked for; in a new session where the server has forgotten
    ours.
    """
    body = codec.encode([(messages.HEAD, asked)])
    try:
        answer = line.post(messages.BLOB_GET_PATH, body)
    except ServerRefused as refusal:
        if refusal.problem is not Problem.UNSIGNED:
            raise
        line.open(position, "active")
        answer = line.post(messages.BLOB_GET_PATH, body)
    frames = whole(answer)
    reply = head(frames, BlobGetReply)
    try:
        data = codec.read(frames[1][1], bytes) if len(frames) == 2 and frames[1][0] == messages.PART else None
    except BadFrames:
        data = None
    # No file is larger: a server that says so would fill the disk.
    fits = data is not None and len(data) <= min(asked.most, max(0, reply.length - asked.offset))
    if data is None or not fits or not 0 <= reply.length <= blob_seal.BLOB_MAX:
        raise _damaged()
    return reply.length, data


def _damaged() -> Unreachable:
    return Unreachable(
        _("An attachment arrived damaged and was not used."), _("Open it again: it is fetched anew.")
    )
