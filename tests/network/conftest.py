"""The town of the road's tests, a bad network before its server, and deadlines of which a test can wait for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync.client import listener
from sync.client.https import Https
from tests.network.proxy import Proxy
from tests.road import Town, town

__all__ = ["town"]
TOTAL_S = 1.5


@pytest.fixture
def proxy(town: Town) -> Iterator[Proxy]:
    """A network that does what it is told."""
    with Proxy(lambda: town.server.port) as made:
        yield made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The total deadline of a request is a second and a half, and a held line that says nothing is left soon."""
    defaults = Https.__init__.__kwdefaults__
    assert defaults is not None and "total_s" in defaults
    monkeypatch.setitem(defaults, "total_s", TOTAL_S)
    monkeypatch.setattr(listener, "FIRST_S", 0.5)
    monkeypatch.setattr(listener, "SILENT_S", 20.0)
