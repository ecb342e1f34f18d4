"""A real server on real folders, and lines to it that are closed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.served import Server
from tests.server.driver import Device, Dial, Tls
from tests.server.inside import Inside
from tests.server.running import Org


@pytest.fixture
def org(tmp_path: Path, scripts: Path) -> Org:
    """A new organisation."""
    made = Org(tmp_path, scripts)
    made.init()
    return made


@pytest.fixture
def server(org: Org) -> Iterator[Server]:
    """Its server; it must end well."""
    running = org.serve()
    yield running
    assert running.stop() == 0


@pytest.fixture
def dial() -> Iterator[Dial]:
    """Opens lines."""
    lines: list[Tls] = []

    def open_line(url: str, ca_pem: str | None) -> Tls:
        lines.append(Tls(url, ca_pem))
        return lines[-1]

    yield open_line
    for line in lines:
        line.close()


@pytest.fixture
def inside(tmp_path: Path) -> Iterator[Inside]:
    """A server in this process."""
    made = Inside(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def ana(inside: Inside) -> Device:
    """A rep's device."""
    return inside.device(inside.person("ana@example.com"), "ana")


@pytest.fixture
def bo(inside: Inside) -> Device:
    """The device of another rep of the same team."""
    return inside.device(inside.person("bo@example.com"), "bo")
