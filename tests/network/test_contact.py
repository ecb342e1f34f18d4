"""What counts as contact: the organisation's own server, and nothing that stands in its place."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.client.servers import Authority, always, answer, serving
from tests.network import reverse
from tests.network.places import behind
from tests.network.proxy import Proxy
from tests.road import ANNA, DAY_MS, Laptop, Town

PAGE = b"<html><body>Please sign in to the hotel network</body></html>"
STATUSES = ("200 OK", "401 No", "403 No", "404 No", "410 Gone", "500 Error")


@pytest.fixture
def laptop(town: Town, proxy: Proxy) -> Iterator[Laptop]:
    """A laptop behind the proxy, out for a while; its server answers again after the test."""
    made = behind(proxy.url, town, ANNA)
    made.add("customer", name="Unsent")
    yield made
    proxy.calm()


def _contact(laptop: Laptop, **clock: Any) -> Any:
    return laptop.later("status", "--json", **clock).json["last_sync"]


@pytest.mark.parametrize(
    ("status", "ours"),
    [*((status, True) for status in STATUSES), (STATUSES[0], False)],
    ids=[*STATUSES, "under a foreign certificate"],
)
def test_nothing_that_is_not_our_server_is_a_contact(
    town: Town, proxy: Proxy, laptop: Laptop, tmp_path: Path, status: str, *, ours: bool
) -> None:
    """It ends no silence and lengthens no lease; it locks and wipes nothing before the policy's own time either."""
    context: ssl.SSLContext = reverse.certificate(town.secrets) if ours else Authority().context(tmp_path)
    before = _contact(laptop)
    with serving(always(answer(PAGE, status=status, media="text/html")), context) as portal:
        proxy.lead_to(int(portal.url.rpartition(":")[2]))
        out: dict[str, Any] = {"wall_ms": 13 * DAY_MS, "boot_ms": 13 * DAY_MS}
        assert laptop.later("sync", **out).code == 5
        assert _contact(laptop, **out) == before
        assert laptop.later("list", "customer", **out).code == 0
        out = {"wall_ms": 22 * DAY_MS, "boot_ms": 22 * DAY_MS}
        assert laptop.later("list", "customer", **out).code == 3
        assert laptop.later("sync", **out).code == 5
        assert portal.connections
        assert laptop.profile.store.exists() and "ring.1" in laptop.entries()
    proxy.calm()
    assert laptop.later("sync", **out).code == 0
