"""The public half of a key on a file of its own, as it goes from whoever made it to whoever enters it in the root."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Final

import msgspec

from sync.console.hands import Made
from sync.protocol import signing
from sync.protocol.documents import Credential
from sync.protocol.errors import KnownError, Refused
from sync.protocol.fields import clean_text
from sync.protocol.texts import gettext as _

PURPOSES: Final = ("order", "root", "policy")
LABEL_MAX: Final = 60
_FILE_MAX: Final = 16 * 2**10


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A public key, what it is for and, where it signs orders, whose it is."""

    type: str = "fieldkeep-public-key"
    v: int = 1
    purpose: str
    alg: str  # "ed25519" | "webauthn"
    spki: bytes
    admin_id: str = ""
    label: str = ""
    credential_id: str = ""
    backup_eligible: bool = False

    @property
    def digits(self) -> str:
        """The SHA-256 of the key, hex: what two people compare."""
        return signing.keyid(self.spki)

    @property
    def credential(self) -> Credential:
        """The key as a root names it among those of an admin."""
        return Credential(
            alg=self.alg,
            spki=self.spki,
            label=self.label,
            credential_id=self.credential_id,
            backup_eligible=self.backup_eligible,
        )


def of_key(purpose: str, spki: bytes, admin_id: str, label: str) -> Card:
    """The card of a key file."""
    return Card(purpose=purpose, alg=signing.ED25519, spki=spki, admin_id=admin_id, label=label)


def of_made(made: Made, admin_id: str, label: str) -> Card:
    """The card of a passkey or security key."""
    return Card(
        purpose="order",
        alg=signing.WEBAUTHN,
        spki=made.spki,
        admin_id=admin_id,
        label=label,
        credential_id=base64.urlsafe_b64encode(made.id).rstrip(b"=").decode(),
        backup_eligible=made.synced,
    )


def checked_label(text: str) -> str:
    """A label as it may stand in a root. Raises KnownError."""
    label = clean_text(text)
    if not label or len(label) > LABEL_MAX:
        raise KnownError(
            _("A key needs a name of at most {limit} letters.").format(limit=LABEL_MAX),
            _('Say whose it is, as in: --label "Ed, security key"'),
        )
    return label


def to_bytes(card: Card) -> bytes:
    """The file."""
    return msgspec.json.encode(card, order="sorted") + b"\n"


def read(path: Path) -> Card:
    """The card in a file. Raises KnownError."""
    try:
        with path.open("rb") as stream:
            card = msgspec.json.decode(stream.read(_FILE_MAX), type=Card, strict=True)
        if (card.type, card.v) != ("fieldkeep-public-key", 1) or card.purpose not in PURPOSES:
            raise ValueError
        if card.alg == signing.ED25519:
            signing.safe_ed25519(card.spki)
        elif card.alg != signing.WEBAUTHN or card.purpose != "order" or not card.credential_id:
            raise ValueError
    except (OSError, msgspec.MsgspecError, ValueError, Refused):
        raise KnownError(
            _("“{name}” holds no public key.").format(name=path.name),
            _("Make one with: fieldkeep-admin --keys DIR keys new order --label NAME"),
        ) from None
    checked_label(card.label)
    return card
