"""What version 1 of the protocol sent is read for ever: the files beside this test are never made anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.protocol import blob_seal, codec, digest, documents, outbox_seal, signing, trust
from sync.protocol.documents import (
    Admin,
    BlobPiece,
    Credential,
    Key,
    Order,
    Role,
    Root,
    SealedOutbox,
    SealedPiece,
    Site,
    Target,
)
from sync.protocol.errors import Outcome, Problem, Rejection
from sync.protocol.merge import Conflict
from sync.protocol.messages import (
    BlobGet,
    BlobGetReply,
    BucketHead,
    BucketReply,
    Change,
    Cursor,
    DigestHead,
    DigestReply,
    EnrolReply,
    ExchangeHead,
    OpResult,
    Paper,
    Person,
    PieceHead,
    PieceReply,
    ReceiptHead,
    ReceiptReply,
    RecordsHead,
    RecordsReply,
    ReplyHead,
    SessionReply,
    Trouble,
)
from sync.protocol.ops import Act, Op
from sync.protocol.outbox_seal import Part

OLD: Final = Path(__file__).with_name("old") / "1"
NOW: Final = 1_795_357_800_000
RECORD, EPOCH, INCARNATION = bytes(range(16)), b"epoch..1", b"incarn.1"
ANN: Final = Person(id=b"p" * 16, email="ann@example.com", role="rep", team="North", territory="Oslo")
CURSOR: Final = Cursor(epoch=EPOCH, seq=5_120, scopes=3, schema=1)
CELLS: Final[dict[str, Any]] = {
    "name": "王芳 & Sønner",
    "revenue": {"minor": 125_000, "currency": "EUR"},
    "phones/00000000000000aa": {"label": "work", "value": "+47 22 00 00 00"},
    "tags/vip": True,
    "employees": 12,
    "parent": RECORD,
    "do_not_contact": False,
}
OPS: Final = [
    Op(n=17, kind="customer", id=RECORD, act=Act.ADD, hlc=NOW << 16, set=CELLS, first=17),
    Op(
        n=18, kind="deal", id=RECORD, act=Act.SET, hlc=(NOW << 16) + 1, base=5_119, set={"stage": "won", "notes": None},
        was={"stage": "proposal", "notes": "n"}, first=17, origin=(b"d" * 16, INCARNATION, 4),
    ),
    Op(n=19, kind="task", id=RECORD, act=Act.DELETE, hlc=(NOW << 16) + 2, base=7, first=19),
    Op(n=20, kind="task", id=RECORD, act=Act.UNDELETE, hlc=(NOW << 16) + 3, base=7, first=20),
]  # fmt: skip


def _raw(cells: dict[str, Any]) -> dict[str, codec.Raw]:
    return {cell: codec.Raw(codec.pack(value)) for cell, value in cells.items()}


CHANGE: Final = Change(
    kind="customer", id=RECORD, ver=5_120, cells=_raw(CELLS), person="bob@example.com", hlc=NOW << 16
)
GONE: Final = Change(kind="customer", id=RECORD, ver=5_121, gone="left")

ENTRIES: Final = [
    digest.Entry(RECORD, 5_120, digest.digest_of(RECORD, 5_120, CELLS)),
    digest.Entry(RECORD, 5_121, digest.digest_of(RECORD, 5_121, None)),
]
SUMS: Final = digest.Sums()
for _entry in ENTRIES:
    SUMS.add(_entry.id, _entry.digest)

# Every body that version 1 sends, as the frames it holds.
BODIES: Final[dict[str, list[tuple[str, Any]]]] = {
    "exchange-up": [
        (
            "head",
            ExchangeHead(
                incarnation=INCARNATION, cursor=CURSOR, state="active", nonce="ab" * 16, lease_left_ms=1_000,
                policy_version=2, root_version=1, order_head=7, obeyed={"0f" * 16: "done"}, unsent=4,
                app_version="0.1.0", posture={"encrypted_disk": True}, ask_share=True, recovered=[b"k" * 16],
            ),
        ),
        *(("op", op) for op in OPS),
    ],
    "exchange-down": [
        (
            "head",
            ReplyHead(
                cursor=CURSOR, more=True, acked_n=20, durable_seq=5_000, server_time=NOW, order_head=7, person=ANN
            ),
        ),
        ("result", OpResult(n=17, outcome=Outcome.OK, ver=5_118)),
        ("result", OpResult(n=18, outcome=Outcome.CONFLICT, ver=5_120, conflicts=[b"c" * 16], row=CHANGE)),
        ("result", OpResult(n=19, outcome=Outcome.REJECTED, code=Rejection.FORBIDDEN, hint="Ask.")),
        ("result", OpResult(n=20, outcome=Outcome.MERGED, ver=5_121)),
        ("change", CHANGE),
        ("change", GONE),
        (
            "conflict",
            Conflict(
                id=b"c" * 16, kind="deal", record=RECORD, cell="stage", base="proposal", shown="lost",
                shown_by="bob@example.com", shown_hlc=5, kept="won", kept_by="ann@example.com", kept_hlc=6, ver=5_120,
            ),
        ),
        ("paper", Paper(kind="order", data=b"{}", id=b"o" * 16)),
        ("paper", Paper(kind="lease", data=b"{}")),
    ],
    "session-down": [
        (
            "head",
            SessionReply(
                session=b"s" * 16, key=b"k" * 32, epoch=EPOCH, acked_n=20, server_time=NOW, ops_max=500,
                page_rows=100, rollback=True,
            ),
        )
    ],
    "enrol-down": [
        (
            "head",
            EnrolReply(
                enrolment="11" * 16, person=ANN, org_name="Example", root=b"r", policy=b"p", lease=b"l",
                server_time=NOW,
            ),
        )
    ],
    "receipt-up": [("head", ReceiptHead(receipt=b"{}", parts=2)), ("part", b"first"), ("part", b"second")],
    "receipt-down": [("head", ReceiptReply(receipt_id="0f" * 16))],
    "sealed-up": [("head", PieceHead(piece=b"{}")), ("part", b"a piece")],
    "sealed-down": [("head", PieceReply(held=262_144, whole=True))],
    "blob-up": [("head", BlobGet(record=RECORD, sha256=b"\x0c" * 32, offset=262_144, most=65_536))],
    "blob-down": [("head", BlobGetReply(length=400_000)), ("part", b"a piece")],
    "digest-up": [("head", DigestHead(cursor=CURSOR, after=25_000))],
    "digest-down": [("head", DigestReply(sums=SUMS.packed(), upto=50_000, more=True, scopes=3, head=90_000))],
    "bucket-up": [("head", BucketHead(cursor=CURSOR, buckets=b"\x00\x11\xff", after=25_000))],
    "bucket-down": [
        ("head", BucketReply(entries=digest.pack_entries(ENTRIES), upto=50_000, more=True, scopes=3, head=90_000))
    ],
    "records-up": [("head", RecordsHead(cursor=CURSOR, ids=[RECORD, bytes(16)]))],
    "records-down": [
        ("head", RecordsReply(told=2, scopes=3, head=90_000)),
        ("change", CHANGE),
        ("change", Change(kind="", id=bytes(16), ver=0, gone="left")),
    ],
    "trouble": [
        (
            "trouble",
            Trouble(
                problem=Problem.GAP, title="No.", hint="Again.", expected=7, retry_after=5, server_time=NOW
            ),
        )
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_version_1_is_read(name: str) -> None:
    frames = codec.decode((OLD / f"{name}.bin").read_bytes())
    assert [tag for tag, _raw in frames] == [tag for tag, _value in BODIES[name]]
    for (_tag, raw), (_same, value) in zip(frames, BODIES[name], strict=True):
        read = codec.read(raw, type(value))
        assert codec.pack(read) == codec.pack(value)


def test_a_digest_of_version_1_is_what_it_was() -> None:
    """Whatever the order of cells and of their parts, and cells without a value count as not there."""
    frames = codec.decode((OLD / "bucket-down.bin").read_bytes())
    told = list(digest.entries_of(codec.read(frames[0][1], BucketReply).entries))
    other = {cell: CELLS[cell] for cell in reversed(CELLS)} | {"industry": None}
    other["revenue"] = dict(reversed(CELLS["revenue"].items()))
    assert [each.digest for each in told] == [
        digest.digest_of(RECORD, 5_120, other),
        digest.digest_of(RECORD, 5_121, None),
    ]
    assert {digest.bucket_of(each.id) for each in told} == {136}
    assert (
        len({digest.digest_of(RECORD, 5_120, each) for each in (CELLS, {}, None, {**CELLS, "employees": 13})})
        == 4
    )


def test_every_old_body_is_tried() -> None:
    kept = {file.stem for file in OLD.glob("*.bin")}
    alone = {"outbox-part", "order-key-file", "order-passkey", "root", "sealed-piece", "blob-piece", "blob"}
    assert kept == {*BODIES, *alone}


def test_what_an_outbox_of_version_1_sealed_is_read() -> None:
    part = outbox_seal.read_part((OLD / "outbox-part.bin").read_bytes())
    assert part == Part(device=b"d" * 16, incarnation=INCARNATION, ops=OPS)


# --- signed documents: their bytes are what counts --------------------------------------------

ROOT_KEY, ANNS_KEY = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
ORDER: Final = Order(
    order_id="0f" * 16, seq=7, op="wipe", org="0a" * 16, root_version=1,
    devices=[Target(enrolment="11" * 16, name="laptop")], reason="lost", issued=NOW, not_before=NOW,
    expires=NOW + 86_400_000,
)  # fmt: skip
PASSKEY: Final = bytes.fromhex(
    "3059301306072a8648ce3d020106082a8648ce3d030107034200049ce3dfc9eb193e92049e8c87ec7f18da05e7c2"
    "41abf871b9e580cd382c55857fdcce1ec9bfa80de8bfc1dffecf9f8ab0724610c2dffae442fcd23e631fcb69b2"
)


PIECE: Final = SealedPiece(
    org="0a" * 16, enrolment="11" * 16, device="0b" * 16, offset=262_144, length=7, sha256="0c" * 32,
    whole=SealedOutbox(length=400_000, sha256="0d" * 32, records=9),
)  # fmt: skip


def _root() -> Root:
    role = Role(keys=[Key(alg="ed25519", spki=signing.spki_of(ROOT_KEY))])
    return Root(
        version=1, org="0a" * 16, org_name="Example", issued=NOW, expires=NOW + 86_400_000, root=role, policy=role,
        lease=role, recovery=bytes(32), tls_ca=["pem"], server_urls=["https://sales.example.com"],
        console=Site(rp_id="wipe.example.com", origins=["https://wipe.example.com"]),
        admins=[
            Admin(
                admin_id="ann",
                credentials=[
                    Credential(alg="ed25519", spki=signing.spki_of(ANNS_KEY)),
                    Credential(alg="webauthn", spki=PASSKEY, credential_id="AQID"),
                ],
            )
        ],
    )  # fmt: skip


def _payload_digest(data: bytes, type_: str) -> str:
    return documents.digest(signing.open_envelope(data, type_).payload)


def test_a_root_of_version_1_is_believed() -> None:
    data = (OLD / "root.bin").read_bytes()
    root = trust.first_root(data, _payload_digest(data, "root"), NOW)
    assert root == msgspec.structs.replace(_root(), type="root")
    assert trust.next_root(root, data, NOW) is root


@pytest.mark.parametrize("name", ["order-key-file", "order-passkey"])
def test_an_order_of_version_1_is_believed(name: str) -> None:
    data = (OLD / f"{name}.bin").read_bytes()
    taken = trust.order(_root(), trust.Floors(), data, enrolment="11" * 16, now=NOW)
    assert taken.order == msgspec.structs.replace(ORDER, type="order")
    assert taken.digest == _payload_digest(data, "order")


def test_a_piece_of_a_sealed_outbox_of_version_1_is_believed() -> None:
    opened = signing.open_envelope((OLD / "sealed-piece.bin").read_bytes(), "sealed_piece")
    assert signing.verifies(opened, signing.spki_of(ANNS_KEY))
    assert documents.parse(opened.payload, SealedPiece) == msgspec.structs.replace(PIECE, type="sealed_piece")


BLOB_PIECE: Final = BlobPiece(
    org="0a" * 16, enrolment="11" * 16, device="0b" * 16, blob="0d" * 32, of=400_000, offset=262_144, length=7,
    sha256="0c" * 32,
)  # fmt: skip


def test_a_piece_of_a_blob_of_version_1_is_believed() -> None:
    opened = signing.open_envelope((OLD / "blob-piece.bin").read_bytes(), "blob_piece")
    assert signing.verifies(opened, signing.spki_of(ANNS_KEY))
    assert documents.parse(opened.payload, BlobPiece) == msgspec.structs.replace(
        BLOB_PIECE, type="blob_piece"
    )


def test_a_blob_of_version_1_opens() -> None:
    with (OLD / "blob.bin").open("rb") as blob:
        assert b"".join(blob_seal.opened(blob, bytes(range(32)))) == b"contract " * 9_000
