"""Workbooks come in sheet by sheet, as what they show, and no further than the bounds."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from app.errors import AppError
from app.services.exchange import sheets
from app.services.exchange.ports import Book
from app.services.exchange.read import read, read_all
from app.services.exchange.unreadable import Unreadable
from tests.services.exchange.conftest import bring
from tests.services.exchange.twin import TwinBook

Cell = Any  # a value, or a value and the format it is shown in


def workbook(path: Path, **tables: list[list[Cell]]) -> Path:
    """A workbook of these sheets; underscores of their names are spaces."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in tables.items():
        sheet = book.create_sheet(name.replace("_", " "))
        for at, row in enumerate(rows, 1):
            for column, value in enumerate(row, 1):
                cell = sheet.cell(at, column)
                cell.value, shown = value if isinstance(value, tuple) else (value, None)
                if shown is not None:
                    cell.number_format = shown
    book.save(path)
    return path


def test_a_folder_is_not_stopped_by_what_lies_beside_its_tables(book: TwinBook, tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("name,industry\nBlue Harbour,Tea\n")
    (tmp_path / "nothing.xlsx").write_bytes(b"")
    workbook(tmp_path / "blank.xlsx", Sheet1=[])
    (tmp_path / "LICENSE.txt").write_text("You may, and you may not.\n")
    (tmp_path / "how.py").write_text("print(1)\n")
    report = bring(book, tmp_path)
    assert report.done
    assert report.total("added") == 1
    said = report.text().splitlines()
    assert "2 files passed over, since they hold no table: LICENSE.txt, how.py" in said
    assert [line for line in said if "empty" in line] == [
        "blank.xlsx: left out. The file is empty.", "nothing.xlsx: left out. The file is empty.",
    ]  # fmt: skip
    with pytest.raises(AppError, match="empty"):
        bring(book, tmp_path / "nothing.xlsx")  # it was meant


def test_headings_that_tell_no_kind_say_which_would(book: TwinBook, tmp_path: Path) -> None:
    file = tmp_path / "many.csv"
    file.write_text("name,number\nBlue Harbour,7\n")
    said = bring(book, file).text()
    assert "--kind customer" in said
    for heading, kind in (("industry", "customer"), ("close date", "deal"), ("unit price", "product")):
        assert f"“{heading}” for {kind}s" in said
        file.write_text(f"name,number,{heading}\nBlue Harbour,7,x\n")
        (found,) = bring(book, file).files
        assert found.kind is not None
        assert found.kind.name == kind


def test_what_a_cell_shows_is_read_in_one_way_only(tmp_path: Path) -> None:
    shown = [
        ("00123", "00123"), ((123, "00000"), "00123"), (7, "7"), (7.0, "7"), (1.234, "1.2340"), (0.1 + 0.2, "0.3"),
        (12.5, "12.5"), (1234567.891, "1234567.891"), (493012345678, "493012345678"), ((0.25, "0%"), "25%"),
        (1e21, "1000000000000000000000"), (True, "yes"), (False, "no"), (dt.date(2026, 3, 4), "2026-03-04"),
        (dt.datetime.fromisoformat("2026-03-04 14:30"), "2026-03-04 14:30:00"), (dt.time(9, 5), "09:05:00"),
        ("=1+1", ""), ("", ""), ("  Köln ", "  Köln "), ("#DIV/0!", "#N/A"), (-1.5, "-1.5"),
    ]  # fmt: skip
    path = workbook(
        tmp_path / "cells.xlsx", Sheet1=[["value", "end"], *[[cell, "."] for cell, _said in shown]]
    )
    found = read(path)
    assert (found.encoding, found.headings, found.name) == ("xlsx", ("value", "end"), "cells.xlsx")
    assert [(row[0], row[1][0]) for row in found.rows] == [
        (at, said) for at, (_cell, said) in enumerate(shown, 2)
    ]


def test_the_last_value_of_a_formula_counts(tmp_path: Path) -> None:
    path = workbook(tmp_path / "formula.xlsx", Sheet1=[["name", "employees"], ["Acme", "=6*7"]])
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert b"<f>6*7</f><v" in parts[sheet]
    parts[sheet] = (
        parts[sheet]
        .replace(b"<f>6*7</f><v />", b"<f>6*7</f><v>42</v>")
        .replace(b"<f>6*7</f><v></v>", b"<f>6*7</f><v>42</v>")
    )
    with zipfile.ZipFile(path, "w") as new:
        for name, body in parts.items():
            new.writestr(name, body)
    assert read(path).rows == ((2, ("Acme", "42")),)


def test_each_sheet_is_a_file_of_its_own(tmp_path: Path, store_book: Book) -> None:
    path = workbook(
        tmp_path / "book.xlsx",
        Customers=[["Our customers"], [], ["Name", "Postcode", "City", "Revenue (EUR)"],
                   ["Acme", "01067", "Dresden", 1.234], ["Beta", ("4711", "@"), "Köln", 1200]],
        Contacts=[["First name", "Last name", "Company"], ["Anna", "Smith", "Acme"]],
        Sheet3=[],
        Numbers=[["x", "y"], [1, 2]],
    )  # fmt: skip
    report = bring(store_book, path)
    assert [(file.file, file.state.value, file.added) for file in report.files] == [
        ("book.xlsx · Customers", "read", 2), ("book.xlsx · Contacts", "read", 1),
        ("book.xlsx · Numbers", "left_out", 0),
    ]  # fmt: skip
    assert "Revenue (EUR)" in report.files[0].json()["columns"]
    again = bring(store_book, path)
    assert (again.total("added"), again.total("here")) == (0, 3)


def test_sheets_may_be_hidden_or_chosen(tmp_path: Path) -> None:
    rows = [["Name", "City"], ["Acme", "Köln"]]
    path = workbook(tmp_path / "customers.xlsx", Sheet1=rows, Old_ones=rows, More=rows)
    book = openpyxl.load_workbook(path)
    book["Old ones"].sheet_state = "hidden"
    book.save(path)
    assert [each.sheet for each in read_all(path)] == ["Sheet1", "More"]
    assert [each.name for each in read_all(path)] == ["customers.xlsx", "More.xlsx"]
    assert [each.sheet for each in read_all(path, only=["old ONES"])] == [""]
    with pytest.raises(Unreadable) as problem:
        read_all(path, only=["Nothing"])
    assert "Old ones" in problem.value.hint


def test_a_workbook_without_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="empty"):
        read(workbook(tmp_path / "empty.xlsx", Sheet1=[]))
    for name, body in (("cut.xlsx", b"PK\x03\x04" + b"x" * 50), ("other.xlsx", b"")):
        path = tmp_path / name
        path.write_bytes(body)
        if not body:
            with zipfile.ZipFile(path, "w") as parts:
                parts.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        with pytest.raises(Unreadable, match="no CSV"):
            read(path)


def test_bounds_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "wide.xlsx", Sheet1=[["Name", "City"], *[["Acme", "Köln"]] * 20])
    for bound, value, said in (
        ("UNPACKED_MAX", 5_000, "too large"),
        ("CELLS_MAX", 30, "too large"),
        ("ROWS_MAX", 5, "rows"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(sheets, bound, value)
            with pytest.raises(Unreadable, match=said):
                read(path)
    assert len(read(path).rows) == 20


def test_a_cell_far_away_costs_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "CELLS_MAX", 100_000)
    book = openpyxl.Workbook()
    book.active["A1"], book.active["B1"], book.active["XFD3"] = "Name", "City", "x"
    book.save(tmp_path / "far.xlsx")
    found = read(tmp_path / "far.xlsx")
    assert (found.rows, found.left_out) == ((), 1)
    book.active["A1048576"] = "x"
    book.save(tmp_path / "deep.xlsx")
    with pytest.raises(Unreadable, match="too large"):
        read(tmp_path / "deep.xlsx")


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/_rels/workbook.xml.rels"]
)
def test_parts_that_define_texts_of_their_own_are_refused(tmp_path: Path, part: str) -> None:
    path = workbook(tmp_path / "laughs.xlsx", Sheet1=[["Name", "City"], ["Acme", "Köln"]])
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    parts[part] = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>' + parts[part]
    with zipfile.ZipFile(path, "w") as new:
        for name, body in parts.items():
            new.writestr(name, body)
    with pytest.raises(Unreadable, match="workbook"):
        read(path)


def test_a_broken_workbook_stops_the_others_as_a_broken_csv_does(tmp_path: Path, book: TwinBook) -> None:
    path = workbook(tmp_path / "broken.xlsx", Sheet1=[["Name", "City"], ["Acme", "Köln"]])
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"][:200]
    with zipfile.ZipFile(path, "w") as new:
        for name, body in parts.items():
            new.writestr(name, body)
    with pytest.raises(AppError, match="could not be read"):
        bring(book, path)


def test_no_real_workbook_does_harm(real_data: Path) -> None:
    looked_at = 0
    for path in sorted(real_data.rglob("*.xlsx")):
        looked_at += 1
        try:
            found = read_all(path)
        except Unreadable as problem:
            assert problem.title and problem.hint, path.name
        else:
            assert all(len(cells) == len(each.headings) for each in found for _number, cells in each.rows)
    assert looked_at > 100
