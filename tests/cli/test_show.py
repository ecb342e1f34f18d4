"""Values as the command line shows them to a person."""

from __future__ import annotations

import pytest

from app.cli import show
from sync.protocol.kinds import KINDS

AT = KINDS["activity"].by_name["at"]


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/St_Johns", "UTC"])
def test_a_moment_is_shown_on_its_own_clock_and_can_be_typed_back(zone: str) -> None:
    at = 1_795_600_000_000 // 60_000 * 60_000
    said = show.in_words(AT, {"at": at, "zone": zone}, lambda _id: None)
    assert AT.type.parse("at", said)["at"] == at
    assert ("+08:00" in said) is (zone == "Asia/Shanghai")


@pytest.mark.parametrize(("at", "zone"), [(0, "No/Where"), (-(2**47) + 1, "UTC"), (2**47 - 1, "UTC")])
def test_no_moment_is_too_strange_to_show(at: int, zone: str) -> None:
    value = AT.type.check("at", {"at": at, "zone": zone})
    assert show.in_words(AT, value, lambda _id: None)
