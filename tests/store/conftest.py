"""A device with a store of its own for each test: real files, a real key, a real recovery key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store.store import Store
from tests.store.device import Device


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    """A device that has no store yet; what it opens is closed at the end."""
    made = Device(tmp_path)
    yield made
    made.close()


@pytest.fixture
def store(device: Device) -> Store:
    """The open, empty store of `device`."""
    return device.create()
