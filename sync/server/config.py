"""Where a server keeps what: its folders, their files, and the refusal of folders that others can read."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.protocol.texts import gettext as _
from sync.server.db.moving import MovableStore
from sync.server.db.sqlite import KEY_BYTES, SqliteStore
from sync.server.errors import SetupError
from sync.server.placing import place_all

if TYPE_CHECKING:
    from sync.server.db.postgres import PostgresStore
    from sync.server.db.postgres_line import Address

PRIVATE_DIR: Final = 0o700
PRIVATE_FILE: Final = 0o600
DEFAULT_HOST: Final = "localhost"
DEFAULT_PORT: Final = 8443


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """By which mail server admins are told; the password stands in the secrets folder."""

    host: str
    port: int
    security: str  # "tls" | "starttls" | "none", the last on this machine alone
    user: str = ""
    sender: str


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What `init` settles for later starts; nothing secret."""

    v: int = 1
    org: str
    host: str
    port: int
    secrets: str  # the folder of the online keys: the command line opens the store when no server runs
    store: str = (
        ""  # address of a PostgreSQL database, without its password; "" for the file in the data folder
    )
    kept_days: int = 90  # how long results, the log and deleted records are kept whole; 90 at least
    store_gib: int = 0  # how much that database may take up, in GiB; 0 where nobody has set a limit
    console_host: str = "localhost"  # the name of the web console, which passkeys hang on
    console_port: int = 0  # where it listens; 0 for no console
    mail: Mail | None = None  # None: admins get no mail
    leaving: str | None = (
        None  # the store whose records were moved to this one and that does not know it yet, as `store` names it
    )


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of a server and the names in them."""

    data: Path
    secrets: Path

    @property
    def settings(self) -> Path:
        """What `init` settled."""
        return self.data / "server.json"

    @property
    def store(self) -> Path:
        """The SQLCipher store."""
        return self.data / "store.db"

    @property
    def socket(self) -> Path:
        """Where the running server listens to the admin command line."""
        return self.data / "admin.sock"

    @property
    def lock(self) -> Path:
        """Locked by the process that has the store open."""
        return self.data / "server.lock"

    @property
    def store_key(self) -> Path:
        """The store's key, 64 hex digits."""
        return self.secrets / "store.key"

    @property
    def database_password(self) -> Path:
        """The password of the PostgreSQL database, where it asks for one."""
        return self.secrets / "database.password"

    @property
    def database_authority(self) -> Path:
        """Whose certificate the PostgreSQL database shows, PEM."""
        return self.secrets / "database.crt"

    @property
    def tls_key(self) -> Path:
        """The private key of the server's certificate, PEM."""
        return self.secrets / "tls.key"

    @property
    def tls_certificate(self) -> Path:
        """The server's certificate, PEM."""
        return self.secrets / "tls.crt"

    @property
    def console_key(self) -> Path:
        """The private key of a certificate that browsers trust already, PEM; where somebody has put one there."""
        return self.secrets / "console.key"

    @property
    def console_certificate(self) -> Path:
        """That certificate, PEM."""
        return self.secrets / "console.crt"

    @property
    def mail_password(self) -> Path:
        """The password of the account at the mail server, where it asks for one."""
        return self.secrets / "mail.password"

    @property
    def mail_authority(self) -> Path:
        """Whose certificate the mail server shows, PEM, where the system does not trust it."""
        return self.secrets / "mail.crt"

    @property
    def mailed(self) -> Path:
        """How far the audit table was told by mail."""
        return self.data / "mailed.json"

    @property
    def lease_key(self) -> Path:
        """The key that signs leases, locks and unlocks, PEM."""
        return self.secrets / "lease.key"


def load(data: Path, secrets: Path | None = None) -> tuple[Folders, Settings]:
    """The folders and settings of an organisation that `init` has made. Raises SetupError."""
    settings = _settings(data)
    folders = Folders(data.resolve(), (secrets or Path(settings.secrets)).resolve())
    for folder in (folders.data, folders.secrets):
        refuse_loose(folder)
    return folders, settings


def _settings(data: Path) -> Settings:
    try:
        return msgspec.json.decode((data / "server.json").read_bytes(), type=Settings)
    except PermissionError:
        raise SetupError(
            _("You may not read the server's data folder."), _("Run this as the user whose folder it is.")
        ) from None
    except (OSError, msgspec.MsgspecError):
        raise SetupError(
            _("There is no server in the folder {folder}.").format(folder=data),
            _("Check what stands after --data, or make one with: fieldkeep-server init"),
        ) from None


def refuse_loose(folder: Path) -> None:
    """Refuse a folder, or a file in it, that anybody but its owner may enter or read. Raises SetupError."""
    try:
        entries = [folder, *folder.iterdir()]
        found = [(entry, entry.lstat()) for entry in entries]
    except OSError:
        raise SetupError(
            _("The folder “{name}” of the server is missing or cannot be read.").format(name=folder.name),
            _("Name the folders that “init” made, and run this as the user whose they are."),
        ) from None
    for entry, status in found:
        if status.st_mode & 0o077 and not stat.S_ISLNK(status.st_mode):
            raise SetupError(
                _("Others may read “{name}” in the server's folders.").format(name=entry.name),
                _("Take their rights away: chmod -R go= on the folder."),
            )
        if status.st_uid != os.geteuid():
            raise SetupError(
                _("“{name}” in the server's folders belongs to another user.").format(name=entry.name),
                _("Run this as the user whose folders they are."),
            )


@contextlib.contextmanager
def alone(folders: Folders) -> Iterator[None]:
    """Be the only process with this store open. Raises SetupError when another is."""
    handle = os.open(folders.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SetupError(
                _("Another process has this server's store open."),
                _("Stop it first; one store has one server."),
            ) from None
        yield
    finally:
        os.close(handle)


def open_store(folders: Folders) -> MovableStore:
    """The store that the settings name. Raises SetupError, StoreError."""
    settings = _settings(folders.data)
    store = store_at(folders, settings.store, settings.store_gib)
    try:
        place_all(store)
    except BaseException:
        store.close()
        raise
    return store


def store_at(folders: Folders, store: str, gib: int = 0) -> MovableStore:
    """The store of that address, "" for the file, as it lies there. Raises SetupError, StoreError."""
    if store:
        kind, where = database(folders, store)
        return kind.open(where, gib * 2**30)
    return SqliteStore.open(folders.store, read_store_key(folders.store_key))


def database(folders: Folders, url: str) -> tuple[type[PostgresStore], Address]:
    """What opens or makes a store in a PostgreSQL database, and where that is. Raises SetupError."""
    try:
        # Not at the top: a server with its own file needs none of it, and need not have it installed.
        from sync.server.db.postgres import PostgresStore
        from sync.server.db.postgres_line import address
    except ImportError:
        raise SetupError(
            _("The part that speaks to PostgreSQL is not installed."),
            _("Install it: pip install 'fieldkeep[postgresql]'"),
        ) from None
    return PostgresStore, address(url, folders.database_password, folders.database_authority)


def read_store_key(path: Path) -> bytearray:
    """The store's key; the caller wipes it. Raises SetupError."""
    try:
        key = bytearray.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        key = bytearray()
    if len(key) != KEY_BYTES:
        raise SetupError(
            _("The key of the server's store is missing or damaged."),
            _("Name the secrets folder that “init” made, or put it back from its copy."),
        )
    return key


def read_lease_key(path: Path) -> Ed25519PrivateKey:
    """The lease key. Raises SetupError."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise SetupError(
            _("The lease key of the server is missing or damaged."),
            _("Name the secrets folder that “init” made, or put it back from its copy."),
        )
    return key


def url_of(host: str, port: int) -> str:
    """The address of a server."""
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
