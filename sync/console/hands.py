"""Whose hand signs a paper: key files in a folder, a security key, or a passkey on a page of this machine.

A signature is made over the bytes in the file and held against the root that came along before it is kept: what would
not count is said now, and not when the paper is filed.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from sync.console import desk, keyfile
from sync.console import paper as papers
from sync.console.paper import Paper
from sync.protocol import signing
from sync.protocol.documents import Admin, Credential, Order, Root, Site
from sync.protocol.errors import KnownError
from sync.protocol.signing import Signature, Signer
from sync.protocol.texts import gettext as _

KEYS: Final = "*.key"
ROOT: Final = "root"
# Where an admin's own machine signs. Devices take exact origins alone, ports included, so a page of another program
# on the same machine counts for nothing; several, since one may be in use.
PORTS: Final = (17_481, 21_763, 26_947, 30_851)
HERE: Final = Site(rp_id="localhost", origins=[f"http://localhost:{port}" for port in PORTS])

Passphrase = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Asserted:
    """What an authenticator has signed, and with which credential."""

    id: bytes
    authenticator_data: bytes
    client_data_json: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Made:
    """A new credential of an authenticator; `synced` may leave its hardware."""

    id: bytes
    spki: bytes
    synced: bool


class Authenticator(Protocol):
    """A security key, or a page for passkeys. Every method raises KnownError when it cannot be done."""

    def sign(self, site: Site, paper: Paper, lines: tuple[str, ...], among: list[bytes]) -> Asserted:
        """Sign the challenge of the paper at this site with one of these credentials."""

    def make(self, site: Site, label: str) -> Made:
        """Make a credential for orders at this site."""


def by_key_files(paper: Paper, root: Root, keys: Path, passphrase: Passphrase) -> list[Signature]:
    """What the keys in a folder sign: one of them an order, every root key a root. Raises KnownError."""
    if paper.kind == Order.TYPE:
        return [_signed_order(paper, root, keys, passphrase)]
    following = papers.next_root_of(paper)
    wanted = {key.spki for role in (root.root, following.root) for key in role.keys}
    done = {each.keyid for each in _role_signers(paper, root, following)}
    found = {
        name: Signature(
            keyid=name, alg=signing.ED25519, sig=key.sign(signing.to_be_signed(paper.kind, paper.payload))
        )
        for key in (opened.signing for opened in _opened(keys, ROOT, passphrase))
        if signing.spki_of(key) in wanted and (name := signing.keyid(signing.spki_of(key))) not in done
    }
    if not found:
        raise KnownError(
            _("There is no root key in the folder that has still to sign this."),
            _("Name the folder that holds one: --keys DIR"),
        )
    return list(found.values())


def by_authenticator(
    paper: Paper, root: Root, lines: tuple[str, ...], hand: Authenticator, *, exact: bool
) -> Signature:
    """The signature of a passkey or security key. `exact`: the place has to have a port of ours. Raises KnownError."""
    if paper.kind != Order.TYPE:
        raise KnownError(_("A root is signed with key files alone."), _("Name their folder: --keys DIR"))
    site = root.signer
    if site is None or (exact and not set(site.origins) & set(HERE.origins)):
        raise KnownError(
            _("The root names no place on an admin's own machine where this may be signed."),
            _("Enter one with the next root: fieldkeep-admin root key-add"),
        )
    known = {
        _raw(credential.credential_id): (admin, credential)
        for admin in root.admins
        for credential in admin.credentials
        if (credential.alg, credential.purpose) == (signing.WEBAUTHN, "order")
    }
    if not known:
        raise KnownError(
            _("The root names no passkey and no security key."),
            _("Enter one with the next root: fieldkeep-admin root key-add"),
        )
    answer = hand.sign(site, paper, lines, list(known))
    admin, credential = known.get(answer.id, (None, None))
    if admin is None or credential is None:
        raise KnownError(_("The root does not name this key."), _("Take the one that was entered for you."))
    signature = Signature(
        keyid=signing.keyid(credential.spki),
        alg=signing.WEBAUTHN,
        sig=answer.signature,
        admin_id=admin.admin_id,
        authenticator_data=answer.authenticator_data,
        client_data_json=answer.client_data_json,
    )
    _refuse_twice(paper, root, admin.admin_id)
    _refuse_unheld(paper.with_signature(signature), root, admin, credential)
    return signature


def _signed_order(paper: Paper, root: Root, keys: Path, passphrase: Passphrase) -> Signature:
    named = {
        (admin.admin_id, each.spki): (admin, each) for admin in root.admins for each in admin.credentials
    }
    for opened in _opened(keys, "order", passphrase):
        admin, credential = named.get((opened.admin_id, signing.spki_of(opened.signing)), (None, None))
        if admin is None or credential is None or credential.purpose != "order":
            continue
        _refuse_twice(paper, root, admin.admin_id)
        sig = opened.signing.sign(signing.to_be_signed(paper.kind, paper.payload))
        signature = Signature(
            keyid=signing.keyid(credential.spki), alg=signing.ED25519, sig=sig, admin_id=admin.admin_id
        )
        _refuse_unheld(paper.with_signature(signature), root, admin, credential)
        return signature
    raise KnownError(
        _("There is no key for orders of this organisation in the folder."),
        _("Name the folder with your order keys: --keys DIR"),
    )


def _opened(keys: Path, purpose: str, passphrase: Passphrase) -> Iterator[keyfile.OpenKey]:
    """The keys of one purpose in a folder, opened one by one."""
    for path in sorted(keys.glob(KEYS if purpose == ROOT else desk.ORDER_KEYS)):
        if keyfile.purpose_of(path) == purpose:
            yield keyfile.read(path, passphrase)


def _refuse_twice(paper: Paper, root: Root, admin_id: str) -> None:
    signers = signing.admin_signers(paper.envelope, root.admins, root.console, root.signer)
    if any(each.who == admin_id for each in signers):
        raise KnownError(
            _("This admin has signed it already; people are counted and not signatures."),
            _("Hand the file to the next one."),
        )


def _refuse_unheld(paper: Paper, root: Root, admin: Admin, credential: Credential) -> None:
    """Hold a signature against the root, as every device will."""
    wanted = Signer(admin.admin_id, signing.keyid(credential.spki))
    if wanted not in signing.admin_signers(paper.envelope, root.admins, root.console, root.signer):
        raise KnownError(
            _("The signature does not hold; it was not kept."), _("Try again, or take another key.")
        )


def _role_signers(paper: Paper, root: Root, following: Root) -> set[Signer]:
    return signing.role_signers(paper.envelope, [*root.root.keys, *following.root.keys])


def _raw(text: str) -> bytes:
    with contextlib.suppress(ValueError):
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return b""
