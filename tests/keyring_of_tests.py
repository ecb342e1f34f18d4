"""The keyring of a test run: what it holds, read past our own code, and how it is kept small.

Every change of an entry makes GNOME Keyring write all of them anew, and who asks what it holds asks for each.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import secretstorage
from jeepney.io.blocking import DBusConnection
from secretstorage.exceptions import ItemNotFoundException
from secretstorage.util import DBusAddressWrapper, format_secret, open_session

_SERVICE: Final = "/org/freedesktop/secrets"
_INTERFACE: Final = "org.freedesktop.Secret.Service"
_COLLECTION: Final = "org.freedesktop.Secret.Collection"
_WITHOUT_PROMPT: Final = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface"
_ITEM: Final = "org.freedesktop.Secret.Item"
_LABEL: Final = "org.freedesktop.Secret.Collection.Label"
_MANY: Final = 40  # entries; from here on a change of one costs noticeably more than a new keyring does


def device_entries(device: str) -> dict[str, str]:
    """The entries of one device (hex)."""
    with closing(secretstorage.dbus_init()) as bus:
        return {
            name: secretstorage.Item(bus, path).get_secret().decode()
            for path, service, name in _all(bus)
            if service.endswith(f"/{device}")
        }


def all_entries() -> set[tuple[str, str]]:
    """(service, name) of everything that it holds."""
    with closing(secretstorage.dbus_init()) as bus:
        return {(service, name) for _path, service, name in _all(bus)}


def _all(bus: DBusConnection) -> Iterator[tuple[str, str, str]]:
    """Path, service and name of each entry: one question for each, where `search_items` has two."""
    unlocked, locked = _searched(bus)
    for path in (*unlocked, *locked):
        found = DBusAddressWrapper(path, _ITEM, bus).get_property("Attributes")
        yield path, found.get("service", ""), found.get("username", "")


def _searched(bus: DBusConnection) -> tuple[list[str], list[str]]:
    """Paths of what is open and of what is locked. A daemon amid a change may have no such method for a moment."""
    until, pause = time.monotonic() + 20, threading.Event()
    while True:
        try:
            found: tuple[list[str], list[str]] = DBusAddressWrapper(_SERVICE, _INTERFACE, bus).call(
                "SearchItems", "a{ss}", {}
            )
        except ItemNotFoundException:
            if time.monotonic() >= until:
                raise
            pause.wait(0.1)
        else:
            return found


def renew() -> bool:
    """Put an empty keyring in the place of a default one that has grown; whether it was done.

    Only where no profile that is in use has its keys there. It stays a real one: a file, encrypted under a passphrase.
    """
    with closing(secretstorage.dbus_init()) as bus:
        # By its own name, for the alias moves on.
        former = secretstorage.get_collection_by_alias(bus, "default")
        entries = DBusAddressWrapper(former.collection_path, _COLLECTION, bus).get_property("Items")
        if len(entries) < _MANY:
            return False
        secret = format_secret(open_session(bus), b"keyring of tests and demo", "text/plain")
        making = DBusAddressWrapper(_SERVICE, _WITHOUT_PROMPT, bus)
        (path,) = making.call("CreateWithMasterPassword", "a{sv}(oayays)", {_LABEL: ("s", "tests")}, secret)
        DBusAddressWrapper(_SERVICE, _INTERFACE, bus).call("SetAlias", "so", "default", path)
        former.delete()
        return True
