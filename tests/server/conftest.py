"""A real server on real folders, and lines to it that are closed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import Cluster
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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A module that says ON_BOTH_STORES runs what asks for a server with each of them."""
    if "store_url" in metafunc.fixturenames and getattr(metafunc.module, "ON_BOTH_STORES", False):
        metafunc.parametrize("store_url", ["", "postgresql"], ids=["file", "postgresql"], indirect=True)


@pytest.fixture
def store_url(request: pytest.FixtureRequest) -> str:
    """Where a server in this process keeps its records: "" for a file."""
    if not getattr(request, "param", ""):
        return ""
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.url(request.getfixturevalue("database"))


@pytest.fixture
def inside(tmp_path: Path, store_url: str) -> Iterator[Inside]:
    """A server in this process."""
    made = Inside(tmp_path, store_url)
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
