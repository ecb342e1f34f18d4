"""A security key in a port of this machine: it signs orders and makes credentials for them, by CTAP2 (python-fido2).

What a browser would say of the page is said here by ourselves: the first of the places that the root names. The key
shows no text; what is signed was shown on the terminal, by this program and no page.
"""

from __future__ import annotations

import secrets
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fido2.client import ClientError, DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.cose import CoseKey
from fido2.ctap import CtapDevice, CtapError
from fido2.webauthn import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialCreationOptions,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRequestOptions,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from sync.console.hands import Asserted, Made
from sync.console.paper import Paper
from sync.protocol import signing
from sync.protocol.documents import Site
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _

WAIT_S: Final = 60.0
_PUBLIC_KEY: Final = PublicKeyCredentialType.PUBLIC_KEY
_KINDS: Final = (-7, -8)  # ES256, EdDSA
_WRONG_PIN: Final = (CtapError.ERR.PIN_INVALID, CtapError.ERR.PIN_AUTH_INVALID)

Devices = Callable[[], Iterable[CtapDevice]]


class SecurityKey:
    """The one security key that is plugged in; `ask_pin` is asked where it wants its PIN."""

    def __init__(self, devices: Devices, ask_pin: Callable[[], str]) -> None:
        self._devices = devices
        self._ask_pin = ask_pin

    def sign(self, site: Site, paper: Paper, lines: tuple[str, ...], among: list[bytes]) -> Asserted:
        """Sign the challenge of a paper. Raises KnownError."""
        options = PublicKeyCredentialRequestOptions(
            challenge=signing.challenge(paper.payload),
            rp_id=site.rp_id,
            allow_credentials=[PublicKeyCredentialDescriptor(type=_PUBLIC_KEY, id=each) for each in among],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        found = self._done(site, lambda client, stop: client.get_assertion(options, stop).get_response(0))
        response = found.response
        return Asserted(
            id=bytes(found.raw_id),
            authenticator_data=bytes(response.authenticator_data),
            client_data_json=bytes(response.client_data),
            signature=bytes(response.signature),
        )

    def make(self, site: Site, label: str) -> Made:
        """Make a credential for orders. Raises KnownError."""
        options = PublicKeyCredentialCreationOptions(
            rp=PublicKeyCredentialRpEntity(name="Fieldkeep", id=site.rp_id),
            user=PublicKeyCredentialUserEntity(name=label, id=secrets.token_bytes(16), display_name=label),
            challenge=secrets.token_bytes(32),
            pub_key_cred_params=[
                PublicKeyCredentialParameters(type=_PUBLIC_KEY, alg=each) for each in _KINDS
            ],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.DISCOURAGED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )
        found = self._done(site, lambda client, stop: client.make_credential(options, stop))
        data = found.response.attestation_object.auth_data
        if data.credential_data is None:
            raise _refused()
        return Made(
            id=bytes(data.credential_data.credential_id),
            spki=spki_of(data.credential_data.public_key),
            synced=data.is_backup_eligible(),
        )

    def _done(self, site: Site, act: Callable[[Fido2Client, threading.Event], Any]) -> Any:
        """What the key answers within a minute. Raises KnownError."""
        device = self._only()
        stop = threading.Event()
        timer = threading.Timer(WAIT_S, stop.set)
        timer.daemon = True
        timer.start()
        try:
            client = Fido2Client(device, DefaultClientDataCollector(site.origins[0]), _Person(self._ask_pin))
            return act(client, stop)
        except ClientError as error:
            raise _in_words(error) from None
        except (CtapError, OSError, ValueError):
            raise _refused() from None
        finally:
            timer.cancel()
            device.close()

    def _only(self) -> CtapDevice:
        try:
            found = list(self._devices())
        except OSError:
            found = []
        if len(found) == 1:
            return found[0]
        for each in found:
            each.close()
        if found:
            raise KnownError(_("Several security keys are plugged in."), _("Leave the one that signs."))
        raise KnownError(
            _("No security key is plugged in, or this machine does not let you use it."),
            _("Plug it in; on Linux its device has to be yours (a udev rule of its maker)."),
        )


class _Person(UserInteraction):
    """The person at the terminal."""

    def __init__(self, ask_pin: Callable[[], str]) -> None:
        self._ask_pin = ask_pin

    def prompt_up(self) -> None:
        """Say that the key waits for a touch."""
        print(_("Touch the security key."), file=sys.stderr)

    def request_pin(self, permissions: Any, rp_id: str | None) -> str | None:
        """The key's PIN."""
        return self._ask_pin() or None

    def request_uv(self, permissions: Any, rp_id: str | None) -> bool:
        """A fingerprint on the key is as good."""
        return True


def plugged_in() -> Iterable[CtapDevice]:
    """The security keys of this machine. Raises OSError."""
    # Not at the top: it looks for the system's own library as it is imported.
    from fido2.hid import CtapHidDevice

    return CtapHidDevice.list_devices()


def spki_of(cose: CoseKey) -> bytes:
    """The SPKI of an authenticator's public key, as a root names it. Raises KnownError for any other kind."""
    try:
        public: ec.EllipticCurvePublicKey | Ed25519PublicKey
        if (cose.get(1), cose.get(3), cose.get(-1)) == (2, -7, 1):
            x, y = (int.from_bytes(cose[each], "big") for each in (-2, -3))
            public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        elif (cose.get(1), cose.get(-1)) == (1, 6):
            public = Ed25519PublicKey.from_public_bytes(cose[-2])
        else:
            raise _refused()
    except (ValueError, TypeError, KeyError):
        raise _refused() from None
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _in_words(error: ClientError) -> KnownError:
    cause = error.cause.code if isinstance(error.cause, CtapError) else None
    if cause in _WRONG_PIN:
        return KnownError(
            _("This is not the PIN of the security key."), _("Try again; it locks after some tries.")
        )
    if error.code == ClientError.ERR.TIMEOUT:
        return KnownError(_("Nobody touched the security key."), _("Nothing was signed. Start again."))
    if error.code == ClientError.ERR.DEVICE_INELIGIBLE:
        return KnownError(_("The root does not name this key."), _("Take the one that was entered for you."))
    if error.code == ClientError.ERR.CONFIGURATION_UNSUPPORTED or cause == CtapError.ERR.PIN_NOT_SET:
        return KnownError(
            _("This security key has no PIN and knows no fingerprint."),
            _("Set a PIN with its maker's program."),
        )
    return _refused()


def _refused() -> KnownError:
    return KnownError(_("The security key did not sign."), _("Try again, or take another way."))
