"""Another user of the same machine, with a shell of their own: nothing of a device is listed, read or asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.keys.conftest import Laptop, new_laptop
from tests.keys.vaults import made

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user as well")

CHILD = """
import json, os, sys
from pathlib import Path
folder, bus = sys.stdin.read().split()
import secretstorage  # read while this process may still read the program
os.setgroups([]); os.setgid(65534); os.setuid(65534)
told = {}
def tried(name, work):
    try:
        told[name] = repr(work())
    except Exception as problem:
        told[name] = type(problem).__name__
tried("list", lambda: os.listdir(folder))
for name in ("store.hdr", "state.json", "store.db"):
    tried(name, lambda: (Path(folder) / name).read_bytes())
os.environ["DBUS_SESSION_BUS_ADDRESS"] = bus
tried("keyring", lambda: [each.get_label() for each in secretstorage.search_items(secretstorage.dbus_init(), {})])
print(json.dumps(told))
"""


def _as_nobody(folder: Path) -> dict[str, str]:
    told = f"{folder} {os.environ['DBUS_SESSION_BUS_ADDRESS']}"
    done = subprocess.run(
        [sys.executable, "-c", CHILD], input=told, capture_output=True, text=True, timeout=60, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.fixture
def laptop() -> Iterator[Laptop]:
    """A device in a place that everybody may enter: nothing but its own folder is in the way."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield new_laptop(Path(folder) / "profile")


def test_another_user_lists_and_reads_nothing(laptop: Laptop) -> None:
    made(laptop)
    laptop.profile.store.write_bytes(b"the store")
    laptop.profile.state.write_bytes(b"{}")
    told = _as_nobody(laptop.profile.folder)
    keyring = told.pop("keyring")
    assert set(told.values()) == {"PermissionError"}
    assert "fieldkeep" not in keyring and "[" not in keyring, keyring
    laptop.profile.folder.chmod(0o755)  # the search sees what it must
    laptop.profile.store.chmod(0o644)
    assert "store.db" in _as_nobody(laptop.profile.folder)["list"]
