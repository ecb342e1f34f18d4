"""The demo's pictures of the real window, and its look into the real keyring."""

from __future__ import annotations

import contextlib
from pathlib import Path

import secretstorage
from stage import Stage


def keyring_entries(device_id: str) -> list[str]:
    """Names of the keyring entries of a device, read past our own code."""
    wanted = device_id.replace("-", "")
    with contextlib.closing(secretstorage.dbus_init()) as bus:
        collection = secretstorage.get_default_collection(bus)
        attributes = (item.get_attributes() for item in collection.get_all_items())
        return sorted(a.get("username", "") for a in attributes if wanted in a.get("service", ""))


def shoot_open(stage: Stage, folder: Path) -> None:
    """List with detail, and search."""


def shoot_locked(stage: Stage, folder: Path) -> None:
    """The lock screen."""


def shoot_wiped(stage: Stage, folder: Path) -> None:
    """The wiped screen."""
