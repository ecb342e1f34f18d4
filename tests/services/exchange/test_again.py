"""What is there already: no doubles, no value overwritten, empty fields filled; all of a plan or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import AppError, NotFound
from app.services.exchange.apply import apply
from app.services.exchange.plan import prepare
from app.services.exchange.report import Level, State
from sync.protocol.kinds import KINDS
from tests.services.exchange.conftest import TODAY, Made, bring
from tests.services.exchange.twin import TwinBook

CUSTOMER, CONTACT, DEAL, PRODUCT = (KINDS[name] for name in ("customer", "contact", "deal", "product"))

# Records of our kinds in each set, and what cannot be taken: of HubSpot's 22 contacts both e-mails are only their
# digests and one names a company by another name, and one of 100 meetings
# stands there twice; three address books name companies that are not in them.
SETS = {
    "crm_northwind": (91 + 91 + 77, 0),
    "crm_hubspot_seeds": (24 + 22 + 44 + 99, 44 + 1),
    "crm_odoo_templates": (8 + 6, 0),
    "vcard_roundcube_csv/tests/src/Csv2vcard": (1 + 4 + 1 + 1 + 1, 3),
    "derived_encodings/cn_short_GBK.csv": (3000, 0),
}


@pytest.mark.parametrize("name", SETS)
def test_a_real_set_comes_in_whole(name: str, real_data: Path, book: TwinBook) -> None:
    report = bring(book, real_data / name)
    assert (report.total("added"), len(report.problems)) == SETS[name]


@pytest.mark.parametrize("name", [*SETS, "er_febrl/dataset1.csv", "er_splink/fake_1000.csv"])
def test_a_real_set_comes_in_once(name: str, real_data: Path, book: TwinBook) -> None:
    first = bring(book, real_data / name)
    again = bring(book, real_data / name)
    assert first.total("added") > 0
    assert (again.total("added"), again.total("updated")) == (0, 0)
    assert first.total("rows") == sum(first.total(n) for n in ("added", "updated", "here", "skipped"))
    assert again.total("rows") == again.total("here") + again.total("skipped")


def test_people_of_odoo_belong_to_their_companies(real_data: Path, book: TwinBook) -> None:
    bring(book, real_data / "crm_odoo_templates")
    bob = book.one(CUSTOMER, "Bob")
    assert bob["type"] == "person"
    assert book.get(bob["parent"])["name"] == "Grocery Outlet"
    assert book.one(CUSTOMER, "Aurora Shelves")["type"] == "company"
    grocery = book.one(CUSTOMER, "Grocery Outlet")
    assert grocery["address"]["street"] == "51 Federal Street, #401"


def test_google_labels_become_ours(real_data: Path, book: TwinBook) -> None:
    bring(book, real_data / "vcard_roundcube_csv" / "tests" / "src" / "Csv2vcard" / "gmail.csv")
    (person,) = book.of(CONTACT)
    mails = [(each["label"], each["value"]) for each in person["emails"]]
    assert ("home", "home@aaa.pl") in mails
    assert ("work", "work@email.pl") in mails
    assert ("work fax", "workfax") in [(each["label"], each["value"]) for each in person["phones"]]


def test_empty_fields_are_filled_and_filled_ones_stay(made: Made, book: TwinBook) -> None:
    bring(book, made("customers.csv", "name,industry,employees\nAlder,Food,12\nBirch,,\n"))
    report = bring(
        book,
        made("more.csv", "company,industry,employees,phone\nALDER,Paper,12,030 1\nBirch,Wood,,\n"),
    )
    assert (report.total("added"), report.total("updated"), report.total("here")) == (0, 2, 0)
    alder, birch = book.one(CUSTOMER, "Alder"), book.one(CUSTOMER, "Birch")
    assert (alder["industry"], alder["phones"][0]["value"], birch["industry"]) == ("Food", "030 1", "Wood")
    notes = {(f.column, f.problem) for f in report.files[0].of(Level.NOTE)}
    assert ("Industry", "Already here with another value, which stays.") in notes
    assert ("Phones", "Already here: the empty field was filled.") in notes


def test_a_number_tells_records_of_one_name_apart(made: Made, book: TwinBook) -> None:
    text = "name,customer number,industry\nAlder,1,Food\nAlder,2,Paper\n"
    bring(book, made("customers.csv", text))
    assert len(book.of(CUSTOMER)) == 2
    bring(book, made("customers.csv", text + "Alder,3,Wood\nRowan,1,\n"))
    assert [each["number"] for each in book.of(CUSTOMER)] == ["1", "2", "3"]


def test_a_number_twice_in_a_file_is_said(made: Made, book: TwinBook) -> None:
    report = bring(
        book, made("customers.csv", "name,customer number,industry,city\nAlder,1,Food,\nAlder,1,Paper,Ulm\n")
    )
    (kept,) = book.of(CUSTOMER)
    assert (kept["industry"], kept["address"]) == ("Food", {"city": "Ulm"})
    assert [(f.row, f.column) for f in report.problems] == [(3, "Industry")]


def test_rows_of_one_name_that_differ_are_both_kept(made: Made, book: TwinBook) -> None:
    text = "name,city\nAlder,Ulm\nAlder,Bonn\nAlder,Ulm\n"
    report = bring(book, made("customers.csv", text))
    assert (report.total("added"), report.total("here")) == (2, 1)
    assert bring(book, made("customers.csv", text)).total("added") == 0
    assert bring(book, made("customers.csv", text)).total("updated") == 0


def test_two_people_of_one_name_are_two(made: Made, book: TwinBook) -> None:
    text = "first name,last name,email\nAda,Bell,a@x.test\nAda,Bell,b@x.test\nAda,Bell,\n"
    report = bring(book, made("contacts.csv", text))
    assert (report.total("added"), report.total("here")) == (2, 1)
    # Her phone is new, her e-mail the same: the same person.
    again = bring(book, made("contacts.csv", "name,email,phone\nAda Bell,A@X.TEST; c@x.test,5550101\n"))
    assert (again.total("added"), again.total("updated")) == (0, 1)
    assert len(book.of(CONTACT)) == 2


def test_deals_without_a_number_are_known_by_what_they_say(made: Made, book: TwinBook) -> None:
    bring(book, made("customers.csv", "name,industry\nAlder,Food\n"))
    text = "account,product,close value,close date\nAlder,Kit,5,2026-01-02\nAlder,Kit,6,2026-01-02\n,Kit,,2026-02-03\n"
    files = [made("deals.csv", text), made("products.csv", "product,price\nKit,5\n")]
    assert bring(book, *files).total("added") == 4
    assert bring(book, *files).total("added") == 0
    assert [deal["name"] for deal in book.of(DEAL)] == ["Kit · Alder", "Kit · Alder", "Kit"]


def test_many_of_one_name_neither_double_nor_take_for_ever(made: Made, book: TwinBook) -> None:
    rows = "".join(f"Unknown,City {n}\n" for n in range(1500))
    path = made("customers.csv", "name,city\n" + rows)
    assert bring(book, path).total("added") == 1500
    assert bring(book, path).total("added") == 0


def test_a_plan_is_done_whole_or_not_at_all(made: Made, book: TwinBook) -> None:
    bring(book, made("customers.csv", "name,industry\nAlder,\n"))
    before = {id_: dict(values) for id_, (_kind, values) in book.kept.items()}
    plan = prepare([made("customers.csv", "name,industry\nAlder,Food\nBirch,\nCedar,\n")], book, today=TODAY)
    book.fail_at = 3
    with pytest.raises(NotFound):
        apply(plan, book)
    assert {id_: values for id_, (_kind, values) in book.kept.items()} == before
    book.fail_at = 0
    assert apply(plan, book).total("added") == 2


def test_a_file_that_cannot_be_read_stops_the_others(made: Made, book: TwinBook) -> None:
    good = made("customers.csv", "name,industry\nAlder,\n")
    bad = made("contacts.csv", 'name,email\nAda,"a@x.test\n')
    plan = prepare([good, bad], book, today=TODAY)
    assert [file.state for file in plan.files] == [State.READ, State.REFUSED]
    assert "Nothing is imported" in plan.report().text()
    with pytest.raises(AppError, match="Nothing was imported"):
        apply(plan, book)
    assert not book.kept


def test_a_plan_for_a_book_that_changed_is_not_done(made: Made, book: TwinBook) -> None:
    path = made("customers.csv", "name,industry\nAlder,\n")
    plan = prepare([path], book, today=TODAY)
    bring(book, path)
    with pytest.raises(AppError, match="changed"):
        apply(plan, book)
    assert len(book.of(CUSTOMER)) == 1


def test_rows_that_cannot_come_in_are_named_and_the_rest_does(made: Made, book: TwinBook) -> None:
    text = (
        "name,email,employees,stage,founded\n"
        "Alder,not a mail,12,Lead,1990\n"
        ",b@x.test,3,Lead,1990\n"
        "Cedar,c@x.test; bad,many,Unheard of,12\n"
    )
    report = bring(book, made("customers.csv", text))
    found = {(f.row, f.column): f for f in report.problems}
    assert set(found) == {
        (2, "email"), (3, ""), (4, "email"), (4, "employees"), (4, "stage"), (4, "founded"),
    }  # fmt: skip
    assert found[4, "email"].kept
    assert not found[2, "email"].kept
    assert (report.total("added"), report.total("skipped")) == (2, 1)
    cedar = book.one(CUSTOMER, "Cedar")
    assert [each["value"] for each in cedar["emails"]] == ["c@x.test"]
    problem = report.json()["files"][0]["problems"][0]
    assert {"row", "column", "problem", "value_kept"} <= set(problem)


def test_more_values_than_a_field_holds_are_cut_and_said(made: Made, book: TwinBook) -> None:
    phones = ";".join(f"555 {n:04d}" for n in range(70))
    report = bring(book, made("customers.csv", f"name,phone\nAlder,{phones}\n"))
    (problem,) = report.problems
    assert (problem.row, problem.column, problem.kept) == (2, "phone", True)
    assert len(book.one(CUSTOMER, "Alder")["phones"]) == 64
