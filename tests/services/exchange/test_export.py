"""What goes out comes back as it was, and no spreadsheet runs any of it."""

from __future__ import annotations

import csv
import io
import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.errors import AppError
from app.paths import Profile
from app.services.exchange.cells import EMPTY, defuse, restore
from app.services.exchange.export import as_csv, export, headings
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import (
    ADDRESS_PARTS,
    Address,
    Choice,
    Date,
    Field,
    Flag,
    Instant,
    Integer,
    Money,
    Ref,
    Several,
    Tags,
)
from sync.protocol.ids import new_record_id
from sync.protocol.kinds import KINDS, Kind
from tests.services.exchange.conftest import bring
from tests.services.exchange.twin import TwinBook

CUSTOMER, CONTACT, DEAL = (KINDS[name] for name in ("customer", "contact", "deal"))

NASTY = [
    "=1+1", "+49 30 1", "-", "@SUM(A1)", "'=x", "''", "NULL", "n/a", "\t=1", "a;b", "a,b", 'say "x"', "a: b",
    "a\\: b", "x ::: y", "1.234", "王芳", "Größe", "＝1", "sep=;", "two\nlines", "'NULL'", "- ", "a@b", "a@b c",
]  # fmt: skip
texts = st.one_of(st.sampled_from(NASTY), st.text(min_size=1, max_size=30))
WORDS = st.text(alphabet="abcXYZ 王=-+';,:\\", min_size=1, max_size=12)


def values_of(field: Field, targets: dict[str, list[bytes]]) -> st.SearchStrategy[Any]:
    """Values that a field may hold, before they are checked."""
    kind = field.type
    if isinstance(kind, Choice):
        return st.sampled_from(kind.values)
    if isinstance(kind, Flag):
        return st.booleans()
    if isinstance(kind, Integer):
        return st.integers(kind.low, min(kind.high, 10**9))
    if isinstance(kind, Date):
        return st.dates().map(str)
    if isinstance(kind, Instant):
        zones = st.sampled_from(["UTC", "Asia/Shanghai", "America/St_Johns", "Europe/Berlin"])
        return st.fixed_dictionaries({"at": st.integers(-(10**13), 10**14), "zone": zones})
    if isinstance(kind, Money):
        money = st.sampled_from(["USD", "EUR", "CNY", "JPY", "KWD"])
        return st.fixed_dictionaries({"minor": st.integers(-(10**12), 10**12), "currency": money})
    if isinstance(kind, Address):
        return st.dictionaries(st.sampled_from(ADDRESS_PARTS), texts, min_size=1)
    if isinstance(kind, Several):
        mails = st.sampled_from(["a@b", "x.y+z@example.com", "=a@b", "a;b@c", "a:b@c"])
        of = mails if kind.of == "email" else texts
        return st.lists(
            st.fixed_dictionaries({"label": WORDS | st.just(""), "value": of}), min_size=1, max_size=3
        )
    if isinstance(kind, Tags):
        return st.lists(texts, min_size=1, max_size=3)
    if isinstance(kind, Ref):
        return st.sampled_from(targets[kind.to]) if targets.get(kind.to) else st.none()
    return texts


@st.composite
def books(draw: st.DrawFn) -> TwinBook:
    """A book with a few records of every kind, pointing to each other."""
    book = TwinBook()
    targets: dict[str, list[bytes]] = {}
    for name in ("customer", "product", "contact", "deal", "task", "activity", "consent"):
        kind = KINDS[name]
        for _n in range(draw(st.integers(0, 3))):
            values = {}
            for field in kind.fields:
                if not field.required and draw(st.booleans()):
                    continue
                drawn = draw(values_of(field, targets))
                try:
                    values[field.name] = field.type.check(field.name, drawn)
                except FieldProblem:
                    continue
            made = {key: value for key, value in values.items() if value is not None}
            if all(field.name in made for field in kind.fields if field.required):
                id_ = bytes(new_record_id())
                book.kept[id_] = (kind, made)
                targets.setdefault(name, []).append(id_)
    return book


def told(book: TwinBook) -> list[Any]:
    """A book without its ids: records by number, references as the number of what they point to."""
    order = {id_: place for place, id_ in enumerate(book.kept)}
    found = []
    for kind, values in book.kept.values():
        plain = dict(values)
        for name, value in values.items():
            field = kind.by_name[name].type
            if isinstance(field, Ref):
                plain[name] = order[value]
            elif isinstance(field, Several):
                plain[name] = [(each["label"], each["value"]) for each in value]
        found.append((kind.name, plain))
    return found


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(books())
def test_what_goes_out_comes_back_the_same(book: TwinBook) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS.values():
            export(Profile(Path(folder)), kind, book, Path(folder) / f"{kind.name}.csv")
        other = Plain()
        report = bring(other, Path(folder))
    assert not report.problems
    for came, went in zip(told(other), told(_in_kind_order(book, other)), strict=True):
        assert came == went
    assert report.total("added") == len(book.kept)


class Plain(TwinBook):
    """A book that fills no defaults, so that what came in is seen."""

    def add(self, kind: Kind, values: Any, record_id: bytes, /) -> None:
        self.kept[record_id] = (kind, kind.check(values))


def _in_kind_order(book: TwinBook, like: TwinBook) -> TwinBook:
    """The same records in the order of another book: kinds in the order of import, records as they were."""
    ordered = TwinBook()
    for name in dict.fromkeys(kind.name for kind, _values in like.kept.values()):
        ordered.kept |= {id_: pair for id_, pair in book.kept.items() if pair[0].name == name}
    return ordered


def test_back_into_the_same_book_nothing_changes(real_data: Path, tmp_path: Path, book: TwinBook) -> None:
    bring(book, real_data / "crm_northwind", real_data / "crm_odoo_templates")
    before = {id_: dict(values) for id_, (_kind, values) in book.kept.items()}
    for kind in KINDS.values():
        export(Profile(tmp_path), kind, book, tmp_path / f"{kind.name}.csv")
    report = bring(book, tmp_path)
    assert (report.total("added"), report.total("updated"), len(report.problems)) == (0, 0, 0)
    assert {id_: values for id_, (_kind, values) in book.kept.items()} == before


def test_records_of_one_name_stay_apart(tmp_path: Path, book: TwinBook) -> None:
    first, second, deal = (bytes(new_record_id()) for _ in range(3))
    book.kept = {
        first: (CUSTOMER, {"name": "Alder"}),
        second: (CUSTOMER, {"name": "Alder"}),
        deal: (DEAL, {"name": "Spring", "customer": second}),
    }
    export(Profile(tmp_path), CUSTOMER, book, tmp_path / "a.csv")
    export(Profile(tmp_path), DEAL, book, tmp_path / "b.csv")
    other = TwinBook()
    bring(other, tmp_path)
    assert [values["name"] for values in other.of(CUSTOMER)] == ["Alder", "Alder"]
    assert other.one(DEAL, "Spring")["customer"] == list(other.kept)[1]


def payloads(folder: Path) -> list[str]:
    lines = (
        (folder / "attack_csv_injection" / "Intruder" / "csv-payload.txt")
        .read_text(encoding="utf-8")
        .splitlines()
    )
    return [line for line in lines if line.strip()]


def test_no_cell_runs_as_a_formula(real_data: Path, book: TwinBook) -> None:
    """Known attacks in every field that holds text."""
    attacks = [*payloads(real_data), "\t=1", "\r=1", "＝1+1", "-2+3", "+cmd|' /C calc'!A0", "@SUM(1)"]
    assert len(attacks) > 10
    for attack in attacks:
        values: dict[str, Any] = {"name": attack, "industry": attack, "notes": attack, "tags": [attack[:60]]}
        values["phones"] = [{"value": attack}]
        values["address"] = {"street": attack, "city": attack}
        book.kept[bytes(new_record_id())] = (CUSTOMER, CUSTOMER.check(values))
    data, count = as_csv(CUSTOMER, book)
    assert count == len(attacks)
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert rows[0] == headings(CUSTOMER)
    for row in rows[1:]:
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")), cell


def test_attacks_come_in_as_the_text_they_are(real_data: Path, tmp_path: Path, book: TwinBook) -> None:
    attacks = payloads(real_data)
    with (tmp_path / "customers.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["name", "industry"], *([attack, "Food"] for attack in attacks)])
    bring(book, tmp_path / "customers.csv")
    assert [values["name"] for values in book.of(CUSTOMER)] == [attack.strip() for attack in attacks]


@example(" -")  # import takes blanks away before it looks for a word
@given(st.text() | st.sampled_from(NASTY) | st.sampled_from(sorted(EMPTY)) | WORDS)
def test_a_defused_text_comes_back(text: str) -> None:
    cell = defuse(text)
    assert restore(cell) == text or not text.strip()
    assert not cell or cell[0] not in "=+-@\t\r＝＋－＠"


@pytest.mark.parametrize("word", sorted(EMPTY))
def test_a_word_for_empty_is_empty_unless_it_is_ours(word: str) -> None:
    assert restore(word) == ""
    assert restore(f"'{word}") == word


def test_a_file_is_for_its_person_alone_or_not_there(tmp_path: Path, book: TwinBook) -> None:
    path = tmp_path / "out.csv"
    book.kept[bytes(new_record_id())] = (CUSTOMER, {"name": "Alder"})
    assert export(Profile(tmp_path), CUSTOMER, book, path) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"\xef\xbb\xbfFieldkeep customer id,Name,")
    with pytest.raises(AppError, match="could not be written"):
        export(Profile(tmp_path), CUSTOMER, book, tmp_path / "absent" / "out.csv")
    assert list(tmp_path.iterdir()) == [path]


def test_a_reference_to_a_record_that_is_not_here_goes_out_as_its_id(tmp_path: Path, book: TwinBook) -> None:
    book.kept[bytes(new_record_id())] = (CONTACT, {"name": "Ada", "customer": bytes(range(16))})
    export(Profile(tmp_path), CONTACT, book, tmp_path / "contacts.csv")
    report = bring(TwinBook(), tmp_path / "contacts.csv")
    (problem,) = report.problems
    assert (problem.column, problem.kept) == ("Customer", False)
