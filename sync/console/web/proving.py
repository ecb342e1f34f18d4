"""Who signs in without a passkey: a password, kept as Argon2id, and a number that an app shows every 30 seconds."""

from __future__ import annotations

import base64
import functools
import hmac
import secrets
import threading
import unicodedata
from typing import Final

import msgspec
import pyotp
import segno
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from sync.protocol.consoles import Account
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _

PASSWORD_MIN: Final = 12
PASSWORD_MAX: Final = 200
STEP_S: Final = 30
TRIES: Final = 20  # numbers that did not fit, in a row, before a password is worth nothing any more
_MEMORY_KIB: Final = 64 * 2**10
_ROUNDS: Final = 3
_LANES: Final = 1  # with more of them two at once wait for each other's threads for ever (OpenSSL 4.0, tried)
_VARIETY: Final = 5  # different letters of a password
_AT_ONCE: Final = threading.BoundedSemaphore(2)  # each takes 64 MiB and a core
_ISSUER: Final = "Fieldkeep"


def hashed(password: str, email: str) -> str:
    """A new password as it is kept. Raises KnownError when it is too easy."""
    text = _plain(password)
    name = email.split("@", maxsplit=1)[0].casefold()
    if len(text) < PASSWORD_MIN:
        raise KnownError(
            _("The password is too short."), _("Use {n} letters or more.").format(n=PASSWORD_MIN)
        )
    if len(text) > PASSWORD_MAX:
        raise KnownError(_("The password is too long."))
    if len(set(text)) < _VARIETY or (len(name) > 2 and name in text.casefold()):
        raise KnownError(
            _("The password is too easy to guess."), _("Take several words that do not belong together.")
        )
    with _AT_ONCE:
        kept = Argon2id(
            salt=secrets.token_bytes(16), length=32, iterations=_ROUNDS, lanes=_LANES, memory_cost=_MEMORY_KIB
        )
        return kept.derive_phc_encoded(text.encode())


def fits(account: Account | None, password: str) -> bool:
    """Whether this is the account's password; it takes as long where there is no account."""
    kept = account.password if account and account.password else _of_nobody()
    with _AT_ONCE:
        try:
            Argon2id.verify_phc_encoded(_plain(password)[:PASSWORD_MAX].encode(), kept)
        except (InvalidKey, ValueError):
            return False
    return account is not None and bool(account.password)


def _plain(password: str) -> str:
    """The same password, whichever way a keyboard writes it."""
    return unicodedata.normalize("NFKC", password)


def after_number(account: Account, number: str, now: int) -> Account | None:
    """The account after this number was used; None when it is not the one of this moment, or was used before."""
    digits = "".join(number.split())
    if not account.totp or not digits.isascii():
        return None
    made = pyotp.TOTP(base64.b32encode(account.totp).decode(), interval=STEP_S)
    step = now // 1000 // STEP_S
    for each in (step - 1, step, step + 1):
        if each > account.totp_last and hmac.compare_digest(made.generate_otp(each), digits):
            return msgspec.structs.replace(account, totp_last=each, failed=0)
    return None


def app_address(secret: bytes, email: str, org: str) -> str:
    """What an app for such numbers reads off the picture."""
    made = pyotp.TOTP(base64.b32encode(secret).decode(), interval=STEP_S)
    return made.provisioning_uri(name=email, issuer_name=f"{_ISSUER} {org}".strip())


def letters(secret: bytes) -> str:
    """The secret for an app that reads no picture."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def picture(text: str) -> str:
    """A QR code, as SVG to stand in a page."""
    return segno.make(text, micro=False, error="m").svg_inline(
        scale=4, border=2, dark="#000000", light="#ffffff", omitsize=True, svgclass="qr", lineclass=None
    )


@functools.cache
def _of_nobody() -> str:
    """What is checked where there is no account, so that the time tells nothing."""
    drawn = Argon2id(salt=bytes(16), length=32, iterations=_ROUNDS, lanes=_LANES, memory_cost=_MEMORY_KIB)
    return drawn.derive_phc_encoded(secrets.token_bytes(32))
