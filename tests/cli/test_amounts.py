"""An amount without a currency is in the one that the profile is set to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.cli import amounts
from app.paths import Profile
from sync.protocol.kinds import KINDS

CUSTOMER = KINDS["customer"]


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    """One that is set to euros."""
    made = Profile(tmp_path)
    made.settings.write_text('{"currency": "EUR"}')
    return made


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1250", "1250 EUR"),
        ("-1,250.50", "-1,250.50 EUR"),
        ("1250 CNY", "1250 CNY"),
        ("$12", "$12"),
        ("", ""),
        ("many", "many"),
    ],
)
def test_typed(profile: Profile, text: str, meant: str) -> None:
    pairs = [("revenue", text), ("employees", "12")]
    assert amounts.bare(profile, CUSTOMER, pairs) == [("revenue", meant), ("employees", "12")]


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (1250, "1250 EUR"),
        (1250.5, "1250.5 EUR"),
        ("1250", "1250 EUR"),
        (True, True),
        (None, None),
        ({"minor": 1, "currency": "CNY"}, {"minor": 1, "currency": "CNY"}),
    ],
)
def test_in_json(profile: Profile, value: Any, meant: Any) -> None:
    assert amounts.plain(profile, CUSTOMER, {"revenue": value, "employees": 12}) == {
        "revenue": meant, "employees": 12,
    }  # fmt: skip
    assert amounts.plain(profile, CUSTOMER, [value]) == [value]
