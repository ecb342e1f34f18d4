"""Amounts as people and files write them; what is not clearly an amount is refused, never guessed."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.protocol import money
from tests.protocol.strategies import tries

WRITTEN = [
    ("0", 0, "USD"),
    ("5", 500, "USD"),
    ("1250.00 EUR", 125_000, "EUR"),
    ("EUR 1250", 125_000, "EUR"),
    ("eur 1250", 125_000, "EUR"),
    ("$1,234.56", 123_456, "USD"),
    ("US$ 1,234.56", 123_456, "USD"),
    ("1,234", 123_400, "USD"),
    ("1,23", 123, "USD"),
    ("0,123", 12, "USD"),
    ("12,3456", 1_235, "USD"),
    ("1.234", 123, "USD"),
    ("1.234,56", 123_456, "USD"),
    ("1.234.567", 123_456_700, "USD"),
    ("1,234,567.8", 123_456_780, "USD"),
    ("12,34,567.00 INR", 123_456_700, "INR"),
    ("1 234,56 €", 123_456, "EUR"),
    ("1\u00a0234\u202f567,00 €", 123_456_700, "EUR"),
    ("1'234.50 CHF", 123_450, "CHF"),
    (".5", 50, "USD"),
    ("$.50", 50, "USD"),
    ("5.", 500, "USD"),
    ("5,-", 500, "USD"),
    ("1.250,- EUR", 125_000, "EUR"),
    ("CHF 5.-", 500, "CHF"),
    ("-5", -500, "USD"),
    ("+5", 500, "USD"),
    ("5-", -500, "USD"),
    ("-$5", -500, "USD"),
    ("$ -5", -500, "USD"),
    ("€-1,5", -150, "EUR"),
    ("(5)", -500, "USD"),
    ("($1,234.50)", -123_450, "USD"),
    ("(5 EUR)", -500, "EUR"),
    ("¥100", 10_000, "CNY"),
    ("100元", 10_000, "CNY"),
    ("NT$ 100", 10_000, "TWD"),
    ("JP¥ 100", 100, "JPY"),
    ("JPY 1.4", 1, "JPY"),
    ("JPY 1.5", 2, "JPY"),
    ("JPY 2.5", 2, "JPY"),
    ("1.5 BHD", 1_500, "BHD"),
    ("1.2345 BHD", 1_234, "BHD"),
    ("1.2355 BHD", 1_236, "BHD"),
    ("0.005", 0, "USD"),
    ("0.015", 2, "USD"),
    ("\u0663\u0664", 3_400, "USD"),
    ("92233720368547758.07", 2**63 - 1, "USD"),
]

UNWRITTEN = [
    "abc", "EUR", "1e5", "5%", "½", "∞", "NaN", "12 USD EUR", "100 pcs", "5 per", "1 kg", "2026-11-22", "1..5", "1,,5",
    "5 10", "1,2,3", "1.2.3", "1,234.567,89", "--5", "-5-", "(-5)", "-(5)", "92233720368547758.08", "9" * 30,
    "1" * 101, "5\x00", "5 \ud800",
]  # fmt: skip


@pytest.mark.parametrize(("text", "minor", "currency"), WRITTEN)
def test_a_written_amount(text: str, minor: int, currency: str) -> None:
    assert money.parse(text) == {"minor": minor, "currency": currency}


@pytest.mark.parametrize("text", ["", "  ", "-", "–", "n/a", "N/A"])
def test_no_amount(text: str) -> None:
    assert money.parse(text) is None


@pytest.mark.parametrize("text", UNWRITTEN)
def test_what_is_not_clearly_an_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        money.parse(text)


def test_the_currency_of_a_column_is_taken_where_the_text_names_none() -> None:
    assert money.parse("5", "JPY") == {"minor": 5, "currency": "JPY"}
    assert money.parse("5 EUR", "JPY") == {"minor": 500, "currency": "EUR"}


def test_a_megabyte_of_digits_costs_no_time() -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match=r".+"):
        money.parse("1" * 2**20)
    assert time.process_time() - began < 0.2


@tries(100)
@given(st.integers(-(10**15), 10**15), st.sampled_from(["USD", "JPY", "BHD", "EUR"]))
def test_an_amount_written_plainly_is_read_back(minor: int, currency: str) -> None:
    text = f"{money.decimal(minor, currency):f} {currency}"
    assert money.parse(text) == {"minor": minor, "currency": currency}


@tries(100)
@given(st.integers(0, 10**12), st.sampled_from([",", ".", " ", "'", "\u00a0"]))
def test_a_grouped_amount_is_read_back(minor: int, group: str) -> None:
    mark = "," if group == "." else "."
    text = f"{minor // 100:,}".replace(",", group) + f"{mark}{minor % 100:02}"
    assert money.parse(text) == {"minor": minor, "currency": "USD"}


@tries(150)
@given(st.text(st.sampled_from("0123456789.,'- +()$€¥USDEURJPYx%\u00a0"), max_size=20))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        amount = money.parse(text)
    except ValueError:
        return
    assert amount is None or (isinstance(amount["minor"], int) and len(str(amount["currency"])) == 3)


def test_an_amount_of_money_is_exact() -> None:
    assert money.amount(Decimal("0.1") + Decimal("0.2"), "USD") == {"minor": 30, "currency": "USD"}
    assert money.decimal(2**63 - 1, "USD") == Decimal("92233720368547758.07")
