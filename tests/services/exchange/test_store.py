"""Import and export on the real, encrypted store."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import NoSpace
from app.paths import Profile
from app.services.exchange.apply import apply
from app.services.exchange.export import export
from app.services.exchange.plan import prepare
from app.services.exchange.ports import Book
from app.store import space
from sync.protocol.errors import FieldProblem
from sync.protocol.kinds import KINDS
from tests.services.exchange.conftest import TODAY, Made, bring
from tests.services.exchange.twin import TwinBook

CUSTOMER, CONTACT, DEAL, PRODUCT = (KINDS[name] for name in ("customer", "contact", "deal", "product"))


def test_the_sales_files_come_in_and_not_twice(real_data: Path, store_book: Book) -> None:
    folder = real_data / "crm_maven_sales"
    report = bring(store_book, folder)
    assert report.total("added") == 8892
    deals = [values for _id, values in store_book.records(DEAL)]
    won = [deal["amount"]["minor"] for deal in deals if deal["stage"] == "won"]
    assert (len(deals), len(won), sum(won)) == (8800, 4238, 10_005_534_00)
    assert sum("customer" not in deal for deal in deals) == 1425
    assert sum("amount" not in deal for deal in deals) == 2089
    assert not prepare([folder], store_book, today=TODAY).steps


def test_a_store_that_fails_half_way_keeps_nothing(made: Made, store_book: Book) -> None:
    plan = prepare([made("customers.csv", "name,industry\nAlder,\nBirch,\n")], store_book, today=TODAY)
    plan.steps[1].values["name"] = None  # type: ignore[index]
    with pytest.raises(FieldProblem):
        apply(plan, store_book)
    assert not list(store_book.records(CUSTOMER))


def test_store_and_twin_agree(made: Made, store_book: Book, book: TwinBook) -> None:
    text = "name,phone,employees,stage,parent company,city\nBranch,1;2,5,Lead,Root,Ulm\nRoot,,,,,\n"
    more = "name,account,email\nAda,Branch,a@x.test\n王芳,Root,b@x.test\n"
    files = [made("customers.csv", text), made("contacts.csv", more)]
    for each in (store_book, book):
        assert bring(each, *files).total("added") == 4
        assert bring(each, *files).total("added") == 0
    for kind in (CUSTOMER, CONTACT):
        one = {values["name"]: set(values) - {"owner"} for _id, values in store_book.records(kind)}
        other = {values["name"]: set(values) - {"owner"} for _id, values in book.records(kind)}
        assert one == other
        assert {t for _id, t, _n in store_book.titles(kind)} == set(one)


def test_out_of_the_store_and_back(made: Made, tmp_path: Path, store_book: Book) -> None:
    rows = "".join(f"Company {n},Food,{n}\n" for n in range(1200))
    bring(store_book, made("customers.csv", "name,industry,employees\n" + rows))
    path = tmp_path / "out.csv"
    assert export(Profile(tmp_path), CUSTOMER, store_book, path) == 1200
    report = bring(store_book, path)
    assert (report.total("rows"), report.total("here")) == (1200, 1200)
    twin = TwinBook()
    assert bring(twin, path).total("added") == 1200
    assert {v["name"]: v["employees"] for v in twin.of(CUSTOMER)} == {f"Company {n}": n for n in range(1200)}


def test_a_disk_without_room_is_told_before_a_row_is_written(
    made: Made, store_book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = prepare([made("customers.csv", "name,industry\nAlder,\nBirch,\n")], store_book, today=TODAY)
    monkeypatch.setattr(space, "ROW", 2**60)
    with pytest.raises(NoSpace):
        apply(plan, store_book)
    assert not list(store_book.records(CUSTOMER))
    monkeypatch.undo()
    assert apply(plan, store_book).total("added") == 2
