"""The sales files that the whole road runs on: every figure holds, and nothing comes in twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from app.services.exchange.plan import prepare
from app.services.exchange.report import FileReport, Level, Report
from sync.protocol.kinds import KINDS
from tests.services.exchange.conftest import TODAY, bring
from tests.services.exchange.twin import TwinBook

CUSTOMER, DEAL, PRODUCT = (KINDS[name] for name in ("customer", "deal", "product"))


@pytest.fixture(scope="module")
def brought(real_data: Path) -> tuple[TwinBook, Report]:
    """The whole folder, in the book."""
    book = TwinBook()
    return book, bring(book, real_data / "crm_maven_sales")


def file(report: Report, name: str) -> FileReport:
    (found,) = (each for each in report.files if each.file == name)
    return found


def test_every_figure_holds(brought: tuple[TwinBook, Report]) -> None:
    book, report = brought
    deals = book.of(DEAL)
    won = [deal for deal in deals if deal["stage"] == "won"]
    assert (len(book.of(CUSTOMER)), len(book.of(PRODUCT)), len(deals)) == (85, 7, 8800)
    assert len(won) == 4238
    assert {deal["amount"]["currency"] for deal in won} == {"USD"}
    assert sum(deal["amount"]["minor"] for deal in won) == 10_005_534_00
    assert sum("customer" not in deal for deal in deals) == 1425
    assert sum("amount" not in deal for deal in deals) == 2089
    assert len({deal["owner"] for deal in deals}) == 30
    assert Counter(deal["stage"] for deal in deals) == {
        "won": 4238,
        "lost": 2473,
        "engaging": 1589,
        "prospecting": 500,
    }
    assert not report.problems
    assert (report.total("added"), report.total("skipped")) == (8892, 0)


def test_gtxpro_is_told_as_a_correction(brought: tuple[TwinBook, Report]) -> None:
    book, report = brought
    (correction,) = file(report, "sales_pipeline.csv").of(Level.CORRECTION)
    assert (correction.column, correction.value, correction.times) == ("product", "GTXPro", 1480)
    assert len(correction.rows) == 1480
    (pro,) = (id_ for id_, values in book.records(PRODUCT) if values["name"] == "GTX Pro")
    assert sum(deal.get("product") == pro for deal in book.of(DEAL)) == 1480
    assert all("product" in deal for deal in book.of(DEAL))


def test_days_are_those_of_the_united_states(brought: tuple[TwinBook, Report]) -> None:
    book, report = brought
    first = next(deal for deal in book.of(DEAL) if deal["number"] == "1C1I7A6R")
    assert (first["engaged_on"], first["close_on"]) == ("2016-10-20", "2017-03-01")
    notes = {(f.column, f.problem) for f in file(report, "sales_pipeline.csv").of(Level.NOTE)}
    assert {("engage_date", "Read as month/day/year."), ("close_date", "Read as month/day/year.")} <= notes


def test_deals_get_a_name(brought: tuple[TwinBook, Report]) -> None:
    book, _report = brought
    names = {deal["number"]: deal["name"] for deal in book.of(DEAL)}
    assert names["1C1I7A6R"] == "GTX Plus Basic · Cancity"
    assert names["18IUIUK0"] == "MG Advanced · 18IUIUK0"


def test_customers_know_where_they_are_and_whose_they_are(brought: tuple[TwinBook, Report]) -> None:
    book, _report = brought
    bluth = book.one(CUSTOMER, "Bluth Company")
    assert bluth["address"] == {"country": "United States"}
    assert book.get(bluth["parent"])["name"] == "Acme Corporation"
    assert sum("parent" in customer for customer in book.of(CUSTOMER)) == 15
    assert (bluth["founded"], bluth["employees"], bluth["revenue"]["minor"]) == (1993, 3027, 124232)


def test_other_files_of_the_folder_are_left_out_with_a_reason(brought: tuple[TwinBook, Report]) -> None:
    _book, report = brought
    assert "IT adds them" in file(report, "sales_teams.csv").reason
    assert "describes the other files" in file(report, "data_dictionary.csv").reason
    assert file(report, "SOURCE.txt").reason


def test_a_second_time_adds_nothing(brought: tuple[TwinBook, Report], real_data: Path) -> None:
    book, _report = brought
    plan = prepare([real_data / "crm_maven_sales"], book, today=TODAY)
    assert not plan.steps
    assert plan.report().total("here") == 8892
    assert not plan.report().problems


def test_files_in_any_order_give_the_same(real_data: Path) -> None:
    folder = real_data / "crm_maven_sales"
    book = TwinBook()
    report = bring(book, folder / "sales_pipeline.csv", folder / "products.csv", folder / "accounts.csv")
    assert not report.problems
    assert sum("customer" in deal for deal in book.of(DEAL)) == 8800 - 1425


def test_deals_without_their_accounts_come_in_and_say_what_is_missing(real_data: Path) -> None:
    folder = real_data / "crm_maven_sales"
    book = TwinBook()
    report = bring(book, folder / "sales_pipeline.csv", folder / "products.csv")
    assert report.total("added") == 8807
    missing = file(report, "sales_pipeline.csv").of(Level.PROBLEM)
    assert sum(finding.times for finding in missing) == 8800 - 1425
    assert len(missing) == 85
    assert {finding.column for finding in missing} == {"account"}


def test_a_dry_run_writes_nothing(real_data: Path) -> None:
    book = TwinBook()
    report = prepare([real_data / "crm_maven_sales"], book, today=TODAY).report()
    assert not book.kept
    assert not report.done
    assert "Nothing was written" in report.text()
    assert report.json()["added"] == 8892
