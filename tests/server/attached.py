"""A device of the server's tests with a file: seals it, says of it what a record says, brings it up and fetches it."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.protocol import blob_seal, codec, messages, signing
from sync.protocol.documents import BlobPiece
from sync.protocol.messages import BlobGet, BlobGetReply, PieceHead, PieceReply
from tests.server.driver import Device, frames_of


@dataclass
class File:
    """A file as its device holds it."""

    plain: bytes
    key: bytes = field(default_factory=lambda: os.urandom(blob_seal.KEY_BYTES))
    blob: bytes = b""

    def __post_init__(self) -> None:
        target = io.BytesIO()
        self.sha256, self.size = blob_seal.seal(io.BytesIO(self.plain), target, self.key)
        self.blob = target.getvalue()

    def attach(self, device: Device, **where: bytes) -> bytes:
        """Have a device name it in a record, which waits in its outbox; the id."""
        content = {"sha256": self.sha256, "size": self.size, "key": self.key}
        return device.add("attachment", name="card.png", content=content, **where)


def put_body(
    device: Device,
    file: File,
    data: bytes,
    offset: int = 0,
    *,
    key: Ed25519PrivateKey | None = None,
    **other: Any,
) -> bytes:
    """The body that brings a piece, or asks with b""."""
    assert device.root is not None
    fields: dict[str, Any] = {
        "org": device.root.org, "enrolment": device.enrolment, "device": device.device.hex(),
        "blob": file.sha256.hex(), "of": len(file.blob), "offset": offset, "length": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }  # fmt: skip
    envelope = signing.sign(BlobPiece(**{**fields, **other}), ("", key or device.sign_key)).to_bytes()
    parts = [(messages.PART, data)] if data else []
    return codec.encode([(messages.HEAD, PieceHead(piece=envelope)), *parts])


def put(device: Device, body: bytes) -> PieceReply:
    """Bring a piece."""
    frames = frames_of(*device.send("POST", messages.BLOB_PUT_PATH, body, {}))
    return codec.read(frames[0][1], PieceReply)


def put_all(device: Device, file: File, size: int = 2**18) -> PieceReply:
    """Bring what the server lacks of a file."""
    reply = put(device, put_body(device, file, b""))
    while not reply.whole:
        reply = put(device, put_body(device, file, file.blob[reply.held : reply.held + size], reply.held))
    return reply


def get(
    device: Device, record: bytes, sha256: bytes, offset: int = 0, most: int = 2**18
) -> tuple[int, bytes]:
    """Ask for a piece within a session; how long the whole is, and the piece."""
    body = codec.encode([(messages.HEAD, BlobGet(record=record, sha256=sha256, offset=offset, most=most))])
    frames = frames_of(
        *device.send("POST", messages.BLOB_GET_PATH, body, device.headers(body, path=messages.BLOB_GET_PATH))
    )
    return codec.read(frames[0][1], BlobGetReply).length, codec.read(frames[1][1], bytes)


def get_all(device: Device, record: bytes, sha256: bytes, most: int = 2**18) -> bytes:
    """Fetch a whole blob."""
    found = b""
    while True:
        length, data = get(device, record, sha256, len(found), most)
        found += data
        if len(found) >= length:
            return found
