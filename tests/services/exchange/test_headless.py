"""Lists without a row of headings, and people who stand beside the firms of a list."""

from __future__ import annotations

import pytest

from app.services.exchange.plan import prepare
from app.services.exchange.ports import Book
from app.services.exchange.read import read_bytes
from app.services.exchange.report import FileReport
from tests.services.exchange.conftest import TODAY, Made, bring
from tests.services.exchange.twin import TwinBook

FIRMS = "".join(
    f"{name},{mail},{phone},{town}\n"
    for name, mail, phone, town in [
        ("Acme GmbH", "info@acme.example", "+49 30 5550123", "Berlin"),
        ("Beta Ltd", "office@beta.example", "+44 20 7946 0958", "London"),
        ("Gamma Tools", "hello@gamma.example", "030 5550199", "Berlin"),
    ]
)


def _one(book: TwinBook, path: object, headings: bool | None = None) -> FileReport:
    (file,) = prepare([path], book, today=TODAY, headings=headings).files  # type: ignore[list-item]
    return file


def test_firms_without_headings_come_in_and_it_is_said(store_book: Book, made: Made) -> None:
    report = bring(store_book, made("list.csv", FIRMS))
    (file,) = report.files
    assert file.kind is not None
    assert (file.kind.name, file.added) == ("customer", 3)
    said = file.json()
    assert said["columns"] == {"Company": "name", "Email": "emails", "Phone": "phones"}
    assert said["unmapped"] == ["Column 4"]
    assert "1 = Company, 2 = Email, 3 = Phone" in said["notes"][0]["problem"]
    assert bring(store_book, made("again.csv", FIRMS)).total("added") == 0


@pytest.mark.parametrize(
    ("rows", "headings"),
    [
        ("Anna Smith;anna@acme.example\nBen Weber;ben@beta.example\n", ("Full name", "Email")),
        ("a@b.example;x\nc@d.example;y\n", ("Email", "Full name")),
        (
            "Acme Ltd;Anna Smith;https://acme.example\nBeta AG;Ben Weber;www.beta.example\n",
            ("Company", "Full name", "Website"),
        ),
        ("上海恒源医疗有限公司,021-6888 1234\n北京安博科技有限公司,010-5555 1234\n", ("Company", "Phone")),
        ("name;email\nAnna;a@b.example\n", ("name", "email")),
        ("Firma X;2024-03-01\nFirma Y;2024-04-02\n", ("Full name", "Column 2")),
        ("when;who\n2024-03-01;x\n", ("when", "who")),
        ("umsatz;2024;2025\nx;1;2\n", ("umsatz", "2024", "2025")),
        ("info@acme.example;phone\nAnna;030 5550123\n", ("info@acme.example", "phone")),
        ("+49 30 5550123;Berlin\n", ("Phone", "Full name")),
    ],
)
def test_the_first_row_is_one_of_headings_or_is_not(rows: str, headings: tuple[str, ...]) -> None:
    found = read_bytes(rows.encode(), "list.csv")
    assert found.headings == headings
    assert len(found.rows) == rows.count("\n") - (rows.startswith(headings[0]))


def test_a_person_decides_against_the_guess(book: TwinBook, made: Made) -> None:
    with_them = "Company,Email\nAcme GmbH,info@acme.example\n"
    assert _one(book, made("a.csv", FIRMS), headings=True).state.value == "left_out"
    taken = _one(book, made("b.csv", with_them), headings=False)
    assert taken.rows == 2
    assert _one(book, made("c.csv", with_them)).rows == 1
    assert _one(book, made("c.csv", with_them), headings=True).rows == 1


def test_people_beside_firms_become_contacts_of_these(store_book: Book, made: Made) -> None:
    path = made(
        "customers.csv",
        "CustomerID,CompanyName,ContactName,ContactTitle,Address,City,Region,PostalCode,Country,Phone,Fax\n"
        "ALFKI,Alfreds Futterkiste,Maria Anders,Sales Representative,Obere Str. 57,Berlin,,12209,Germany,030-0074321,"
        "030-0076545\n"
        "ANATR,Ana Trujillo,NULL,,Avda. 2222,Mexico,,05021,Mexico,(5) 555-4729,\n",
    )
    report = bring(store_book, path)
    customers, people = report.files
    assert [file.file for file in report.files] == ["customers.csv"] * 2
    assert (customers.added, people.added, report.problems) == (2, 1, [])
    assert customers.json()["unmapped"] == []
    assert people.json()["columns"] == {
        "CompanyName": "customer",
        "ContactName": "name",
        "ContactTitle": "role",
    }
    again = bring(store_book, path)
    assert (again.total("added"), again.total("here")) == (0, 3)


@pytest.mark.parametrize("name", ["export.csv", "contacts_of_customers.csv", "data.csv"])
@pytest.mark.parametrize("person", ["Contact person", "Ansprechpartner", "联系人", "contact_name"])
def test_whatever_the_file_and_the_column_are_called(
    store_book: Book, made: Made, name: str, person: str
) -> None:
    rows = f"Company name;{person};Address;City;Postal code;Country\nAcme;Anna Smith;Quay 1;Berlin;12209;Germany\n"
    report = bring(store_book, made(name, rows))
    assert (report.total("added"), [str(each) for each in report.problems]) == (2, [])
