"""Passkeys on the server's side: what a browser is asked for, and whether its answer holds.

The library checks signature, challenge, origin, host and presence. What it lets through is refused here first: a page
within another page, members that stand twice, an answer that is larger than any is.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

import webauthn
from cryptography.hazmat.primitives import serialization
from webauthn.helpers import base64url_to_bytes, decode_credential_public_key, options_to_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.decoded_public_key_to_cryptography import decoded_public_key_to_cryptography
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from sync.console.places import Place
from sync.protocol.errors import KnownError, Refused
from sync.protocol.strict import scan
from sync.protocol.texts import gettext as _

ANSWER_MAX: Final = 16 * 2**10
_KINDS: Final = [COSEAlgorithmIdentifier.ECDSA_SHA_256, COSEAlgorithmIdentifier.EDDSA]
_WAIT_MS: Final = 120_000
_VERIFIED: Final = UserVerificationRequirement.REQUIRED


@dataclass(frozen=True, slots=True)
class Made:
    """A new passkey."""

    id: bytes
    cose: bytes
    spki: bytes
    counter: int
    synced: bool


@dataclass(frozen=True, slots=True)
class Asserted:
    """An answer of the browser to a challenge, as it came."""

    id: bytes
    authenticator_data: bytes
    client_data_json: bytes
    signature: bytes
    whole: dict[str, Any]


def wish(place: Place, org: str, email: str, handle: bytes, challenge: bytes, known: list[bytes]) -> str:
    """What a browser is asked for to make a passkey, as JSON; `known` are those that must not be made again."""
    options = webauthn.generate_registration_options(
        rp_id=place.rp_id,
        rp_name=f"Fieldkeep {org}".strip(),
        user_name=email,
        user_id=handle,
        challenge=challenge,
        timeout=_WAIT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=_VERIFIED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
        supported_pub_key_algs=_KINDS,
    )
    return options_to_json(options)


def question(place: Place, challenge: bytes, among: list[bytes]) -> str:
    """What a browser is asked for to use a passkey, as JSON; any of the place where `among` names none."""
    options = webauthn.generate_authentication_options(
        rp_id=place.rp_id,
        challenge=challenge,
        timeout=_WAIT_MS,
        allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in among],
        user_verification=_VERIFIED,
    )
    return options_to_json(options)


def made(place: Place, challenge: bytes, answer: str) -> Made:
    """The passkey that a browser has made. Raises KnownError."""
    said = _read(answer)
    try:
        found = webauthn.verify_registration_response(
            credential=said,
            expected_challenge=challenge,
            expected_rp_id=place.rp_id,
            expected_origin=[place.origin],
            require_user_verification=True,
            supported_pub_key_algs=_KINDS,
        )
        key = decoded_public_key_to_cryptography(decode_credential_public_key(found.credential_public_key))
        spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError):
        raise _refused() from None
    synced = found.credential_device_type is CredentialDeviceType.MULTI_DEVICE
    return Made(found.credential_id, found.credential_public_key, spki, found.sign_count, synced)


def asserted(answer: str) -> Asserted:
    """The parts of an answer; nothing of it is believed yet. Raises KnownError."""
    said = _read(answer)
    try:
        response = said["response"]
        return Asserted(
            base64url_to_bytes(said["rawId"]),
            base64url_to_bytes(response["authenticatorData"]),
            base64url_to_bytes(response["clientDataJSON"]),
            base64url_to_bytes(response["signature"]),
            said,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _refused() from None


def holds(place: Place, challenge: bytes, answer: Asserted, cose: bytes) -> int:
    """The counter of a passkey that has signed this challenge there. Raises KnownError.

    The counter is kept and decides nothing: passkeys that are copied between devices have none.
    """
    try:
        found = webauthn.verify_authentication_response(
            credential=answer.whole,
            expected_challenge=challenge,
            expected_rp_id=place.rp_id,
            expected_origin=[place.origin],
            credential_public_key=cose,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError, AttributeError):
        raise _refused() from None
    return found.new_sign_count


def fingerprint(spki: bytes) -> str:
    """What two people compare of a key."""
    text = hashlib.sha256(spki).hexdigest()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def _read(answer: str) -> dict[str, Any]:
    if len(answer) > ANSWER_MAX:
        raise _refused()
    try:
        said: dict[str, Any] = json.loads(answer)
        client = base64url_to_bytes(said["response"]["clientDataJSON"])
        scan(client)
        told = json.loads(client)
    except (Refused, ValueError, KeyError, TypeError, RecursionError, AttributeError):
        raise _refused() from None
    if not isinstance(told, dict) or told.get("crossOrigin", False) is not False or "topOrigin" in told:
        raise _refused()
    return said


def _refused() -> KnownError:
    return KnownError(_("The passkey's answer does not hold."), _("Try again, or take another way."))
