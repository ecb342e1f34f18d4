"""The system's own keyrings, one allow-listed class per system, each built by name and never looked up.

`keyring.get_keyring()` would ask the environment and `keyringrc.cfg` for a backend, and run what they name; so it
is never called, and the variables that reach into a backend built by hand are removed before keyring is
imported. Errors of the backends pass through here as they are; ring.py turns them.

Windows and macOS are written from the backends' sources and have not been run on those systems.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, Protocol

from app.errors import KeyringUnreachable
from app.keys import beside
from sync.protocol.texts import gettext as _

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection
    from keyring.backend import KeyringBackend
    from secretstorage import Collection
    from secretstorage.dhcrypto import Session

# Any process that sets these for us could send our keys to a place of its choice.
_REACHING_IN: Final = ("PYTHON_KEYRING_BACKEND", "KEYCHAIN_PATH")
_REACHING_IN_PREFIX: Final = "KEYRING_PROPERTY_"

_APPLICATION: Final = "Python keyring library"  # what keyring's own backend files an entry under
KEPT_S: Final = 2.0  # a line that nobody uses for so long is ended, and with it the key of its session
_SESSION_COLLECTION: Final = "/org/freedesktop/secrets/collection/session"


class Backend(Protocol):
    """What we ask of a system's keyring. Every method may hang or raise anything; ring.py bounds and turns it."""

    def get(self, service: str, name: str) -> str | None:
        """The value, or None when the keyring has positively no such entry."""

    def set(self, service: str, name: str, value: str) -> None:
        """Keep a value, in place of an earlier one."""

    def delete(self, service: str, name: str) -> None:
        """Delete what can be found of an entry; nothing to find is no error."""

    def present(self, service: str, name: str) -> bool:
        """Whether any copy of an entry can be found, wherever the keyring may keep one."""


def scrub_environment() -> None:
    """Remove the variables by which another program could redirect the keyring."""
    for name in list(os.environ):
        if name in _REACHING_IN or name.startswith(_REACHING_IN_PREFIX):
            del os.environ[name]


def system_backend(timeout: float) -> Backend:
    """The keyring of this system; a prompt for its passphrase is given up after `timeout` seconds.

    Raises KeyringUnreachable on a system for which we know none that we trust, ImportError when a part is missing.
    """
    scrub_environment()
    system: str = (
        sys.platform
    )  # named, so that the type checker does not take the other systems for dead code
    if system.startswith("linux"):
        return _secret_service(timeout)
    if system == "win32":
        return _credential_manager()
    if system == "darwin":
        return _keychain()
    raise KeyringUnreachable(
        _("Fieldkeep knows no safe keyring on this system."),
        _("Use Linux with the Secret Service, Windows or macOS."),
    )


def _secret_service(timeout: float) -> Backend:
    """GNOME Keyring, KWallet and others that speak the Secret Service protocol."""
    return SecretService(timeout)


class _Bus:
    """The line to the Secret Service: kept for calls that come shortly after one another, as those of a start do.

    Whatever goes wrong on it ends it, and the next call has a new one: what a broken line says is never taken for the
    keyring's own word. Calls come one at a time (ring.py); only the end by time comes from another thread.
    """

    def __init__(self) -> None:
        self._one = threading.Lock()
        self._line: DBusConnection | None = None
        self._session: Session | None = None
        self._address: str | None = None
        self._used = 0

    @contextlib.contextmanager
    def use(self) -> Iterator[tuple[DBusConnection, Callable[[], Session]]]:
        """The line, and what gives the session in which secrets are sealed on it."""
        import secretstorage

        with self._one:
            self._used += 1
            address = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
            if address != self._address:  # another bus, or none any more
                self._end()
            if self._line is None:
                self._address = address
                self._line = secretstorage.dbus_init()
                threading.Thread(
                    target=self._end_unused, args=(self._line,), name="keyring-line", daemon=True
                ).start()
            line = self._line
            try:
                yield line, lambda: self._sealed(line)
            except BaseException:
                self._end()
                raise

    def _sealed(self, line: DBusConnection) -> Session:
        from secretstorage.util import open_session

        if self._session is None:
            self._session = open_session(line)
        return self._session

    def _end_unused(self, line: DBusConnection) -> None:
        """End the line once nobody has come for a while; in a thread of its own."""
        seen = -1
        pause = threading.Event()
        while True:
            pause.wait(KEPT_S)
            with self._one:
                if self._line is not line:
                    return
                if self._used == seen:
                    self._end()
                    return
                seen = self._used

    def _end(self) -> None:
        line, self._line, self._session = self._line, None, None
        if line is not None:
            line.close()


class SecretService:
    """The Secret Service: the default collection for use, all collections when it must be gone.

    Spoken through secretstorage, as keyring's own backend does and with the same attributes, since that one brings in
    two hundred modules more, between the start of the program and its first list.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._bus = _Bus()

    def ready(self) -> None:
        """Have the line open, and what secrets are sealed with on it."""
        with self._bus.use() as (_bus, session):
            session()

    def there(self, service: str, name: str) -> str | None:
        """The value where the default collection lasts, is open and has it; None says nothing. Asks no person."""
        import secretstorage

        with self._bus.use() as (bus, session):
            collection = secretstorage.get_collection_by_alias(bus, "default")
            if collection.collection_path == _SESSION_COLLECTION or collection.is_locked():
                return None
            for item in collection.search_items(self._query(service, name)):
                if item.is_locked():
                    return None
                item.session = session()
                return str(item.get_secret().decode())
        return None

    def get(self, service: str, name: str) -> str | None:
        found = beside.get(service, name)
        if found is not None:
            return found
        with self._default() as (collection, session):
            for item in collection.search_items(self._query(service, name)):
                if item.is_locked() and item.unlock(timeout=self._timeout):
                    raise _locked()
                item.session = session()
                return str(item.get_secret().decode())
        if self.present(service, name):
            # The default collection was changed. Our key is not lost, so it must not be taken for absent.
            raise KeyringUnreachable(
                _("Another keyring has become the default one of this system."),
                _("Make the earlier keyring the default one again, or ask IT."),
            )
        return None

    def set(self, service: str, name: str, value: str) -> None:
        self._make_default()
        attributes = {"application": _APPLICATION, **self._query(service, name)}
        with self._default() as (collection, session):
            collection.session = session()
            label = f"Password for '{name}' on '{service}'"
            collection.create_item(label, attributes, value.encode(), replace=True)

    def delete(self, service: str, name: str) -> None:
        import secretstorage

        with self._bus.use() as (bus, _session):
            for item in secretstorage.search_items(bus, self._query(service, name)):
                if item.is_locked():
                    item.unlock(timeout=self._timeout)
                item.delete()

    def present(self, service: str, name: str) -> bool:
        import secretstorage

        with self._bus.use() as (bus, _session):
            default = None
            with contextlib.suppress(secretstorage.ItemNotFoundException):  # then nothing is locked either
                default = secretstorage.get_collection_by_alias(bus, "default")
            # Not every keyring can search what is locked; an answer from a locked one is not "absent".
            if default is not None and default.is_locked() and default.unlock(timeout=self._timeout):
                raise _locked()
            return any(True for _item in secretstorage.search_items(bus, self._query(service, name)))

    @contextlib.contextmanager
    def _default(self) -> Iterator[tuple[Collection, Callable[[], Session]]]:
        """The default collection, unlocked, and its line's session; none is made, and no prompt lasts for ever."""
        import secretstorage

        with self._bus.use() as (bus, session):
            collection = secretstorage.get_collection_by_alias(bus, "default")
            if collection.collection_path == _SESSION_COLLECTION:
                raise KeyringUnreachable(
                    _("Your system keyring forgets everything when you log out."),
                    _("Choose a lasting keyring as the default one, then try again."),
                )
            if collection.is_locked() and collection.unlock(timeout=self._timeout):
                raise _locked()
            yield collection, session

    def _make_default(self) -> None:
        """On a system that has no default collection yet, ask for one; its person chooses the passphrase."""
        import secretstorage

        with self._bus.use() as (bus, _session):
            try:
                secretstorage.get_collection_by_alias(bus, "default")
            except secretstorage.ItemNotFoundException:
                secretstorage.create_collection(bus, "Default", "default")

    def _query(self, service: str, name: str) -> dict[str, str]:
        """The attributes under which keyring's backend files an entry."""
        return {"service": service, "username": name}


def _locked() -> Exception:
    """A prompt for the keyring's passphrase was dismissed."""
    import secretstorage

    return secretstorage.LockedException()


class _Plain:
    """A backend of keyring that keeps an entry in one place, or finds every copy by itself."""

    def __init__(self, keyring: KeyringBackend) -> None:
        self._keyring = keyring

    def get(self, service: str, name: str) -> str | None:
        return self._keyring.get_password(service, name)

    def set(self, service: str, name: str, value: str) -> None:
        self._keyring.set_password(service, name, value)

    def delete(self, service: str, name: str) -> None:
        from keyring.errors import PasswordDeleteError

        try:
            self._keyring.delete_password(service, name)
        except PasswordDeleteError:
            # Both "there is none" and "could not" look like this; only asking again tells them apart.
            if self.present(service, name):
                raise

    def present(self, service: str, name: str) -> bool:
        return self._keyring.get_password(service, name) is not None


def _credential_manager() -> Backend:
    """Windows Credential Manager, for this computer alone: by default an entry may roam to others."""
    from keyring.backends.Windows import WinVaultKeyring

    keyring = WinVaultKeyring()  # type: ignore[no-untyped-call]
    keyring.persist = "local machine"
    return _Plain(keyring)


def _keychain() -> Backend:
    """The macOS login keychain."""
    from keyring.backends.macOS import Keyring

    return _Plain(Keyring())  # type: ignore[no-untyped-call]
