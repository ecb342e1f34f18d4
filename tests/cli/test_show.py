"""Values as the command line shows them to a person."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import msgspec
import pytest

from app.cli import show
from app.settings import SETTINGS
from sync.protocol import money, texts
from sync.protocol.kinds import KINDS

AT = KINDS["activity"].by_name["at"]
LANGUAGES = [value for value, _label in SETTINGS["language"].choices if value != "auto"]


@pytest.fixture
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    """Speak it for one test."""
    texts.use(request.param)
    yield request.param
    texts.use("en")


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


@pytest.mark.parametrize(
    ("language", "currency", "shown"),
    [
        ("en", "JPY", "JP¥1,250"),
        ("zh_CN", "CNY", "¥1,250.00"),
        ("zh_TW", "TWD", "NT$1,250.00"),
        ("zh_TW", "USD", "US$1,250.00"),
        ("zh_TW", "JPY", "JP¥1,250"),
        ("zh_TW", "EUR", "€1,250.00"),
    ],
    indirect=["language"],
)
@pytest.mark.usefixtures("language")
def test_an_amount_has_a_sign_that_means_its_currency(currency: str, shown: str) -> None:
    assert show.amount(money.parse("1250", currency) or {}) == shown


@pytest.mark.parametrize("language", LANGUAGES, indirect=True)
@pytest.mark.usefixtures("language")
def test_no_amount_that_is_typed_back_changes_its_currency() -> None:
    """A sign that we do not know is refused; one that means another currency would be taken in silence."""
    changed = set()
    for currency in money.currencies():
        value = {"minor": 125_000, "currency": currency}
        try:
            found = money.parse(show.amount(value), "XXX")
        except ValueError:
            continue
        if found != value:
            changed.add(currency)
    assert changed == set()


@pytest.mark.parametrize("value", [msgspec.msgpack.Ext(5, b"x"), {b"k": 1, "a": 2}, {1: 1, "a": 2}, b"\xff"])
def test_whatever_another_device_says_can_be_spelled(value: object) -> None:
    out = io.StringIO()
    show.emit({"kept": value, "shown": "lead"}, out)
    assert json.loads(out.getvalue())["shown"] == "lead"
