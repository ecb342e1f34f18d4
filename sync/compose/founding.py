"""Makes an organisation: its folders, keys, certificates and first documents, in one step and never twice.

Three folders with three fates: data is backed up daily, secrets stay on the server, keys leave it and are kept
offline. Nothing is written before all three are known to be new.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sync.compose import console
from sync.console import hands, keyfile
from sync.protocol import documents, sealing, signing
from sync.protocol.documents import Admin, Credential, Key, Policy, Role, Root, Site
from sync.protocol.errors import KnownError
from sync.protocol.fields import clean_text
from sync.protocol.ids import ID_BYTES
from sync.protocol.texts import gettext as _
from sync.protocol.trust import DAY_MS
from sync.server import access, config, tls
from sync.server.belonging import checked_person
from sync.server.config import Folders, Settings
from sync.server.db.base import Store
from sync.server.db.sqlite import KEY_BYTES, SqliteStore
from sync.server.errors import SetupError
from sync.server.office import StoreOffice
from sync.server.service import system_now

ORDER_KEYS: Final = 2  # per admin: one in hand and one in the safe
DOCUMENT_DAYS: Final = 397
_NAME_MAX: Final = 120
_HOST: Final = re.compile(r"[0-9A-Za-z]([0-9A-Za-z.-]{0,251}[0-9A-Za-z])?|[0-9A-Fa-f:.]{2,45}")


@dataclass(frozen=True, slots=True)
class Wish:
    """What `init` is asked for."""

    data: Path
    secrets: Path
    keys: Path
    org_name: str
    admin: str
    host: str
    port: int
    console_host: str
    console_port: int = 0  # 0 for no console
    store: str = ""  # address of a PostgreSQL database, "" for a file in the data folder


@dataclass(frozen=True, slots=True)
class Founded:
    """What `init` made: the organisation's id, the digest of its root, and the files to keep offline."""

    org: str
    root_digest: str
    offline: tuple[str, ...]
    protected: bool


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys of a new organisation."""

    root: Ed25519PrivateKey
    policy: Ed25519PrivateKey
    lease: Ed25519PrivateKey
    orders: tuple[Ed25519PrivateKey, ...]
    recovery: X25519PrivateKey


def found(wish: Wish, passphrase: str) -> Founded:
    """Make the organisation. Raises KnownError, and then has written nothing where something was."""
    _check(wish)
    now = system_now()
    today = dt.datetime.fromtimestamp(now / 1000, dt.UTC)
    org, admin_id = secrets.token_hex(ID_BYTES), secrets.token_hex(8)
    keys = _Keys(
        root=Ed25519PrivateKey.generate(),
        policy=Ed25519PrivateKey.generate(),
        lease=Ed25519PrivateKey.generate(),
        orders=tuple(Ed25519PrivateKey.generate() for _each in range(ORDER_KEYS)),
        recovery=X25519PrivateKey.generate(),
    )
    ca_key, leaf_key = tls.new_key(), tls.new_key()
    ca = tls.authority(ca_key, org, today)
    leaf = tls.leaf(ca, ca_key, leaf_key.public_key(), console.hosts(wish.host, wish.console_host), today)
    root = _root(wish, org, admin_id, keys, tls.pem(ca).decode(), now)
    policy = Policy(version=1, org=org, issued=now, expires=now + DOCUMENT_DAYS * DAY_MS)
    offline: dict[str, bytes] = {
        "root.key": keyfile.write("root", keys.root, passphrase=passphrase),
        "policy.key": keyfile.write("policy", keys.policy, passphrase=passphrase),
        "recovery.key": keyfile.write("recovery", keys.recovery, passphrase=passphrase),
        "ca.key": keyfile.write("ca", ca_key, passphrase=passphrase),
    }
    for number, key in enumerate(keys.orders, 1):
        offline[f"order-{number}.key"] = keyfile.write("order", key, admin_id=admin_id, passphrase=passphrase)
    offline["ca.crt"] = tls.pem(ca)
    store_key = bytearray(os.urandom(KEY_BYTES))
    folders = Folders(wish.data.resolve(), wish.secrets.resolve())
    settings = Settings(
        org=org, host=wish.host, port=wish.port, secrets=str(folders.secrets), store=wish.store,
        console_host=wish.console_host, console_port=wish.console_port,
    )  # fmt: skip
    database = config.database(folders, wish.store) if wish.store else None
    if database is not None:
        database[0].refuse_taken(database[1])
    for folder in (wish.data, wish.secrets, wish.keys):
        _make(folder)
    for name, data in offline.items():
        write_new(wish.keys / name, data)
    write_new(folders.store_key, store_key.hex().encode() + b"\n")
    write_new(folders.lease_key, _pem(keys.lease))
    write_new(folders.tls_key, _pem(leaf_key))
    write_new(folders.tls_certificate, tls.pem(leaf))
    store = database[0].create(database[1]) if database else SqliteStore.create(folders.store, store_key)
    _begin(store, keys, root, policy, wish.admin)
    # Last of all: what has no settings is no server.
    write_new(folders.settings, msgspec.json.encode(settings) + b"\n")
    return Founded(org, documents.digest(root.to_bytes()), tuple(offline), bool(passphrase))


def write_new(path: Path, data: bytes) -> None:
    """Write a file that was not there, for its owner alone, durably. Raises SetupError."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, config.PRIVATE_FILE)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise SetupError(
            _("“{name}” is there already; nothing was written.").format(name=path.name),
            _("Move it away, or name another folder."),
        ) from None
    except OSError as error:
        raise SetupError(
            _("“{name}” could not be written.").format(name=path.name), error.strerror or ""
        ) from None


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=config.PRIVATE_DIR, parents=True, exist_ok=True)
        folder.chmod(config.PRIVATE_DIR)
    except OSError as error:
        raise SetupError(
            _("The folder “{name}” could not be made.").format(name=folder.name),
            _("Choose a place where you may write. ({error})").format(error=error.strerror or ""),
        ) from None


def _check(wish: Wish) -> None:
    folders = [wish.data.resolve(), wish.secrets.resolve(), wish.keys.resolve()]
    for folder in folders:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise SetupError(
                _("“{name}” exists and is not empty; nothing was changed.").format(name=folder.name),
                _("A new organisation needs new folders."),
            )
        if any(other == folder or other in folder.parents for other in folders if other is not folder):
            raise SetupError(
                _("Data, secrets and keys must be three folders, none inside another."),
                _("Keys leave the server, secrets stay on it, data is backed up."),
            )
    if not wish.org_name or len(wish.org_name) > _NAME_MAX or clean_text(wish.org_name) != wish.org_name:
        raise KnownError(
            _("The organisation needs a name of at most {limit} letters.").format(limit=_NAME_MAX)
        )
    checked_person(wish.admin, access.IT, "")
    if not _HOST.fullmatch(wish.host):
        raise KnownError(
            _("This is not the name or address of a host."),
            _("Give what devices will use: --host server.example.com"),
        )
    if not console.NAME.fullmatch(wish.console_host):
        raise KnownError(
            _("The console needs a name, and this is none that a browser takes for passkeys."),
            _("Give one in small letters: --console-host console.example.com"),
        )
    if not 0 <= wish.port < 65_536 or not 0 <= wish.console_port < 65_536:
        raise KnownError(_("This is not a port."), _("Ports are numbers from 0 to 65535."))


def _root(wish: Wish, org: str, admin_id: str, keys: _Keys, ca_pem: str, now: int) -> Root:
    def role(key: Ed25519PrivateKey) -> Role:
        return Role(keys=[Key(alg=signing.ED25519, spki=signing.spki_of(key))])

    signs = console.sites(wish.console_host, wish.console_port or console.HTTPS).signing
    credentials = [
        Credential(alg=signing.ED25519, spki=signing.spki_of(key), label=f"order-{number}")
        for number, key in enumerate(keys.orders, 1)
    ]
    return Root(
        version=1,
        org=org,
        org_name=wish.org_name,
        issued=now,
        expires=now + DOCUMENT_DAYS * DAY_MS,
        root=role(keys.root),
        policy=role(keys.policy),
        lease=role(keys.lease),
        admins=[Admin(admin_id=admin_id, credentials=credentials)],
        recovery=sealing.public_bytes(keys.recovery),
        tls_ca=[ca_pem],
        server_urls=[config.url_of(wish.host, wish.port or config.DEFAULT_PORT)],
        console=Site(rp_id=signs.rp_id, origins=[signs.origin]),
        signer=hands.HERE,
    )


def _begin(store: Store, keys: _Keys, root: Root, policy: Policy, admin: str) -> None:
    """Lay root, policy and the first admin into the new store, and close it."""
    try:
        with store.write() as tx:
            tx.post.put_document(Root.TYPE, root.version, signing.sign(root, ("", keys.root)).to_bytes())
            signed = signing.sign(policy, ("", keys.policy)).to_bytes()
            tx.post.put_document(Policy.TYPE, policy.version, signed)
        StoreOffice(store, keys.lease, "").add_person(admin, access.IT, "", "")
    finally:
        store.close()


def _pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
