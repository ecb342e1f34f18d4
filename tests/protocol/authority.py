"""An organisation for tests: its keys, its signed documents, and passkeys made in software."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.protocol import documents, signing
from sync.protocol.documents import (
    Admin,
    Credential,
    Destroyed,
    Files,
    Key,
    Lease,
    Order,
    Policy,
    Receipt,
    Role,
    Root,
    SealedOutbox,
    Site,
    Target,
)
from sync.protocol.signing import Envelope, Signature

NOW: Final = 1_795_357_800_000
DAY: Final = 86_400_000
ORG: Final = "0a" * 16
LAPTOP, OTHER = "11" * 16, "22" * 16
NONCE: Final = "ab" * 16
CONSOLE: Final = Site(rp_id="wipe.example.com", origins=["https://wipe.example.com:8443"])
SIGNER: Final = Site(rp_id="localhost", origins=["http://localhost:4711"])

FLAG_UP, FLAG_UV, FLAG_BE, FLAG_BS, FLAG_AT, FLAG_ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80


def key_of(*keys: Ed25519PrivateKey, threshold: int = 1) -> Role:
    """A role held by these keys."""
    return Role(keys=[Key(alg="ed25519", spki=signing.spki_of(key)) for key in keys], threshold=threshold)


@dataclass
class Passkey:
    """A passkey in software: ES256 or EdDSA; `flags` and the client data can be bent before they are signed."""

    eddsa: bool = False
    key: Any = None

    def __post_init__(self) -> None:
        self.key = Ed25519PrivateKey.generate() if self.eddsa else ec.generate_private_key(ec.SECP256R1())

    @property
    def spki(self) -> bytes:
        """The public half, as a root names it."""
        public: bytes = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return public

    def credential(self, **more: Any) -> Credential:
        """This passkey as a root names it."""
        return Credential(alg="webauthn", spki=self.spki, **more)

    def sign(
        self,
        payload: bytes,
        site: Site,
        admin: str = "ann",
        *,
        flags: int = FLAG_UP | FLAG_UV,
        rp_id: str | None = None,
        counter: int = 7,
        tail: bytes = b"",
        client: bytes | None = None,
        **said: Any,
    ) -> Signature:
        """An assertion over an order; keyword arguments replace members of the client data."""
        challenge = base64.urlsafe_b64encode(signing.challenge(payload)).rstrip(b"=").decode()
        members = {
            "type": "webauthn.get",
            "challenge": challenge,
            "origin": site.origins[0],
            "crossOrigin": False,
            "other_keys_can_be_added_here": "do not compare clientDataJSON against a template",
            **said,
        }
        data = json.dumps(members).encode() if client is None else client
        relying = hashlib.sha256((rp_id or site.rp_id).encode()).digest()
        auth = relying + bytes([flags]) + counter.to_bytes(4, "big") + tail
        signed = auth + hashlib.sha256(data).digest()
        sig = self.key.sign(signed) if self.eddsa else self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return Signature(
            keyid=signing.keyid(self.spki), alg="webauthn", sig=sig, admin_id=admin,
            authenticator_data=auth, client_data_json=data,
        )  # fmt: skip


@dataclass
class Authority:
    """Every key of an organisation, and the documents it signs."""

    root_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    policy_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    lease_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    ann: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    ann_spare: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    bob: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    passkey: Passkey = field(default_factory=Passkey)

    def admins(self) -> list[Admin]:
        """Ann with two key files and a passkey, Bob with one key file."""

        def file(key: Ed25519PrivateKey) -> Credential:
            return Credential(alg="ed25519", spki=signing.spki_of(key))

        return [
            Admin(
                admin_id="ann", credentials=[file(self.ann), file(self.ann_spare), self.passkey.credential()]
            ),
            Admin(admin_id="bob", credentials=[file(self.bob)]),
        ]

    def root(self, version: int = 1, **changed: Any) -> Root:
        """The root document."""
        made = Root(
            type="root",
            version=version,
            org=ORG,
            org_name="Example",
            issued=NOW - DAY,
            expires=NOW + 300 * DAY,
            root=key_of(self.root_key),
            policy=key_of(self.policy_key),
            lease=key_of(self.lease_key),
            admins=self.admins(),
            recovery=bytes(32),
            tls_ca=["-----BEGIN CERTIFICATE-----"],
            server_urls=["https://sales.example.com"],
            console=CONSOLE,
            signer=SIGNER,
        )
        return msgspec.structs.replace(made, **changed)

    def policy(self, version: int = 1, **changed: Any) -> Policy:
        """A policy document."""
        made = Policy(version=version, org=ORG, issued=NOW - DAY, expires=NOW + 60 * DAY)
        return msgspec.structs.replace(made, **changed)

    def lease(self, **changed: Any) -> Lease:
        """A lease for the laptop."""
        made = Lease(
            org=ORG, enrolment=LAPTOP, seq=1, nonce=NONCE, server_time=NOW, valid_ms=DAY,
            policy_version=1, root_version=1, order_head=0,
        )  # fmt: skip
        return msgspec.structs.replace(made, **changed)

    def order(self, op: str = documents.LOCK, seq: int = 1, *devices: str, **changed: Any) -> Order:
        """An order for the laptop, or for the devices that are named."""
        made = Order(
            order_id=f"{seq:032x}",
            seq=seq,
            op=op,
            org=ORG,
            root_version=1,
            devices=[Target(enrolment=device) for device in devices or (LAPTOP,)],
            reason="lost",
            issued=NOW,
            not_before=NOW,
            expires=NOW + 90 * DAY,
        )
        return msgspec.structs.replace(made, **changed)

    def receipt(self) -> Receipt:
        """The laptop's account of a wipe."""
        return Receipt(
            receipt_id="0" * 32, order_sha256="1" * 64, org=ORG, enrolment=LAPTOP, device="33" * 16,
            policy_version=1, started=NOW, finished=NOW + 5,
            keys=[Destroyed(name="ring.1", destroyed=True, verified_absent=True)], files=Files(removed=3),
            outbox=SealedOutbox(length=0, sha256="2" * 64, records=0), app_version="0.1.0", result="wiped",
        )  # fmt: skip


def resign(envelope: Envelope, *signatures: Signature) -> bytes:
    """The envelope with other signatures."""
    return msgspec.structs.replace(envelope, signatures=list(signatures)).to_bytes()


def with_passkey(order: Order, *signatures: Signature) -> bytes:
    """An order in an envelope with WebAuthn signatures."""
    return Envelope(type=Order.TYPE, payload=order.to_bytes(), signatures=list(signatures)).to_bytes()
