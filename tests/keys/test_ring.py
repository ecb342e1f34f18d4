"""The keyring's three answers (value, absent, unreachable), with the real one and with staged ones."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
import secretstorage

from app.errors import KeyringUnreachable
from app.keys.backends import SecretService, _Bus
from app.keys.ring import SystemKeyring, ring_name, service_name, share_name
from tests.keys.conftest import Laptop
from tests.keys.rings import StagedBackend

VALUE = "ab" * 32
OTHER = "cd" * 32
SESSION = "/org/freedesktop/secrets/collection/session"


def staged(timeout: float = 5.0) -> tuple[SystemKeyring, StagedBackend]:
    backend = StagedBackend()
    return SystemKeyring("org", "device", timeout=timeout, backend=backend), backend


# --- the real keyring -------------------------------------------------------------------------


def test_what_is_kept_comes_back(laptop: Laptop) -> None:
    laptop.ring.set("ring.1", VALUE)
    assert laptop.ring.get("ring.1") == VALUE
    laptop.ring.set("ring.1", OTHER)
    assert laptop.ring.get("ring.1") == OTHER
    assert laptop.entries() == {"ring.1": OTHER}


def test_another_ring_of_the_device_sees_it_and_another_device_does_not(laptop: Laptop) -> None:
    laptop.ring.set("dev", VALUE)
    assert SystemKeyring(laptop.org, laptop.device).get("dev") == VALUE
    assert SystemKeyring(laptop.org, "f" * 32).get("dev") is None


def test_absent_is_none_and_deleting_it_is_well(laptop: Laptop) -> None:
    assert laptop.ring.get("ring.1") is None
    assert laptop.ring.delete("ring.1") is True


def test_every_copy_of_an_entry_goes(laptop: Laptop) -> None:
    """Two entries of the same attributes can come from a restored file; a single delete takes one of them."""
    attributes = {"service": laptop.service, "username": "ring.1"}
    with closing(secretstorage.dbus_init()) as bus:
        default = secretstorage.get_default_collection(bus)
        session = secretstorage.Collection(bus, SESSION)
        for collection, copies in ((default, 3), (session, 1)):
            for copy in range(copies):
                collection.create_item("a copy", attributes | {"n": str(copy)}, VALUE.encode())
        assert len(list(secretstorage.search_items(bus, attributes))) == 4
        assert laptop.ring.delete("ring.1") is True
        assert not list(secretstorage.search_items(bus, attributes))


def _line(ring: SystemKeyring) -> _Bus:
    assert isinstance(ring._backend, SecretService)
    return ring._backend._bus


def test_a_line_that_broke_is_made_anew_and_says_nothing_of_a_key(laptop: Laptop) -> None:
    laptop.ring.set("ring.1", VALUE)
    first = _line(laptop.ring)._line
    assert first is not None
    end = first.close
    assert laptop.ring.get("ring.1") == VALUE
    assert _line(laptop.ring)._line is first
    end()
    assert laptop.ring.get("ring.1") == VALUE
    assert _line(laptop.ring)._line is not first


def test_a_line_that_nobody_uses_is_ended(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.keys.backends.KEPT_S", 0.01)
    assert laptop.ring.get("ring.1") is None
    until = time.monotonic() + 10
    while _line(laptop.ring)._line is not None:
        assert time.monotonic() < until
    assert _line(laptop.ring)._session is None
    laptop.ring.set("ring.1", VALUE)
    assert laptop.ring.get("ring.1") == VALUE


@pytest.mark.parametrize("value", ["", "AB" * 32, "ab" * 33, "ab\n", "xy", "ab cd", "中" * 4])
def test_only_short_lower_case_hex_is_kept(laptop: Laptop, value: str) -> None:
    with pytest.raises(ValueError, match="hex"):
        laptop.ring.set("ring.1", value)
    assert laptop.entries() == {}


def test_an_entry_that_we_never_stored_is_not_absent(laptop: Laptop) -> None:
    with closing(secretstorage.dbus_init()) as bus:
        secretstorage.get_default_collection(bus).create_item(
            "rubbish", {"service": laptop.service, "username": "ring.1"}, b"not hex at all"
        )
    with pytest.raises(KeyringUnreachable, match="damaged"):
        laptop.ring.get("ring.1")
    assert laptop.ring.delete("ring.1") is True


def test_names_are_ours() -> None:
    assert (ring_name(1), share_name(12)) == ("ring.1", "share.12")
    ring, _backend = staged()
    for name in ("", "ring.", "ring.01", "../dev", "Ring.1", "ring.1\n"):
        with pytest.raises(ValueError, match="name"):
            ring.get(name)
    for part in ("", "a/b", "a b", "a" * 65):
        with pytest.raises(ValueError, match="ids"):
            service_name("org", part)


ROGUE = """
import os, pathlib, keyring.backend
class Keyring(keyring.backend.KeyringBackend):
    priority = 99
    def _seen(self, *what): pathlib.Path(os.environ["ROGUE_SAW"]).write_text(repr(what))
    get_password = set_password = delete_password = _seen
"""
CHILD = """
import sys
from app.keys.ring import SystemKeyring
org, device, value = sys.stdin.read().split()
SystemKeyring(org, device).set("ring.1", value)
"""


@pytest.mark.parametrize("way", ["variable", "file", "property", "null"])
def test_nobody_redirects_the_keyring(laptop: Laptop, tmp_path: Path, way: str) -> None:
    """Variables and keyringrc.cfg can name a backend of any origin, or the collection that dies with the session."""
    (tmp_path / "rogue.py").write_text(ROGUE)
    config = tmp_path / "config" / "python_keyring"
    config.mkdir(parents=True)
    saw = tmp_path / "saw"
    env = {**os.environ, "ROGUE_SAW": str(saw), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    env["PYTHONPATH"] = os.pathsep.join([str(tmp_path), *sys.path])
    if way == "variable":
        env["PYTHON_KEYRING_BACKEND"] = "rogue.Keyring"
    elif way == "null":
        env["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
    elif way == "file":
        text = f"[backend]\ndefault-keyring=rogue.Keyring\nkeyring-path={tmp_path}\n"
        (config / "keyringrc.cfg").write_text(text)
    else:
        env["KEYRING_PROPERTY_PREFERRED_COLLECTION"] = SESSION
        env["KEYRING_PROPERTY_SCHEME"] = "KeePassXC"
    told = f"{laptop.org} {laptop.device} {VALUE}"
    subprocess.run([sys.executable, "-c", CHILD], env=env, input=told, text=True, check=True, timeout=60)
    assert not saw.exists()
    assert laptop.ring.get("ring.1") == VALUE
    with closing(secretstorage.dbus_init()) as bus:
        kept_for_now = secretstorage.Collection(bus, SESSION)
        assert not list(kept_for_now.search_items({"service": laptop.service}))


# --- staged: what a real keyring does on a bad day ----------------------------------------------


def test_a_hanging_keyring_costs_the_time_out_once() -> None:
    ring, backend = staged(timeout=0.3)
    backend.hold.clear()
    started = time.monotonic()
    with pytest.raises(KeyringUnreachable):
        ring.get("ring.1")
    assert 0.25 < time.monotonic() - started < 5
    ring._timeout = 60.0
    started = time.monotonic()
    for use in (lambda: ring.get("dev"), lambda: ring.set("dev", VALUE), lambda: ring.delete("dev")):
        with pytest.raises(KeyringUnreachable):
            use()
    assert time.monotonic() - started < 5
    backend.hold.set()
    assert backend.calls in ([], ["get"])


def test_no_late_set_overtakes_a_newer_one() -> None:
    ring, backend = staged(timeout=0.2)
    backend.hold.clear()
    with pytest.raises(KeyringUnreachable):
        ring.set("ring.1", VALUE)
    with pytest.raises(KeyringUnreachable):
        ring.set("ring.1", OTHER)
    ring._timeout = 30.0
    late = [thread for thread in threading.enumerate() if thread.name == "keyring-set"]
    backend.hold.set()
    for thread in late:
        thread.join(30)
    ring.set("ring.1", OTHER)
    assert ring.get("ring.1") == OTHER
    assert [call for call in backend.calls if call.startswith("set")] == [f"set {VALUE}", f"set {OTHER}"]


def test_callers_take_turns() -> None:
    ring, backend = staged(timeout=30.0)
    backend.hold.clear()
    got: list[str | None] = []
    threads = [threading.Thread(target=lambda: got.append(ring.get("dev"))) for _each in range(4)]
    for thread in threads:
        thread.start()
    assert sum(thread.name == "keyring-get" for thread in threading.enumerate()) <= 1
    backend.hold.set()
    for thread in threads:
        thread.join(30)
    assert got == [None] * 4


def test_a_delete_that_changes_nothing_is_not_believed() -> None:
    ring, backend = staged()
    ring.set("ring.1", VALUE)
    backend.deletes = 0
    assert ring.delete("ring.1") is False
    assert ring.get("ring.1") == VALUE


def test_copies_are_deleted_one_by_one_where_the_keyring_takes_one_at_a_time() -> None:
    ring, backend = staged()
    backend.kept["ring.1"] = [VALUE] * 5
    assert ring.delete("ring.1") is True
    assert backend.kept["ring.1"] == []


def test_a_keyring_that_drops_what_it_is_given_is_found_out() -> None:
    ring, backend = staged()
    backend.forgets = True
    with pytest.raises(KeyringUnreachable, match="keep"):
        ring.set("ring.1", VALUE)


@pytest.mark.parametrize("error", [RuntimeError(VALUE), OSError(5, VALUE), AssertionError(), TimeoutError()])
def test_whatever_the_keyring_raises_is_unreachable_and_never_absent(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    ring, backend = staged()
    backend.raises = error
    with caplog.at_level(logging.DEBUG):
        for use in (lambda: ring.get("dev"), lambda: ring.set("dev", OTHER), lambda: ring.delete("dev")):
            with pytest.raises(KeyringUnreachable) as caught:
                use()
            assert caught.value.__cause__ is None
    assert VALUE not in caplog.text
    assert OTHER not in caplog.text
