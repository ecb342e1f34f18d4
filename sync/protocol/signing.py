"""The envelope of a signed document: signatures by Ed25519 key or WebAuthn assertion, verified before parsing.

    {"type": …, "payload": base64, "signatures": [{"admin_id", "keyid", "alg", "sig", …}]}

Ed25519 signs the pre-authentication encoding of type and payload (the DSSE form). A WebAuthn assertion signs the
challenge SHA-256("fieldkeep-order/v1\\n" ‖ payload) and carries `authenticator_data` and `client_data_json`.
Who has signed is a set of admin ids or key ids: one key, or one admin, counts once however often it signs.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.protocol.documents import Admin, Credential, Document, Key, Site
from sync.protocol.errors import Refused
from sync.protocol.strict import DOCUMENT_MAX, scan
from sync.protocol.texts import gettext as _

ED25519: Final = "ed25519"
WEBAUTHN: Final = "webauthn"
ORDER_PREFIX: Final = b"fieldkeep-order/v1\n"
SIGNATURES_MAX: Final = 16

_FLAG_UP, _FLAG_UV, _FLAG_BE, _FLAG_BS = 0x01, 0x04, 0x08, 0x10
_P: Final = 2**255 - 19
# Everything of an Ed25519 SPKI but its key (RFC 8410). DER has one form of it, and only that one is taken.
_SPKI: Final = bytes.fromhex("302a300506032b6570032100")
_KEY_BYTES: Final = 32
# y of the eight points of small order (RFC 7748 and the curve's torsion group): such a key verifies any message.
_SMALL_Y: Final = frozenset(
    {
        0,
        1,
        _P - 1,
        int.from_bytes(
            bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
        ),
        int.from_bytes(
            bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"
        ),
    }
)


class Signature(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One signature of an envelope."""

    keyid: str  # SHA-256 of the SPKI, hex
    alg: str
    sig: bytes
    admin_id: str = ""
    authenticator_data: bytes = b""
    client_data_json: bytes = b""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A signed document as it is kept and sent."""

    type: str
    payload: bytes
    signatures: list[Signature]

    def to_bytes(self) -> bytes:
        """The envelope as canonical JSON."""
        return msgspec.json.encode(self, order="sorted")


class Signer(NamedTuple):
    """One who has validly signed: `who` is the admin id, or the key id for a role; `page` a console page."""

    who: str
    keyid: str
    page: bool = False


def open_envelope(data: bytes, type_: str) -> Envelope:
    """The envelope in these bytes; nothing in it is believed yet. Raises Refused."""
    if len(data) > DOCUMENT_MAX:
        raise Refused("size", _("A signed document is too large."))
    scan(data)
    try:
        envelope = msgspec.json.decode(data, type=Envelope, strict=True)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise Refused("envelope", _("A signed document is damaged.")) from None
    if envelope.type != type_ or not 0 < len(envelope.signatures) <= SIGNATURES_MAX:
        raise Refused("envelope", _("A signed document is not of the expected type."))
    return envelope


def spki_of(key: Ed25519PrivateKey | Ed25519PublicKey) -> bytes:
    """The SPKI DER of a key's public half."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return _SPKI + public.public_bytes_raw()


def keyid(spki: bytes) -> str:
    """The name of a key: SHA-256 of its SPKI, hex."""
    return hashlib.sha256(spki).hexdigest()


def to_be_signed(type_: str, payload: bytes) -> bytes:
    """The bytes an Ed25519 signature covers: type and payload, each with its length."""
    kind = type_.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def challenge(payload: bytes) -> bytes:
    """The challenge a WebAuthn assertion over this order must carry."""
    return hashlib.sha256(ORDER_PREFIX + payload).digest()


def sign(document: Document, *keys: tuple[str, Ed25519PrivateKey]) -> Envelope:
    """The envelope of a document signed by (admin id or "", key) pairs."""
    payload = document.to_bytes()
    return Envelope(
        type=document.TYPE,
        payload=payload,
        signatures=[_signature(document.TYPE, payload, admin_id, key) for admin_id, key in keys],
    )


def cosign(envelope: Envelope, admin_id: str, key: Ed25519PrivateKey) -> Envelope:
    """The envelope with one signature more."""
    added = _signature(envelope.type, envelope.payload, admin_id, key)
    return msgspec.structs.replace(envelope, signatures=[*envelope.signatures, added])


def role_signers(envelope: Envelope, keys: Iterable[Key]) -> set[Signer]:
    """The keys of a role that have validly signed, each once."""
    known = {keyid(key.spki): key.spki for key in keys if key.alg == ED25519}
    return {
        Signer(signature.keyid, signature.keyid)
        for signature in envelope.signatures
        if signature.alg == ED25519
        and signature.keyid in known
        and _ed25519_holds(envelope, signature, known[signature.keyid])
    }


def admin_signers(
    envelope: Envelope, admins: Iterable[Admin], console: Site | None, signer: Site | None
) -> set[Signer]:
    """The admins who have validly signed an order with a credential that the root names for orders."""
    found: set[Signer] = set()
    for admin in admins:
        for credential in admin.credentials:
            if credential.purpose != "order":
                continue
            name = keyid(credential.spki)
            for signature in envelope.signatures:
                if (signature.admin_id, signature.keyid, signature.alg) != (
                    admin.admin_id,
                    name,
                    credential.alg,
                ):
                    continue
                if credential.alg == ED25519 and _ed25519_holds(envelope, signature, credential.spki):
                    found.add(Signer(admin.admin_id, name))
                elif credential.alg == WEBAUTHN:
                    for site in (console, signer):
                        if site is not None and _passkey_holds(envelope.payload, signature, credential, site):
                            found.add(Signer(admin.admin_id, name, page=site is console))
    return found


def verifies(envelope: Envelope, spki: bytes) -> bool:
    """Whether the envelope carries a valid Ed25519 signature of exactly this key."""
    return any(
        signature.alg == ED25519 and _ed25519_holds(envelope, signature, spki)
        for signature in envelope.signatures
    )


def safe_ed25519(spki: bytes) -> Ed25519PublicKey:
    """The key in an SPKI. Raises Refused when it is not Ed25519 or of small order."""
    raw = spki[len(_SPKI) :]
    if not spki.startswith(_SPKI) or len(raw) != _KEY_BYTES:
        raise Refused("key", _("This is not a usable public key."))
    if (int.from_bytes(raw, "little") & (2**255 - 1)) % _P in _SMALL_Y:
        raise Refused("key", _("This is not a usable public key."))
    return Ed25519PublicKey.from_public_bytes(raw)


def webauthn_holds(payload: bytes, signature: Signature, spki: bytes, site: Site) -> bool:
    """Whether a WebAuthn assertion over this payload is valid for exactly this site; any doubt is no."""
    client, auth = signature.client_data_json, signature.authenticator_data
    said = _client_data(client)
    if said is None or len(auth) != 37:  # no attested data, no extensions, nothing behind the counter
        return False
    wanted = base64.urlsafe_b64encode(challenge(payload)).rstrip(b"=").decode()
    if (said.get("type"), said.get("challenge")) != ("webauthn.get", wanted):
        return False
    if said.get("origin") not in list(site.origins) or said.get("crossOrigin", False) is not False:
        return False
    if "topOrigin" in said or auth[:32] != hashlib.sha256(site.rp_id.encode()).digest():
        return False
    flags = auth[32]
    if not (flags & _FLAG_UP and flags & _FLAG_UV) or flags & ~(_FLAG_UP | _FLAG_UV | _FLAG_BE | _FLAG_BS):
        return False
    if flags & _FLAG_BS and not flags & _FLAG_BE:
        return False
    signed = auth + hashlib.sha256(client).digest()
    # Passkeys are rare and these three large: an order signed with one brings them in.
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key = serialization.load_der_public_key(spki)
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            key.verify(signature.sig, signed, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, Ed25519PublicKey):
            safe_ed25519(spki).verify(signature.sig, signed)
        else:
            return False
    except (InvalidSignature, ValueError, UnsupportedAlgorithm, Refused):
        return False
    return True


def _passkey_holds(payload: bytes, signature: Signature, credential: Credential, site: Site) -> bool:
    """Whether this credential signed there; one that may leave its hardware must be named so by the root."""
    if not webauthn_holds(payload, signature, credential.spki, site):
        return False
    return bool(signature.authenticator_data[32] & _FLAG_BE) == credential.backup_eligible


def _client_data(data: bytes) -> Mapping[str, Any] | None:
    """The client data, read strictly: browsers add members at random, so it is parsed and never compared."""
    try:
        scan(data)
        found = json.loads(data)
    except (Refused, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _signature(type_: str, payload: bytes, admin_id: str, key: Ed25519PrivateKey) -> Signature:
    return Signature(
        keyid=keyid(spki_of(key)), alg=ED25519, sig=key.sign(to_be_signed(type_, payload)), admin_id=admin_id
    )


def _ed25519_holds(envelope: Envelope, signature: Signature, spki: bytes) -> bool:
    try:
        safe_ed25519(spki).verify(signature.sig, to_be_signed(envelope.type, envelope.payload))
    except (InvalidSignature, Refused):
        return False
    return True
