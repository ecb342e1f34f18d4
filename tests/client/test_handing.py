"""A sealed outbox goes up piece by piece over real TLS, from where the server stopped, until it has all of it."""

from __future__ import annotations

import io
import os
import ssl
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.client import handing
from sync.client.errors import ServerRefused, Unreachable
from sync.client.line import Identity
from sync.protocol import codec, documents, messages, outbox_seal, signing
from sync.protocol.documents import Receipt, SealedOutbox, SealedPiece
from sync.protocol.errors import KnownError, Problem
from sync.protocol.messages import PieceHead, PieceReply, ReceiptHead, ReceiptReply, Trouble
from tests.client import servers
from tests.client.servers import Talk, always, answer, serving
from tests.protocol import authority

OURS = servers.Authority()
ROOT = authority.Authority().root(tls_ca=[OURS.pem])
KEY = Ed25519PrivateKey.generate()
WHO = Identity(authority.ORG, authority.LAPTOP, "0b" * 16, lambda document: signing.sign(document, ("", KEY)))
LARGE = messages.SEALED_PART + 300_000


@pytest.fixture
def ours(tmp_path: Path) -> ssl.SSLContext:
    """The TLS context of the organisation's server."""
    return OURS.context(tmp_path)


class Counter:
    """A server that keeps the pieces it is sent, and may lose, repeat or break off."""

    def __init__(self) -> None:
        self.held = b""
        self.receipts: list[tuple[bytes, bytes]] = []
        self.deaf_after = 10**9
        self.asked = 0

    def __call__(self, talk: Talk) -> None:
        self.asked += 1
        if self.asked > self.deaf_after:
            raise ConnectionResetError  # the line is cut
        frames = codec.decode(talk.asked.body)
        parts = b"".join(codec.read(raw, bytes) for tag, raw in frames[1:] if tag == messages.PART)
        if talk.asked.target == messages.RECEIPT_PATH:
            head = codec.read(frames[0][1], ReceiptHead)
            assert head.parts == len(frames) - 1
            self.receipts.append((head.receipt, parts))
            reply: object = ReceiptReply(receipt_id="r1")
        else:
            assert talk.asked.target == messages.SEALED_PATH
            said = self.piece(codec.read(frames[0][1], PieceHead).piece, parts)
            if said.offset == len(self.held):
                self.held += parts
            reply = PieceReply(held=len(self.held), whole=len(self.held) == said.whole.length)
        talk.send(answer(codec.encode([(messages.HEAD, reply)])))

    @staticmethod
    def piece(envelope: bytes, data: bytes) -> SealedPiece:
        """What was signed of a piece, checked as the server does."""
        opened = signing.open_envelope(envelope, SealedPiece.TYPE)
        assert signing.verifies(opened, signing.spki_of(KEY))
        said = documents.parse(opened.payload, SealedPiece)
        assert (said.org, said.enrolment, said.device) == (WHO.org, WHO.enrolment, WHO.device)
        assert said.length == len(data) <= handing.PIECE
        return said


def nobody() -> Identity:
    """The keyring need not be asked."""
    raise AssertionError("no signature is needed")


def receipt(sealed: bytes) -> bytes:
    """A receipt that names this outbox."""
    said = authority.Authority().receipt()
    stated = outbox_seal.measured(io.BytesIO(sealed))
    return signing.sign(msgspec.structs.replace(said, outbox=stated), ("", KEY)).to_bytes()


def hand_in_receipt(url: str, sealed: bytes, who: Callable[[], Identity] = lambda: WHO) -> str:
    return handing.hand_in_receipt(url, ROOT, receipt(sealed), who, io.BytesIO(sealed))


@pytest.mark.parametrize("size", [0, 1, messages.SEALED_PART])
def test_what_fits_goes_along_with_its_receipt(ours: ssl.SSLContext, size: int) -> None:
    sealed, server = os.urandom(size), Counter()
    with serving(server, ours) as here:
        assert hand_in_receipt(here.url, sealed, nobody) == "r1"
    [(envelope, along)] = server.receipts
    assert (documents.parse(signing.open_envelope(envelope, "receipt").payload, Receipt).outbox.length, along) == (
        size, sealed,
    )  # fmt: skip
    assert server.asked == 1


def test_what_does_not_fit_goes_before_its_receipt(ours: ssl.SSLContext) -> None:
    sealed, server = os.urandom(LARGE), Counter()
    with serving(server, ours) as here:
        assert hand_in_receipt(here.url, sealed) == "r1"
    assert server.held == sealed
    assert [along for _envelope, along in server.receipts] == [b""]
    assert server.asked == 1 + -(-LARGE // handing.PIECE) + 1


@pytest.mark.parametrize("cut", range(1, 8))
def test_a_line_cut_at_any_request_costs_one_piece(ours: ssl.SSLContext, cut: int) -> None:
    sealed, server = os.urandom(LARGE), Counter()
    server.deaf_after = cut
    with serving(server, ours) as here:
        with pytest.raises(Unreachable):
            hand_in_receipt(here.url, sealed)
        held = len(server.held)
        server.deaf_after, server.asked = 10**9, 0
        assert hand_in_receipt(here.url, sealed) == "r1"
    assert server.held == sealed
    assert server.asked == 1 + -(-(LARGE - held) // handing.PIECE) + 1


def test_a_device_without_a_receipt_hands_its_work_in_too(ours: ssl.SSLContext) -> None:
    sealed, server, steps = os.urandom(LARGE), Counter(), []
    with serving(server, ours) as here:
        stated = handing.hand_in(
            here.url, ROOT, WHO, io.BytesIO(sealed), lambda: steps.append(len(server.held))
        )
        assert handing.hand_in(here.url, ROOT, WHO, io.BytesIO(sealed)) == stated
        assert handing.hand_in("https://nowhere.invalid", ROOT, WHO, io.BytesIO()).length == 0
    assert (server.held, stated.length) == (sealed, LARGE)
    assert steps == sorted(set(steps)) and steps[-1] == LARGE
    assert server.receipts == []


def test_a_file_that_is_not_what_the_receipt_says_stays_where_it_is(ours: ssl.SSLContext) -> None:
    sealed, server = os.urandom(100), Counter()
    with serving(server, ours) as here, pytest.raises(KnownError, match="not what the receipt says"):
        handing.hand_in_receipt(here.url, ROOT, receipt(sealed), lambda: WHO, io.BytesIO(sealed[:-1]))
    assert server.asked == 0


@pytest.mark.parametrize(
    "reply", [{"held": -1}, {"held": LARGE + 1}, {"held": 5, "whole": True}, {"held": 0}, {}]
)
def test_an_answer_that_leads_nowhere_is_given_up(ours: ssl.SSLContext, reply: dict[str, object]) -> None:
    body = codec.encode([(messages.HEAD, reply)])
    with serving(always(answer(body)), ours) as here:
        with pytest.raises(Unreachable):
            handing.hand_in(here.url, ROOT, WHO, io.BytesIO(os.urandom(LARGE)))
        assert len(here.asked) <= 4


def test_a_full_server_is_told_in_its_own_words(ours: ssl.SSLContext) -> None:
    said = Trouble(problem=Problem.BUSY, title="The server's disk is full.", retry_after=5)
    full = answer(
        codec.encode([(messages.TROUBLE, said)]), status="503 Service Unavailable", media=codec.MEDIA_TYPE
    )
    with serving(always(full), ours) as here, pytest.raises(ServerRefused, match="disk is full"):
        handing.hand_in(here.url, ROOT, WHO, io.BytesIO(b"x"))


def test_no_more_than_a_piece_is_in_memory(ours: ssl.SSLContext) -> None:
    class File(io.BytesIO):
        largest = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            File.largest = max(File.largest, len(data))
            return data

    server = Counter()
    with serving(server, ours) as here:
        handing.hand_in(here.url, ROOT, WHO, File(os.urandom(5 * 2**20)))
    assert File.largest <= 2**20
    assert SealedOutbox(length=5 * 2**20, sha256="", records=0).length == len(server.held)
