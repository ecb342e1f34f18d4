"""Values as the command line prints them, in every language that we offer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.cli import show
from app.settings import SETTINGS
from sync.protocol import money, texts

LANGUAGES = [value for value, _label in SETTINGS["language"].choices if value != "auto"]


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    texts.use("en")


@pytest.mark.parametrize(
    ("language", "currency", "shown"),
    [
        ("en", "JPY", "JP¥1,250"),
        ("zh_CN", "CNY", "¥1,250.00"),
    ],
)
def test_an_amount_has_a_sign_that_means_its_currency(language: str, currency: str, shown: str) -> None:
    texts.use(language)
    assert show.amount(money.parse("1250", currency) or {}) == shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_amount_that_is_typed_back_changes_its_currency(language: str) -> None:
    """A sign that we do not know is refused; one that means another currency would be taken in silence."""
    texts.use(language)
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
