"""One more line in the table of kinds is enough: store, lists, search, form, import, wire, merge and log follow it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.log import HIDDEN, fields
from app.store import lists, outbox, records, search
from app.ui.fields.base import FieldEditor
from app.ui.fields.table import editor_of
from sync.protocol import merge
from sync.protocol.errors import FieldProblem, Outcome
from sync.protocol.fields import (
    Address,
    Care,
    Choice,
    Content,
    Date,
    Field,
    FieldType,
    Find,
    Flag,
    Instant,
    Integer,
    Money,
    Notes,
    Person,
    Ref,
    Several,
    Tags,
    Text,
)
from sync.protocol.ids import DeviceId, Incarnation, OpId
from sync.protocol.kinds import KINDS, Kind, same_header
from sync.protocol.ops import Act, Op
from tests.store.device import Device

# For each type: a value, a bad one, and a word under which search finds the value ("" where it is not searched).
TYPES: dict[str, tuple[FieldType, Any, Any, str]] = {
    "text": (Text(), "Okapi", 5, "okapi"),
    "notes": (Notes(), "Okapi\nand more", 5, "okapi"),
    "choice": (Choice((("one", "One"), ("two", "Two"))), "two", "three", ""),
    "flag": (Flag(), True, "yes", ""),
    "integer": (Integer(high=10), 7, 11, ""),
    "date": (Date(), "2001-02-28", "2001-02-30", ""),
    "instant": (Instant(), {"at": 1_000, "zone": "Asia/Shanghai"}, "now", ""),
    "money": (Money(), {"minor": 5, "currency": "CNY"}, {"minor": 5}, ""),
    "address": (Address(), {"city": "Okapi"}, {"planet": "Mars"}, "okapi"),
    "several": (
        Several(of="phone"),
        [{"id": "00" * 8, "label": "work", "value": "555 777"}],
        [{"x": 1}],
        "5777",
    ),
    "tags": (Tags(), ["okapi"], [5], "okapi"),
    "content": (
        Content(),
        {"sha256": b"s" * 32, "size": 5, "key": b"k" * 32},
        {"sha256": b"s", "size": 5, "key": b""},
        "",
    ),
    "ref": (Ref(to="customer"), b"r" * 16, b"short", ""),
    "person": (Person(), "okapi@example.com", 5, "okapi"),
}


@pytest.fixture
def grown(monkeypatch: pytest.MonkeyPatch) -> Callable[[FieldType], Kind]:
    """The kind contact with one field more, which nobody but the table knows of."""

    def grow(type_: FieldType) -> Kind:
        find = (
            Find.DIGITS
            if isinstance(type_, Several)
            else Find.NOTES
            if isinstance(type_, Notes)
            else Find.WORDS
        )
        line = Field(
            "birthmark",
            "Birthmark",
            type_,
            care=Care.CONFIDENTIAL,
            find=find,
            column=2,
            synonyms="naevus; 胎记",
        )
        kind = dataclasses.replace(KINDS["contact"], fields=(*KINDS["contact"].fields, line))
        monkeypatch.setitem(KINDS, "contact", kind)
        return kind

    return grow


@pytest.mark.parametrize("name", TYPES)
def test_one_new_line_is_a_column_a_list_column_and_found(
    name: str, grown: Callable[[FieldType], Kind], tmp_path: Path
) -> None:
    type_, value, _bad, word = TYPES[name]
    device = Device(tmp_path)
    store = device.create()
    old = records.add(store, KINDS["contact"], {"name": "Anna"})
    kind = grown(type_)
    store = device.reopen()
    columns = {column for _id, column, *_rest in store.db.all('PRAGMA table_info("record_contact")')}
    assert {f"birthmark{suffix}" for suffix, _sql in type_.sql} <= columns
    after = records.edit(store, old.id, {"birthmark": value})
    assert after.values["birthmark"] == value
    assert records.get(device.reopen(), old.id).values["birthmark"] == value
    store = device.reopen()
    assert outbox.every(store.db)[-1].set == kind.cells({"birthmark": value})
    assert [f.name for f in kind.columns][:3] == ["name", "customer", "birthmark"]
    assert lists.page(store, kind, order="-birthmark").records == [after]
    assert lists.page(store, kind, where={"birthmark": ""}).records == []
    if word:
        assert [hit.fields for hit in search.find(store, word)] == [("birthmark",)]
    device.close()


@pytest.mark.parametrize("name", TYPES)
def test_one_new_line_is_checked_on_the_wire_merged_imported_and_hidden_in_the_log(
    name: str, grown: Callable[[FieldType], Kind]
) -> None:
    type_, value, bad, _word = TYPES[name]
    kind = grown(type_)
    cells = kind.cells({"birthmark": value})
    assert kind.check_cells(cells) == cells
    wrong = {f"birthmark/{'00' * 8}" if type_.several else "birthmark": bad}
    with pytest.raises(FieldProblem):
        kind.check_cells(wrong)
    with pytest.raises(FieldProblem):
        kind.check({"birthmark": bad})
    op = Op(n=1, kind="contact", id=b"i" * 16, act=Act.ADD, hlc=1, set={"name": "Anna", **cells})
    op_id = OpId(DeviceId(b"d" * 16), Incarnation(b"i" * 8), 1)
    merged = merge.apply(None, op, op_id, seq=1, person="lena@example.com")
    assert merged.outcome is Outcome.OK
    assert merged.row is not None
    assert kind.values(merged.row.cells)["birthmark"] == value
    for heading in ("Birthmark", "NAEVUS", "胎记"):
        assert kind.headers[same_header(heading)].name == "birthmark"
    assert fields("contact", {"birthmark": value}) == f"birthmark={HIDDEN}"


@pytest.mark.parametrize("name", TYPES)
def test_one_new_line_is_an_editor_in_the_form(
    name: str, grown: Callable[[FieldType], Kind], qtbot: QtBot
) -> None:
    type_, value, _bad, _word = TYPES[name]
    field = grown(type_).by_name["birthmark"]
    editor: FieldEditor = editor_of(field, "EUR", lambda _field, _text, take: take([]), lambda _id: "Anna")
    qtbot.addWidget(editor)
    editor.show_value(value)
    assert "Birthmark" in editor.first().accessibleName()


def test_every_type_of_the_table_is_tried_here() -> None:
    assert {type(field.type) for kind in KINDS.values() for field in kind.fields} <= {
        type(t) for t, *_rest in TYPES.values()
    }


def test_no_name_of_the_table_can_break_a_statement() -> None:
    for kind in KINDS.values():
        assert kind.name.isidentifier()
        assert kind.title in kind.by_name
        for field in kind.fields:
            assert field.name.isidentifier()
            assert not field.name.startswith("_")
            if isinstance(field.type, Choice):
                assert all(word.isidentifier() for word in field.type.values)
            if isinstance(field.type, Ref):
                assert field.type.to in KINDS
        columns = [f"{field.name}{suffix}" for field in kind.fields for suffix, _sql in field.type.sql]
        assert len(columns) == len(set(columns))
