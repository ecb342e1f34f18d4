"""A real keyring that is locked, stopped, killed, restored from a backup or no longer the default one."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
import secretstorage
from jeepney import DBusAddress, new_method_call

from app.errors import KeyMissing, KeyringUnreachable
from app.keys import vault
from app.keys.ring import SystemKeyring
from tests.keys.conftest import Laptop, new_laptop

ROOT = Path(__file__).resolve().parent.parent.parent
SECRETS = DBusAddress("/org/freedesktop/secrets", "org.freedesktop.secrets", "org.freedesktop.Secret.Service")
BUS = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
VALUE = "ab" * 32


def _session(home: Path) -> contextlib.AbstractContextManager[dict[str, str]]:
    spec = importlib.util.spec_from_file_location(
        "keyring_session", ROOT / "packaging" / "keyring_session.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: contextlib.AbstractContextManager[dict[str, str]] = module.keyring_session(home)
    return made


@contextlib.contextmanager
def a_keyring_of_its_own(home: Path) -> Iterator[psutil.Process]:
    """A session that this test may break; the environment points at it. Gives its daemon."""
    before = os.environ["DBUS_SESSION_BUS_ADDRESS"]
    with _session(home) as env:
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = env["DBUS_SESSION_BUS_ADDRESS"]
        try:
            yield psutil.Process(_ask(BUS, "GetConnectionUnixProcessID", "s", "org.freedesktop.secrets")[0])
        finally:
            os.environ["DBUS_SESSION_BUS_ADDRESS"] = before


def _ask(address: DBusAddress, method: str, signature: str, *body: Any) -> Any:
    with closing(secretstorage.dbus_init()) as bus:
        answer = bus.send_and_get_reply(new_method_call(address, method, signature, body), timeout=20)
        return answer.body


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[psutil.Process]:
    """The daemon of a keyring of its own."""
    with a_keyring_of_its_own(tmp_path / "home") as process:
        yield process


@pytest.fixture
def enrolled(daemon: psutil.Process, tmp_path: Path) -> Laptop:
    """A device with a store key, in that keyring."""
    made = new_laptop(tmp_path / "profile")
    for key in vault.create(made.profile, made.ring, org=made.org, device=made.device):
        key.wipe()
    return made


def _refuses_and_changes_nothing(laptop: Laptop, ring: SystemKeyring) -> None:
    before = laptop.files()
    for use in (
        lambda: ring.get("ring.1"),
        lambda: ring.set("ring.1", VALUE),
        lambda: ring.delete("ring.1"),
        lambda: vault.open_key(laptop.profile, ring),
    ):
        with pytest.raises(KeyringUnreachable):
            use()
    destroyed = vault.destroy(laptop.profile, ring)
    assert [each.name for each in destroyed] == ["ring.1", "share.1", "reset", "enc", "hw"]
    assert not any(each.verified_absent or each.destroyed for each in destroyed)
    assert laptop.files() == before


def test_a_locked_keyring_is_unreachable(enrolled: Laptop) -> None:
    with closing(secretstorage.dbus_init()) as bus:
        secretstorage.get_default_collection(bus).lock()
    _refuses_and_changes_nothing(enrolled, enrolled.ring)


def test_a_killed_keyring_is_unreachable(enrolled: Laptop, daemon: psutil.Process) -> None:
    daemon.kill()
    daemon.wait(20)
    _refuses_and_changes_nothing(enrolled, enrolled.ring)


def test_no_bus_is_unreachable(enrolled: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    _refuses_and_changes_nothing(enrolled, enrolled.ring)


def test_a_stopped_keyring_costs_the_time_out_and_no_more(enrolled: Laptop, daemon: psutil.Process) -> None:
    ring = SystemKeyring(enrolled.org, enrolled.device, timeout=1.0)
    ring.get("ring.1")
    daemon.suspend()
    try:
        started = time.monotonic()
        _refuses_and_changes_nothing(enrolled, ring)
        assert time.monotonic() - started < 10
    finally:
        daemon.send_signal(signal.SIGCONT)
    patient = SystemKeyring(enrolled.org, enrolled.device)
    assert patient.get("ring.1") is not None
    vault.open_key(enrolled.profile, patient).wipe()


def test_another_default_collection_is_not_an_empty_keyring(enrolled: Laptop) -> None:
    """The key lies in the collection that was the default; "absent" would be a lie, and so would "deleted"."""
    session = "/org/freedesktop/secrets/collection/session"
    login = _ask(SECRETS, "ReadAlias", "s", "default")[0]
    _ask(SECRETS, "SetAlias", "so", "default", _another_collection())
    _refuses_only_to_read(enrolled)
    _ask(SECRETS, "SetAlias", "so", "default", session)
    with pytest.raises(KeyringUnreachable, match="log out"):
        enrolled.ring.set("ring.1", VALUE)
    _refuses_only_to_read(enrolled)
    _ask(SECRETS, "SetAlias", "so", "default", login)
    vault.open_key(enrolled.profile, enrolled.ring).wipe()
    _ask(SECRETS, "SetAlias", "so", "default", session)
    assert all(each.verified_absent for each in vault.destroy(enrolled.profile, enrolled.ring))
    assert enrolled.entries() == {}


def _refuses_only_to_read(laptop: Laptop) -> None:
    with pytest.raises(KeyringUnreachable):
        laptop.ring.get("ring.1")
    with pytest.raises(KeyringUnreachable):
        vault.open_key(laptop.profile, laptop.ring)


def _another_collection() -> str:
    """A lasting, unlocked collection; made past the prompt that a person would answer."""
    guilty = DBusAddress(
        "/org/freedesktop/secrets",
        "org.freedesktop.secrets",
        "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface",
    )
    with closing(secretstorage.dbus_init()) as bus:
        session = _plain_session(bus)
        label = {"org.freedesktop.Secret.Collection.Label": ("s", "other")}
        master = (session, b"", b"a passphrase", "text/plain")
        call = new_method_call(guilty, "CreateWithMasterPassword", "a{sv}(oayays)", (label, master))
        path: str = bus.send_and_get_reply(call, timeout=20).body[0]
    assert path.startswith("/org/freedesktop/secrets/collection/")
    return path


def _plain_session(bus: Any) -> str:
    answer = bus.send_and_get_reply(
        new_method_call(SECRETS, "OpenSession", "sv", ("plain", ("s", ""))), timeout=20
    )
    path: str = answer.body[1]
    return path


def test_a_keyring_file_put_back_opens_nothing_once_the_header_is_shredded(tmp_path: Path) -> None:
    """A deleted entry returns with the backup of the keyring's file; the header is the half that does not."""
    home, kept = tmp_path / "home", tmp_path / "backup"
    laptop = new_laptop(tmp_path / "profile")
    with a_keyring_of_its_own(home):
        for key in vault.create(laptop.profile, laptop.ring, org=laptop.org, device=laptop.device):
            key.wipe()
        entries = laptop.entries()
        shutil.copytree(home / ".local", kept)
        assert all(each.verified_absent for each in vault.destroy(laptop.profile, laptop.ring))
        with pytest.raises(KeyMissing):
            vault.open_key(laptop.profile, laptop.ring)
        laptop.profile.store.write_bytes(b"the store")
        vault.shred_header(laptop.profile)
    shutil.rmtree(home / ".local")
    shutil.copytree(kept, home / ".local")
    with a_keyring_of_its_own(home):
        assert laptop.entries() == entries
        with pytest.raises(Exception, match="key file") as caught:
            vault.open_key(laptop.profile, laptop.ring)
        assert type(caught.value).__name__ == "StoreDamaged"
