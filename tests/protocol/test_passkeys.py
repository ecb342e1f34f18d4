"""Orders signed by passkey: made in software, bent in every way that was seen to matter, and refused."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from sync.protocol import signing
from sync.protocol.documents import Admin, Credential, Site
from sync.protocol.signing import Envelope
from tests.protocol.authority import (
    CONSOLE,
    FLAG_AT,
    FLAG_BE,
    FLAG_BS,
    FLAG_ED,
    FLAG_UP,
    FLAG_UV,
    SIGNER,
    Authority,
    Passkey,
)

PAYLOAD = Authority().order("wipe").to_bytes()
OTHER_PAYLOAD = Authority().order("wipe", 2).to_bytes()
KEYS = {"ES256": Passkey(), "EdDSA": Passkey(eddsa=True)}
EACH = pytest.mark.parametrize("key", KEYS.values(), ids=list(KEYS))
GOOD = FLAG_UP | FLAG_UV


def _holds(key: Passkey, site: Site = CONSOLE, payload: bytes = PAYLOAD, **bent: Any) -> bool:
    return signing.webauthn_holds(payload, key.sign(PAYLOAD, CONSOLE, **bent), key.spki, site)


@EACH
def test_a_passkey_signs_an_order(key: Passkey) -> None:
    assert _holds(key)
    assert _holds(key, flags=GOOD | FLAG_BE)
    assert _holds(key, flags=GOOD | FLAG_BE | FLAG_BS)
    assert _holds(key, counter=0)


@EACH
def test_members_that_a_browser_adds_or_leaves_out_do_not_matter(key: Passkey) -> None:
    said = json.loads(key.sign(PAYLOAD, CONSOLE).client_data_json)
    del said["other_keys_can_be_added_here"], said["crossOrigin"]
    assert _holds(key, client=json.dumps(said, indent=2).encode())


BENT: dict[str, dict[str, Any]] = {
    "made at registration": {"type": "webauthn.create"},
    "no type": {"type": None},
    "another challenge": {"challenge": "AAAA"},
    "a padded challenge": {"challenge": "padded"},
    "a subdomain": {"origin": "https://evil.wipe.example.com:8443"},
    "the parent": {"origin": "https://example.com:8443"},
    "another port": {"origin": "https://wipe.example.com"},
    "no TLS": {"origin": "http://wipe.example.com:8443"},
    "an origin that begins alike": {"origin": "https://wipe.example.com:8443.evil.test"},
    "an origin with a path": {"origin": "https://wipe.example.com:8443/"},
    "upper case": {"origin": "https://WIPE.example.com:8443"},
    "no origin": {"origin": None},
    "a list for an origin": {"origin": ["https://wipe.example.com:8443"]},
    "a part of an origin": {"origin": "https://wipe"},
    "cross origin": {"crossOrigin": True},
    "cross origin as a word": {"crossOrigin": "false"},
    "cross origin as null": {"crossOrigin": None},
    "cross origin as nought": {"crossOrigin": 0},
    "a page around it": {"topOrigin": "https://evil.test"},
    "an empty page around it": {"topOrigin": ""},
    "another relying party": {"rp_id": "evil.test"},
    "a parent relying party": {"rp_id": "example.com"},
    "nobody there": {"flags": FLAG_UV},
    "nobody verified": {"flags": FLAG_UP},
    "no flags": {"flags": 0},
    "backed up, yet not able to be": {"flags": GOOD | FLAG_BS},
    "attested data named": {"flags": GOOD | FLAG_AT},
    "extensions named": {"flags": GOOD | FLAG_ED},
    "a flag from tomorrow": {"flags": GOOD | 0x02},
    "another flag from tomorrow": {"flags": GOOD | 0x20},
    "something behind the counter": {"tail": b"\x00"},
    "extensions behind the counter": {"tail": b"\xa0", "flags": GOOD | FLAG_ED},
    "no client data": {"client": b""},
    "client data that is no object": {"client": b"[]"},
    "client data that is no text": {"client": b"\xff\xfe"},
    "client data without end": {"client": b'{"x":' + b"[" * 50_000},
    "client data with a float": {"x": 1.5},
    "large client data": {"x": "y" * 70_000},
}


@EACH
@pytest.mark.parametrize("bent", BENT.values(), ids=list(BENT))
def test_a_bent_assertion_is_refused_though_the_key_signed_it(key: Passkey, bent: dict[str, Any]) -> None:
    if bent.get("challenge") == "padded":
        said = json.loads(key.sign(PAYLOAD, CONSOLE).client_data_json)
        bent = {"challenge": said["challenge"] + "="}
    assert not _holds(key, **bent)


@EACH
def test_a_doubled_member_is_refused(key: Passkey) -> None:
    data = key.sign(PAYLOAD, CONSOLE).client_data_json
    evil = data[:-1] + b', "origin": "https://wipe.example.com:8443"}'
    assert not _holds(key, client=evil)


@EACH
def test_client_data_written_anew_is_refused(key: Passkey) -> None:
    signature = key.sign(PAYLOAD, CONSOLE)
    again = json.dumps(json.loads(signature.client_data_json), sort_keys=True).encode()
    bent = msgspec.structs.replace(signature, client_data_json=again)
    assert not signing.webauthn_holds(PAYLOAD, bent, key.spki, CONSOLE)


@EACH
def test_an_assertion_is_for_one_order_and_one_site(key: Passkey) -> None:
    assert not _holds(key, payload=OTHER_PAYLOAD)
    assert not _holds(key, payload=PAYLOAD + b" ")
    assert not _holds(key, site=SIGNER)
    assert not _holds(key, site=Site(rp_id=CONSOLE.rp_id, origins=[]))
    assert not _holds(key, site=Site(rp_id="other", origins=CONSOLE.origins))


@EACH
def test_a_flipped_bit_is_refused_wherever_it_is(key: Passkey) -> None:
    signature = key.sign(PAYLOAD, CONSOLE)
    for name in ("authenticator_data", "client_data_json", "sig"):
        data: bytes = getattr(signature, name)
        for at in range(len(data) * 8):
            bent = bytearray(data)
            bent[at // 8] ^= 1 << at % 8
            bad = msgspec.structs.replace(signature, **{name: bytes(bent)})
            assert not signing.webauthn_holds(PAYLOAD, bad, key.spki, CONSOLE), (name, at)


def test_a_signature_of_another_key_is_refused() -> None:
    for key in KEYS.values():
        for other in (Passkey(), Passkey(eddsa=True)):
            signature = key.sign(PAYLOAD, CONSOLE)
            assert not signing.webauthn_holds(PAYLOAD, signature, other.spki, CONSOLE)


def _spki(key: Any) -> bytes:
    public: bytes = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return public


@pytest.mark.parametrize(
    "spki",
    [b"", b"x", _spki(ec.generate_private_key(ec.SECP384R1())), _spki(rsa.generate_private_key(65537, 2048))],
    ids=["empty", "no key", "P-384", "RSA"],
)
def test_a_key_of_another_sort_is_refused(spki: bytes) -> None:
    assert not signing.webauthn_holds(PAYLOAD, KEYS["ES256"].sign(PAYLOAD, CONSOLE), spki, CONSOLE)


def test_p_384_is_refused_though_it_signed() -> None:
    strange = Passkey()
    strange.key = ec.generate_private_key(ec.SECP384R1())
    assert not _holds(strange)


# --- the admins of a root ---------------------------------------------------------------------


def _signers(*signatures: Any, credential: Credential, admin: str = "ann") -> set[tuple[str, bool]]:
    envelope = Envelope(type="order", payload=PAYLOAD, signatures=list(signatures))
    admins = [Admin(admin_id=admin, credentials=[credential])]
    return {(each.who, each.page) for each in signing.admin_signers(envelope, admins, CONSOLE, SIGNER)}


@EACH
def test_an_admin_signs_on_the_console_page_or_on_the_own_machine(key: Passkey) -> None:
    assert _signers(key.sign(PAYLOAD, CONSOLE), credential=key.credential()) == {("ann", True)}
    assert _signers(key.sign(PAYLOAD, SIGNER), credential=key.credential()) == {("ann", False)}


@EACH
def test_a_signature_counts_for_the_admin_whose_credential_it_is(key: Passkey) -> None:
    signature = key.sign(PAYLOAD, CONSOLE, admin="bob")
    assert not _signers(signature, credential=key.credential())
    assert _signers(signature, credential=key.credential(), admin="bob")


@EACH
def test_a_credential_for_something_else_signs_no_order(key: Passkey) -> None:
    assert not _signers(key.sign(PAYLOAD, CONSOLE), credential=key.credential(purpose="login"))


@EACH
def test_an_assertion_is_not_taken_for_a_plain_signature(key: Passkey) -> None:
    signature = key.sign(PAYLOAD, CONSOLE)
    assert not _signers(msgspec.structs.replace(signature, alg="ed25519"), credential=key.credential())
    plain = msgspec.structs.replace(key.credential(), alg="ed25519")
    assert not _signers(signature, credential=plain)
    assert not _signers(msgspec.structs.replace(signature, alg="ed25519"), credential=plain)


@EACH
@pytest.mark.parametrize("able", [False, True])
def test_a_key_that_can_leave_its_hardware_must_be_named_so(key: Passkey, able: bool) -> None:
    device_bound = key.sign(PAYLOAD, CONSOLE)
    synced = key.sign(PAYLOAD, CONSOLE, flags=GOOD | FLAG_BE | FLAG_BS)
    credential = key.credential(backup_eligible=able)
    assert bool(_signers(synced, credential=credential)) is able
    assert bool(_signers(device_bound, credential=credential)) is not able


def test_a_twisted_ecdsa_signature_counts_no_second_time() -> None:
    """Of every ES256 signature there is a second form that holds: admins are counted, never signatures."""
    key = KEYS["ES256"]
    signature = key.sign(PAYLOAD, CONSOLE)
    r, s = decode_dss_signature(signature.sig)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    twisted = msgspec.structs.replace(signature, sig=encode_dss_signature(r, order - s))
    assert signing.webauthn_holds(PAYLOAD, twisted, key.spki, CONSOLE)
    assert _signers(signature, twisted, credential=key.credential()) == {("ann", True)}


def test_the_challenge_is_of_this_product_and_this_order() -> None:
    assert signing.challenge(b"x") == hashlib.sha256(b"fieldkeep-order/v1\nx").digest()
