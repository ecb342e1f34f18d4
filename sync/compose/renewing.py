"""Renews what ends after a year: the server's certificate, the root and the policy, with the organisation's keys.

Keys stay as they are. Devices take the next root and policy in at their next exchange, since each is signed by the
keys that the one in force names.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sync.compose.founding import DOCUMENT_DAYS
from sync.console import keyfile
from sync.protocol import documents, signing, trust
from sync.protocol.documents import Policy, Root
from sync.protocol.facts import next_number
from sync.protocol.texts import gettext as _
from sync.protocol.trust import DAY_MS
from sync.server import config, post, tls
from sync.server.config import Folders
from sync.server.db.kept import AuditLine
from sync.server.errors import SetupError
from sync.server.service import system_now
from sync.server.views import posture_of


@dataclass(frozen=True, slots=True)
class Renewed:
    """The numbers of the new root and policy, and when everything ends, in UTC milliseconds."""

    root: int
    policy: int
    expires: int


def renew(folders: Folders, hosts: Sequence[str], keys: Path, passphrase: Callable[[], str]) -> Renewed:
    """Renew certificate, root and policy of a server that does not run. Raises KnownError."""
    now = system_now()
    root_key = keyfile.read(keys / "root.key", passphrase).signing
    policy_key = keyfile.read(keys / "policy.key", passphrase).signing
    certificate = _certificate(folders, hosts, keys, passphrase, now)
    expires = now + DOCUMENT_DAYS * DAY_MS
    with config.alone(folders):
        store = config.open_store(folders)
        try:
            with store.write() as tx:
                root, policy = post.root_and_policy(tx)
                prev = documents.digest(
                    signing.open_envelope(tx.post.newest(Policy.TYPE)[1], Policy.TYPE).payload
                )
                next_root = msgspec.structs.replace(
                    root, version=root.version + 1, issued=now, expires=expires
                )
                told = (posture_of(device) for device in tx.people.devices())
                number = next_number(policy.version, told)
                next_policy = msgspec.structs.replace(
                    policy, version=number, issued=now, expires=expires, prev_hash=prev
                )
                signed_root = signing.sign(next_root, ("", root_key)).to_bytes()
                signed_policy = signing.sign(next_policy, ("", policy_key)).to_bytes()
                # What the devices would refuse is not filed: a key of another organisation ends here.
                trust.next_root(root, signed_root, now)
                trust.policy(next_root, trust.Floors(), signed_policy, now)
                tx.post.put_document(Root.TYPE, next_root.version, signed_root)
                tx.post.put_document(Policy.TYPE, next_policy.version, signed_policy)
                line = AuditLine(at=now, actor="desk", verb="renew", object=f"root {next_root.version}")
                tx.post.audit(line)
        finally:
            store.close()
        replace(folders.tls_certificate, certificate)
    return Renewed(next_root.version, next_policy.version, expires)


def _certificate(
    folders: Folders, hosts: Sequence[str], keys: Path, passphrase: Callable[[], str], now: int
) -> bytes:
    """A new certificate for the server's key, under the authority that the devices trust."""
    ca_key = keyfile.read(keys / "ca.key", passphrase).authority
    try:
        ca = x509.load_pem_x509_certificate((keys / "ca.crt").read_bytes())
        own = serialization.load_pem_private_key(folders.tls_key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        ca, own = None, None
    if (
        ca is None
        or not isinstance(own, ec.EllipticCurvePrivateKey)
        or ca.public_key() != ca_key.public_key()
    ):
        raise SetupError(_("The server's certificate or its key is missing or damaged."))
    today = dt.datetime.fromtimestamp(now / 1000, dt.UTC)
    return tls.pem(tls.leaf(ca, ca_key, own.public_key(), hosts, today))


def replace(path: Path, data: bytes) -> None:
    """Put `data` at `path`, whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, config.PRIVATE_FILE)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
