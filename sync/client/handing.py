"""Hands the sealed outbox of a device in, piece by piece: from where the server stopped, until it holds all of it.

Neither a store nor a session is needed, only the device key; a wiped device has no more than that. Every piece says
what it is a piece of and is signed by itself, so a cut, a kill or a restart on either side costs a piece at most.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, Final

from sync.client.blobs import climb as climb_of
from sync.client.blobs import is_final
from sync.client.errors import ServerRefused, Unreachable
from sync.client.https import Https, own_trust
from sync.client.line import Identity, head, whole
from sync.client.pieces import Climb
from sync.protocol import codec, documents, messages, outbox_seal, signing
from sync.protocol.documents import Receipt, Root, SealedOutbox, SealedPiece
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _

PIECE: Final = 256 * 2**10  # bytes that go up within a request's deadline on a slow line, too

Step = Callable[[], None]


def no_step() -> None:
    """Called after each piece that the server holds; tests kill the process here."""


def hand_in(url: str, root: Root, who: Identity, sealed: BinaryIO, step: Step = no_step) -> SealedOutbox:
    """Hand a sealed outbox in; what it came to, once the server holds the whole of it, durably.

    For a device whose store is lost; a wiped one uses `hand_in_receipt`. Raises ExchangeError, KnownError; what the
    server holds by then it keeps, and the next call goes on behind it.
    """
    stated = outbox_seal.measured(sealed)
    if stated.length:
        with closing(Https(url, own_trust(root.tls_ca))) as line:
            _hand_up(line, who, sealed, stated, step)
    return stated


def hand_in_receipt(
    url: str,
    root: Root,
    receipt: bytes,
    who: Callable[[], Identity],
    sealed: BinaryIO,
    step: Step = no_step,
    order: bytes = b"",
) -> str:
    """Hand in a wipe's receipt and the sealed outbox; the receipt id once the server holds both, durably.

    `order` is the order that was obeyed, for a server that has lost it.

    What fits one request goes along with the receipt, which vouches for it; anything larger goes ahead of it, signed
    by `who`. Raises ExchangeError, KnownError, and what `who` raises.
    """
    envelope = signing.open_envelope(receipt, Receipt.TYPE)
    stated = documents.parse(envelope.payload, Receipt).outbox
    if outbox_seal.measured(sealed) != stated:
        raise KnownError(
            _("The sealed copy of unsent work is not what the receipt says."),
            _("Nothing was removed. Ask IT."),
        )
    sealed.seek(0)
    along = sealed.read() if stated.length <= messages.SEALED_PART else b""
    with closing(Https(url, own_trust(root.tls_ca))) as line:
        if stated.length and not along:
            _hand_up(line, who(), sealed, stated, step)
        parts = [(messages.PART, along)] if along else []
        first = messages.ReceiptHead(receipt=receipt, parts=len(parts), order=order)
        body = codec.encode([(messages.HEAD, first), *parts])
        return head(_answer(line, messages.RECEIPT_PATH, body), messages.ReceiptReply).receipt_id


def hand_in_blobs(url: str, root: Root, who: Identity, blobs: Sequence[Path], step: Step = no_step) -> None:
    """Hand in attached files of a device that has no store any more; one that the server will never take stays out.

    Raises ExchangeError; what the server holds by then it keeps, and the next call goes on behind it.
    """
    with closing(Https(url, own_trust(root.tls_ca))) as line:
        for path in blobs:
            with path.open("rb") as source:
                climb = climb_of(line, who, path.name, source)
                try:
                    while not climb.step(PIECE):
                        step()
                    step()
                except ServerRefused as refusal:
                    if not is_final(refusal):
                        raise


def _hand_up(line: Https, who: Identity, sealed: BinaryIO, stated: SealedOutbox, step: Step) -> None:
    stuck = Unreachable(
        _("The server does not take the sealed copy of unsent work."),
        _("It stays on this device and is handed in later. Tell IT if this goes on."),
    )
    climb = Climb(lambda at, data: _post(line, who, stated, at, data), sealed, stated.length, stuck)
    asked = False
    while not climb.step(PIECE):
        if asked:
            step()
        asked = True
    if asked:
        step()


def _post(line: Https, who: Identity, stated: SealedOutbox, offset: int, data: bytes) -> messages.PieceReply:
    """Send one piece, or ask with an empty one; how much the server holds then."""
    piece = SealedPiece(
        org=who.org,
        enrolment=who.enrolment,
        device=who.device,
        whole=stated,
        offset=offset,
        length=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )
    frames: list[tuple[str, object]] = [(messages.HEAD, messages.PieceHead(piece=who.sign(piece).to_bytes()))]
    if data:
        frames.append((messages.PART, data))
    return head(_answer(line, messages.SEALED_PATH, codec.encode(frames)), messages.PieceReply)


def _answer(line: Https, path: str, body: bytes) -> list[tuple[str, codec.Raw]]:
    return whole(line.post(path, body, {}, codec.MEDIA_TYPE))
