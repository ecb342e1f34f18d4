"""Amounts in thousands and millions: where a heading or a dictionary says so; else as they are written."""

from __future__ import annotations

import pytest

from app.services.exchange import units
from app.services.exchange.dictionary import describes
from app.services.exchange.read import read_bytes
from app.services.exchange.report import Level, Report
from app.services.exchange.units import Unit
from sync.protocol.kinds import KINDS
from tests.services.exchange.conftest import Made, bring
from tests.services.exchange.twin import TwinBook

CUSTOMER = KINDS["customer"]

READ = {
    "millions": Unit(1_000_000),
    "in millions of USD": Unit(1_000_000, "USD"),
    "in millions of US dollars": Unit(1_000_000, "USD"),
    "USD, thousands": Unit(1_000, "USD"),
    "$M": Unit(1_000_000, "USD"),
    "€ mio.": Unit(1_000_000, "EUR"),
    "$'000s": Unit(1_000, "USD"),
    "TEUR": Unit(1_000, "EUR"),
    "£k": Unit(1_000, "GBP"),
    "US$ bn": Unit(1_000_000_000, "USD"),
    "万元": Unit(10_000, "CNY"),
    "单位：亿美元": Unit(100_000_000, "USD"),
    "元": Unit(1, "CNY"),
    "M": None,  # a thousand to some
    "k": None,
    "net": None,
    "EUR or USD": None,
    "thousands of millions": None,
    "2017": None,
    "": None,
}  # fmt: skip


@pytest.mark.parametrize("text", READ)
def test_a_unit_is_read_when_every_word_is_understood(text: str) -> None:
    assert units.read(text) == READ[text]


@pytest.mark.parametrize(
    ("sentence", "unit"),
    [
        ("Annual revenue (in millions of USD)", Unit(1_000_000, "USD")),
        ("Revenue of the last year, in thousands as the owner told it", Unit(1_000)),
        ("年营业额，单位：万元", Unit(10_000, "CNY")),
        ("Sold to more than 3 million people", None),
        ("The price in USD", None),
        ("In thousands (in millions before 2016)", None),
    ],
)
def test_a_description_names_one_unit_or_none(sentence: str, unit: Unit | None) -> None:
    assert units.within(sentence) == unit


def revenue(book: TwinBook, name: str = "Alder") -> tuple[int, str]:
    amount = book.one(CUSTOMER, name)["revenue"]
    return amount["minor"], amount["currency"]


def said(report: Report, column: str) -> list[tuple[Level, str]]:
    return [(f.level, f.problem) for file in report.files for f in file.findings if f.column == column]


@pytest.mark.parametrize(
    ("heading", "minor", "currency"),
    [
        ("Revenue (millions USD)", 110_004_000_000, "USD"),
        ("revenue_in_thousands", 110_004_000, "USD"),
        ("Annual revenue (TEUR)", 110_004_000, "EUR"),
        ("营收（万元）", 1_100_040_000, "CNY"),
    ],
)
def test_a_heading_that_names_a_unit_is_obeyed_and_it_is_said(
    made: Made, book: TwinBook, heading: str, minor: int, currency: str
) -> None:
    report = bring(book, made("accounts.csv", f"account,{heading}\nAlder,1100.04\n"), kind=CUSTOMER)
    assert revenue(book) == (minor, currency)
    assert any(
        level is Level.CORRECTION and "every number was multiplied by" in text
        for level, text in said(report, heading)
    )


def test_without_a_unit_amounts_are_taken_as_written_and_that_is_said(made: Made, book: TwinBook) -> None:
    report = bring(book, made("accounts.csv", "account,revenue\nAlder,1100.04\nBirch,0.5\n"))
    assert revenue(book) == (110_004, "USD")
    assert (Level.NOTE, "No currency is named: read as USD.") in said(report, "revenue")
    assert any(
        "Taken as written" in text and "revenue (millions)" in text for _l, text in said(report, "revenue")
    )
    whole = bring(book, made("customers.csv", "name,revenue\nCedar,12500000 USD\nDogwood,3000000 USD\n"))
    assert said(whole, "revenue") == []


def test_what_a_heading_says_and_nobody_understands_is_told(made: Made, book: TwinBook) -> None:
    report = bring(book, made("accounts.csv", "account,revenue (M)\nAlder,1100.04\n"))
    assert revenue(book) == (110_004, "USD")
    assert any("“M” in the heading is not understood" in text for _level, text in said(report, "revenue (M)"))


def test_a_multiple_in_the_cell_wins_and_other_columns_stay(made: Made, book: TwinBook) -> None:
    text = "客户名称,营收（万元）,员工人数,电话 (mn)\nAlder,3亿,12,5550123\n"
    bring(book, made("客户.csv", text), kind=CUSTOMER)
    assert revenue(book) == (30_000_000_000, "CNY")
    assert book.one(CUSTOMER, "Alder")["employees"] == 12


def test_a_dictionary_among_the_files_is_believed(made: Made, book: TwinBook) -> None:
    accounts = made("accounts.csv", "account,revenue,employees\nAlder,1100.04,2822\n")
    products = made("products.csv", "product,sales_price\nGTX,550\n")
    described = (
        "Table,Field,Description\naccounts,account,Company name\naccounts,revenue,Annual revenue (in millions of USD)\n"
        "accounts,employees,Number of employees\nproducts,product,Product name\nproducts,sales_price,Price\n"
    )
    report = bring(book, accounts, products, made("data_dictionary.csv", described))
    assert revenue(book) == (110_004_000_000, "USD")
    assert book.one(CUSTOMER, "Alder")["employees"] == 2822
    assert book.one(KINDS["product"], "GTX")["price"]["minor"] == 55_000
    assert said(report, "revenue") == [
        (Level.CORRECTION, "“data_dictionary.csv” names a unit: every number was multiplied by 1,000,000.")
    ]


def test_a_table_that_links_others_describes_none() -> None:
    others = [
        read_bytes(b"account id,account\n1,Alder\n", "accounts.csv"),
        read_bytes(b"deal id\n7\n", "deals.csv"),
    ]
    link = read_bytes(b"account id,deal id\n1,7\n1,8\n2,9\n", "account_deal.csv")
    assert not describes(link, others)
    told = read_bytes(b"Table,Field\naccounts,account id\naccounts,account\ndeals,deal id\n", "fields.csv")
    assert describes(told, others)
