"""Rings and profiles for the tests of keys: real keyrings throughout, each device its own service."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import secretstorage

from app.keys.ring import SystemKeyring, service_name
from app.paths import Profile


@dataclass(frozen=True)
class Laptop:
    """One device that is not enrolled yet: an empty profile and a keyring without entries."""

    profile: Profile
    ring: SystemKeyring
    org: str
    device: str

    @property
    def service(self) -> str:
        """The name under which its entries are filed."""
        return service_name(self.org, self.device)

    def entries(self) -> dict[str, str]:
        """What the keyring holds for it, read past our own code, copies in every collection included."""
        with closing(secretstorage.dbus_init()) as bus:
            items = secretstorage.search_items(bus, {"service": self.service})
            return {item.get_attributes()["username"]: item.get_secret().decode() for item in items}

    def files(self) -> dict[str, bytes]:
        """Every file of the profile with its bytes."""
        folder = self.profile.folder
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))}


def new_laptop(folder: Path) -> Laptop:
    """A device with ids of its own."""
    org, device = secrets.token_hex(16), secrets.token_hex(16)
    return Laptop(Profile(folder), SystemKeyring(org, device), org, device)


@pytest.fixture
def laptop(tmp_path: Path) -> Iterator[Laptop]:
    """One device; its entries go with the test."""
    made = new_laptop(tmp_path / "profile")
    yield made
    for name in made.entries():
        made.ring.delete(name)
