"""Envelopes and Ed25519: who has signed, counted per key, and which keys are none."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.protocol import signing, strict
from sync.protocol.documents import Key, Policy
from sync.protocol.errors import Refused
from sync.protocol.signing import Envelope, Signature
from tests.protocol.authority import Authority, key_of, resign

AUTHORITY = Authority()
KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
ENVELOPE = signing.sign(AUTHORITY.policy(), ("", KEY))
PREFIX = bytes.fromhex("302a300506032b6570032100")  # an Ed25519 SPKI up to the key itself

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def _root(square: int) -> int | None:
    """A square root modulo P, or None."""
    root = pow(square, (P + 3) // 8, P)
    for each in (root, root * pow(2, (P - 1) // 4, P) % P):
        if each * each % P == square % P:
            return each
    return None


def _small_order() -> list[int]:
    """The y of the eight points of small order, worked out from the curve, and all other ways to write them.

    Of order 8 are the points whose double has y = 0; on this curve that is d y^4 + 2 y^2 - 1 = 0.
    """
    root = _root(1 + D)
    assert root is not None
    eighth = [y for sign in (1, -1) if (y := _root((sign * root - 1) * pow(D, -1, P))) is not None]
    ys = [1, P - 1, 0, *eighth, *(P - y for y in eighth)]
    assert len(set(ys)) == 5
    return [y + sign * 2**255 for y in [*ys, P, P + 1] for sign in (0, 1)]


def test_an_envelope_is_read_back() -> None:
    data = ENVELOPE.to_bytes()
    assert signing.open_envelope(data, Policy.TYPE) == ENVELOPE
    assert set(json.loads(data)) == {"type", "payload", "signatures"}


def test_the_bytes_that_are_signed_are_those_of_dsse() -> None:
    """The example of the specification of DSSE."""
    assert signing.to_be_signed("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_a_payload_is_not_taken_for_another_type() -> None:
    moved = msgspec.structs.replace(ENVELOPE, type="order")
    assert not signing.role_signers(moved, key_of(KEY).keys)
    with pytest.raises(Refused):
        signing.open_envelope(moved.to_bytes(), Policy.TYPE)


def test_signers_of_a_role_are_its_keys_each_once() -> None:
    twice = signing.cosign(signing.cosign(ENVELOPE, "", KEY), "", OTHER)
    found = signing.role_signers(twice, key_of(KEY, OTHER, AUTHORITY.ann).keys)
    assert {each.who for each in found} == {signing.keyid(signing.spki_of(key)) for key in (KEY, OTHER)}


def test_a_key_of_no_role_signs_nothing() -> None:
    assert not signing.role_signers(ENVELOPE, key_of(OTHER).keys)
    assert not signing.verifies(ENVELOPE, signing.spki_of(OTHER))
    assert signing.verifies(ENVELOPE, signing.spki_of(KEY))


def test_a_key_named_for_another_algorithm_signs_nothing() -> None:
    named = [Key(alg="webauthn", spki=signing.spki_of(KEY))]
    assert not signing.role_signers(ENVELOPE, named)


def test_a_foreign_signature_under_a_known_name_signs_nothing() -> None:
    forged = msgspec.structs.replace(
        signing.sign(AUTHORITY.policy(), ("", OTHER)).signatures[0], keyid=signing.keyid(signing.spki_of(KEY))
    )
    envelope = signing.open_envelope(resign(ENVELOPE, forged), Policy.TYPE)
    assert not signing.role_signers(envelope, key_of(KEY).keys)


def test_a_flipped_bit_of_payload_signature_or_key_signs_nothing() -> None:
    spki, signature = signing.spki_of(KEY), ENVELOPE.signatures[0]
    for at in range(len(ENVELOPE.payload) * 8):
        bent = msgspec.structs.replace(ENVELOPE, payload=_flipped(ENVELOPE.payload, at))
        assert not signing.verifies(bent, spki)
    for at in range(64 * 8):
        bent_signature = msgspec.structs.replace(signature, sig=_flipped(signature.sig, at))
        assert not signing.verifies(msgspec.structs.replace(ENVELOPE, signatures=[bent_signature]), spki)
    for at in range(len(spki) * 8):
        assert not signing.verifies(ENVELOPE, _flipped(spki, at))


def _flipped(data: bytes, at: int) -> bytes:
    bent = bytearray(data)
    bent[at // 8] ^= 1 << at % 8
    return bytes(bent)


@pytest.mark.parametrize("sig", [b"", b"x", bytes(63), bytes(64), bytes(65)])
def test_a_signature_of_the_wrong_length_signs_nothing(sig: bytes) -> None:
    bent = msgspec.structs.replace(ENVELOPE.signatures[0], sig=sig)
    assert not signing.verifies(msgspec.structs.replace(ENVELOPE, signatures=[bent]), signing.spki_of(KEY))


def _json(**changed: Any) -> bytes:
    found = {**json.loads(ENVELOPE.to_bytes()), **changed}
    return json.dumps({k: v for k, v in found.items() if v is not ...}).encode()


HOSTILE = {
    "empty": b"",
    "no envelope": b"{}",
    "a page": b"<html></html>",
    "no payload": _json(payload=...),
    "payload in clear": _json(payload={"version": 1}),
    "payload not base64": _json(payload="***"),
    "no signatures": _json(signatures=[]),
    "signatures absent": _json(signatures=...),
    "a signature that is none": _json(signatures=["x"]),
    "a signature without a key": _json(signatures=[{"alg": "ed25519", "sig": ""}]),
    "17 signatures": _json(signatures=json.loads(ENVELOPE.to_bytes())["signatures"] * 17),
    "another type": _json(type="order"),
    "doubled signatures": ENVELOPE.to_bytes()[:-1] + b',"signatures":[]}',
    "a float": _json(x=1.5),
    "deep": _json(x=...)[:-1] + b',"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "too large": _json(x="y" * strict.DOCUMENT_MAX),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        signing.open_envelope(data, Policy.TYPE)


# --- keys -------------------------------------------------------------------------------------


@pytest.mark.parametrize("y", _small_order(), ids=hex)
def test_a_key_of_small_order_is_refused(y: int) -> None:
    with pytest.raises(Refused):
        signing.safe_ed25519(PREFIX + y.to_bytes(32, "little"))


def test_why_a_key_of_small_order_is_refused() -> None:
    """The identity as a key, and the identity as a signature, hold for every message."""
    identity = (1).to_bytes(32, "little")
    key = serialization.load_der_public_key(PREFIX + identity)
    key.verify(identity + bytes(32), b"any message at all")  # type: ignore[union-attr, call-arg]
    forged = Signature(keyid=signing.keyid(PREFIX + identity), alg="ed25519", sig=identity + bytes(32))
    envelope = msgspec.structs.replace(ENVELOPE, signatures=[forged])
    assert not signing.verifies(envelope, PREFIX + identity)
    assert not signing.role_signers(envelope, [Key(alg="ed25519", spki=PREFIX + identity)])


def _foreign_keys() -> dict[str, bytes]:
    def public(key: Any) -> bytes:
        data: bytes = key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return data

    good = signing.spki_of(KEY)
    return {
        "empty": b"",
        "text": b"a key",
        "P-256": public(ec.generate_private_key(ec.SECP256R1()).public_key()),
        "X25519": public(x25519.X25519PrivateKey.generate().public_key()),
        "cut": good[:-1],
        "longer": good + b"\x00",
        "a long length": b"\x30\x81\x2a" + good[2:],
        "with parameters": bytes.fromhex("302c300706032b65700500032100") + good[-32:],
        "raw": good[-32:],
    }


@pytest.mark.parametrize(("name", "spki"), _foreign_keys().items(), ids=list(_foreign_keys()))
def test_what_is_no_ed25519_key_is_refused(name: str, spki: bytes) -> None:
    with pytest.raises(Refused):
        signing.safe_ed25519(spki)
    assert not signing.verifies(ENVELOPE, spki)


def test_the_vectors_of_wycheproof(real_data: Path) -> None:
    found = json.loads((real_data / "crypto_wycheproof" / "ed25519_test.json").read_text(encoding="utf-8"))
    tried = {"valid": 0, "invalid": 0}
    for group in found["testGroups"]:
        key = signing.safe_ed25519(bytes.fromhex(group["publicKeyDer"]))
        for test in group["tests"]:
            try:
                key.verify(bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"]))
                holds = "valid"
            except InvalidSignature:
                holds = "invalid"
            assert holds == test["result"], test["tcId"]
            tried[holds] += 1
    assert sum(tried.values()) == found["numberOfTests"]
    assert min(tried.values()) > 50


def test_a_key_is_not_shown_in_an_envelope() -> None:
    private = KEY.private_bytes_raw()
    assert private.hex() not in ENVELOPE.to_bytes().hex()
    assert base64.b64encode(private) not in ENVELOPE.to_bytes()
    assert isinstance(ENVELOPE, Envelope)
