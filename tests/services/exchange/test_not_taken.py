"""What the report says of cells that were not taken, once it is known what stands instead."""

from __future__ import annotations

from app.services.exchange import dates
from app.services.exchange.report import Level
from sync.protocol.kinds import KINDS
from tests.services.exchange.conftest import Made, bring
from tests.services.exchange.twin import TwinBook

DEALS = "deal name,customer,stage,amount\nLarge,Nobody,banana,lots\n"
STAGES = "Choose one of: prospecting, engaging, proposal, negotiation, won, lost"


def test_a_choice_that_is_none_is_told_with_what_was_taken_instead(made: Made, book: TwinBook) -> None:
    report = bring(book, made("deals.csv", DEALS))
    assert [finding.problem for finding in report.problems] == [
        f"Not one of the choices. Brought in as Prospecting. {STAGES}",
        "Not an amount of money. Left empty.",
        "No customer of this name or number: brought in without it.",
    ]


def test_a_choice_without_a_default_is_left_empty(made: Made, book: TwinBook) -> None:
    report = bring(book, made("customers.csv", "customer name,stage\nAcme,banana\n"))
    (finding,) = report.problems
    assert finding.problem.startswith("Not one of the choices. Left empty. Choose one of: lead, ")
    assert book.one(KINDS["customer"], "Acme").get("stage") is None
    assert report.text().splitlines()[0] == "customers.csv: 1 customer (1 new)"


def test_a_second_import_says_that_nothing_was_brought_in(made: Made, book: TwinBook) -> None:
    file = made("deals.csv", "deal name,customer,amount,probability\nLarge,Nobody,12,many\n")
    bring(book, file)
    again = bring(book, file)
    assert (again.total("added"), again.total("updated")) == (0, 0)
    assert [finding.problem for finding in again.problems] == [
        "Not a number. Left empty.",
        "No customer of this name or number. Left empty.",
    ]
    book.one(KINDS["deal"], "Large")["probability"] = 40
    assert bring(book, file).problems[0].problem == "Not a number. What is here stays."


def test_two_rows_of_one_name_that_are_two_records_are_told(made: Made, book: TwinBook) -> None:
    report = bring(book, made("customers.csv", "customer name,city\nAcme,Bonn\nacme,Rome\nBeta,Rome\n"))
    assert report.total("added") == 3
    (note,) = report.files[0].of(Level.NOTE)
    assert (note.row, note.problem) == (
        3,
        "An earlier row has this name too, and is another record: both come in.",
    )


def test_days_in_two_orders_are_left_out_only_where_they_can_be_read_in_two_ways() -> None:
    (plain,) = dates.decide(["13/1/2026", "1/14/2026"]).notes()
    (open_,) = dates.decide(["13/1/2026", "1/14/2026", "3/4/2026"]).notes()
    assert "left out" not in plain
    assert "left out" in open_
