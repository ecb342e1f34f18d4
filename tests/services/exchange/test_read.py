"""Bytes become tables, whatever encoding, delimiter and quoting they came in; what is no table says so."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from app.services.exchange import read as reading
from app.services.exchange.encoding import SURE, decode
from app.services.exchange.read import Table, read, read_bytes
from app.services.exchange.report import Level
from app.services.exchange.unreadable import COLUMNS_MAX, Unreadable


def table(text: str) -> Table:
    return read_bytes(text.encode(), "t.csv")


def cells(found: Table) -> list[list[str]]:
    return [list(row) for _number, row in found.rows]


SPECTRUM = ("comma_in_quotes", "empty", "empty_crlf", "escaped_quotes", "json", "newlines", "newlines_crlf",
            "quotes_and_newlines", "simple", "simple_crlf", "utf8")  # fmt: skip


@pytest.mark.parametrize("name", SPECTRUM)
def test_quoting_and_line_ends_read_as_their_authors_say(name: str, real_data: Path) -> None:
    folder = real_data / "csv_spectrum"
    found = read(folder / "csvs" / f"{name}.csv")
    expected = json.loads((folder / "json" / f"{name}.json").read_text(encoding="utf-8"))
    expected = expected if isinstance(expected, list) else [expected]
    got = [dict(zip(found.headings, row, strict=True)) for row in cells(found)]
    plain = [{key: value.replace("\r\n", "\n") for key, value in row.items()} for row in got]
    assert plain == [{key: value.replace("\r\n", "\n") for key, value in row.items()} for row in expected]


CN = ("GB18030", "GBK", "UTF-16BE", "UTF-16LE-bom", "UTF-16LE", "UTF-8-bom", "utf8")


@pytest.mark.parametrize("encoding", CN)
def test_chinese_names_survive_every_encoding(encoding: str, real_data: Path) -> None:
    folder = real_data / "derived_encodings"
    plain = (folder / "cn_short_utf8.csv").read_text(encoding="utf-8")
    found = read(folder / f"cn_short_{encoding}.csv")
    expected = list(csv.reader(io.StringIO(plain)))
    assert [list(found.headings), *cells(found)] == expected
    assert found.confidence >= SURE
    assert not found.findings


@pytest.mark.parametrize(
    ("name", "encoding", "delimiter"),
    [
        ("northwind_customers_cp1252.csv", "cp1252", ","),
        ("northwind_customers_semicolon_cp1252.csv", "cp1252", ";"),
        ("northwind_customers_tab_utf16.txt", "utf-16-le-bom", "\t"),
    ],
)
def test_what_european_spreadsheets_save(name: str, encoding: str, delimiter: str, real_data: Path) -> None:
    expected = read(real_data / "crm_northwind" / "customers.csv")
    found = read(real_data / "derived_encodings" / name)
    assert (found.encoding, found.delimiter) == (encoding, delimiter)
    # A space after an unquoted delimiter is dropped, one within quotation marks is not: values are stripped later.
    stripped = [[[cell.strip() for cell in row] for row in cells(each)] for each in (found, expected)]
    assert (found.headings, stripped[0]) == (expected.headings, stripped[1])


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("姓名,电话\n王芳,123\n李伟,456\n", "gbk"),
        ("客户名称\n北京华夏科技有限公司\n", "gb18030"),
        ("Name,Ort\nMüller,Köln\n", "cp1252"),
        ("Nom\nÉlodie Lefèvre\nCôté\n", "cp1252"),
        ("name\nJosé “Pepe” Núñez – Madrid\n", "cp1252"),
        ("price\n€5\n£3\n", "cp1252"),
        ("name\nŁukasz Żółć\nWiśniewski\n", "cp1250"),
        ("Имя\nИван Петров\n", "cp1251"),
        ("名稱,電話\n臺北科技股份有限公司,1\n王小明,3\n", "big5"),
        ("会社名\n株式会社東京商事\n山田太郎\n", "shift_jis"),
        ("a,b\nx,y\n", "utf-16-le"),
        ("a,b\n王芳,y\n", "utf-16-be"),
        ("a,b\n王芳,y\n", "utf-32"),
    ],
)
def test_a_short_file_is_enough(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).text == text


def test_utf8_cut_in_the_middle_of_a_character_stays_utf8() -> None:
    found = decode(("王芳" * 50).encode()[:-1])
    assert (found.encoding, found.broken) == ("utf-8", 1)
    assert found.text.startswith("王芳王芳")
    note = read_bytes(b"name\n" + ("王芳\n" * 50).encode()[:-2], "t.csv").findings
    assert [finding.level for finding in note] == [Level.PROBLEM]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_replacement_mark_that_somebody_wrote_is_no_broken_place(encoding: str) -> None:
    found = decode("name\nAcme \ufffd\n".encode(encoding))
    assert (found.text, found.broken) == ("name\nAcme \ufffd\n", 0)


def test_a_guessed_encoding_is_said(real_data: Path) -> None:
    found = read(real_data / "csv_messytables_horror" / "characters.csv")
    assert found.encoding == "big5"
    assert found.confidence < SURE
    assert any("guess" in finding.problem for finding in found.findings)


WORKING = {
    "csv_csvkit": {
        "bad_skip_lines.csv": (3, 2, 1), "mac_newlines.csv": (3, 2, 0), "null_byte.csv": (3, 1, 0),
        "test_skip_lines.csv": (3, 1, 0), "test_utf16_big.csv": (3, 2, 0), "test_utf8_bom.csv": (3, 2, 0),
        "blanks.csv": (6, 1, 0), "test_extra_header.csv": (4, 1, 0), "dummy.tsv": (3, 1, 0),
    },
    "csv_messytables_horror": {
        "211.csv": (96, 2132, 0), "characters.csv": (18, 382, 0), "complex.csv": (4, 3, 0),
        "excel_pasting.csv": (9, 16, 0), "long.csv": (1, 3999, 0), "mixedGLB.csv": (19, 133, 0),
        "simple.psv": (6, 28, 0), "simple.ssv": (3, 6, 0), "spanish_chars.csv": (8, 115, 0),
        "utf-16le_encoded.csv": (19, 327, 0),
    },
}  # fmt: skip


@pytest.mark.parametrize(("folder", "name"), [(f, n) for f, names in WORKING.items() for n in names])
def test_messy_files_keep_their_shape(folder: str, name: str, real_data: Path) -> None:
    found = read(real_data / folder / name)
    assert (len(found.headings), len(found.rows), found.left_out) == WORKING[folder][name]
    assert all(len(row) == len(found.headings) for _number, row in found.rows)


def test_no_file_of_any_set_ends_in_an_error_of_its_own(real_data: Path) -> None:
    """Spreadsheets, pages and archives under any name: a table, or a sentence that says what to do."""
    looked_at = 0
    for folder in ("csv_csvkit", "csv_messytables_horror", "attack_fuzzdb", "crm_cn_cordys"):
        for path in sorted((real_data / folder).rglob("*")):
            if not path.is_file():
                continue
            looked_at += 1
            try:
                read(path)
            except Unreadable as problem:
                assert problem.title and problem.hint, path.name
    assert looked_at > 100


@pytest.mark.parametrize("name", ["dummy.xls", "dummy.csv.gz"])
def test_a_spreadsheet_says_how_to_save_it(name: str, real_data: Path) -> None:
    with pytest.raises(Unreadable, match="CSV"):
        read(real_data / "csv_csvkit" / name)


def test_rows_have_the_numbers_of_a_spreadsheet() -> None:
    found = table('\n\nname,note\nA,"two\nlines"\n\nB,x\n')
    assert [number for number, _row in found.rows] == [4, 6]


def test_a_row_with_cells_too_many_is_left_out_and_named() -> None:
    found = table("name,city\nA,Rome\nB,Ulm,Germany\nC,Oslo,\nD\n")
    assert cells(found) == [["A", "Rome"], ["C", "Oslo"], ["D", ""]]
    assert found.left_out == 1
    assert [(f.level, f.row) for f in found.findings] == [(Level.PROBLEM, 3), (Level.NOTE, 5)]


def test_an_open_quotation_mark_names_its_row() -> None:
    with pytest.raises(Unreadable) as caught:
        table('name,city\nA,Rome\nB,"Ulm\nC,Oslo\n')
    assert caught.value.row == 3


def test_a_quotation_mark_that_swallows_rows_is_noticed() -> None:
    swallowed = "".join(f"row {n},x\n" for n in range(80))
    with pytest.raises(Unreadable) as caught:
        table(f'name,city\nA,"Rome\n{swallowed}B",y\n')
    assert caught.value.row == 2


def test_the_first_row_may_name_the_delimiter() -> None:
    found = table("sep=;\r\nname;note\r\nA, B;c\r\n")
    assert (found.delimiter, cells(found)) == (";", [["A, B", "c"]])


def test_a_comma_in_every_note_does_not_hide_the_semicolon() -> None:
    found = table("name;note\nA;one, two\nB;three, four\nC;five\n")
    assert (found.delimiter, found.headings) == (";", ("name", "note"))


@pytest.mark.parametrize("data", [b"", b"\n\n \n", b"\xef\xbb\xbf"])
def test_an_empty_file_says_so(data: bytes) -> None:
    with pytest.raises(Unreadable, match="empty"):
        read_bytes(data, "t.csv")


def test_limits_hold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reading, "ROWS_MAX", 3)
    monkeypatch.setattr(reading, "FILE_MAX", 1000)
    with pytest.raises(Unreadable, match="rows"):
        table("a,b\n1,2\n3,4\n5,6\n")
    with pytest.raises(Unreadable, match="columns"):
        table(",".join(f"c{n}" for n in range(COLUMNS_MAX + 1)) + "\n")
    with pytest.raises(Unreadable, match="quotation"):
        table("a,b\n" + "x" * 200_000 + ",y\n")
    big = tmp_path / "big.csv"
    big.write_bytes(b"a,b\n" * 400)
    with pytest.raises(Unreadable, match="too large"):
        read(big)
    with pytest.raises(Unreadable, match="could not be read"):
        read(tmp_path / "absent.csv")


def test_binary_rubbish_is_no_table() -> None:
    with pytest.raises(Unreadable, match="no text"):
        read_bytes(bytes(range(1, 32)) * 40, "t.csv")
