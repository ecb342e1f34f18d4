"""Every type of field: what it holds, what it refuses, and what hostile text becomes in it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.protocol import codec, fields
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import (
    Address,
    Choice,
    Content,
    Date,
    FieldType,
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
from tests.protocol.strategies import texts, tries

STAGES = Choice((("lead", "Lead"), ("won", "Won")))
KEY = "00000000000000aa"
ID = bytes(range(16))

# Type, what is given, what is held.
HELD: list[tuple[FieldType, Any, Any]] = [
    (Text(), " Ann\r\nLee ", "Ann Lee"),
    (Text(), "a\u2028b\u2029c\x85d\x0be", "a b c d e"),
    (Text(), "a\x00b\x1b[31mc\x7fd", "ab[31mcd"),
    (Text(), "a\ud800b", "a\ufffdb"),
    (Text(), "\u202eevil\u202c", "\u202eevil\u202c"),
    (Text(), "שלום \u200fabc", "שלום \u200fabc"),
    (Text(), "\x00\n", None),
    (Text(), "", None),
    (Text(), None, None),
    (Text(limit=3), "王小明", "王小明"),
    (Notes(), "a\r\nb\rc\x00\ud800", "a\nb\nc\ufffd"),
    (Notes(), "\n\n", None),
    (STAGES, "won", "won"),
    (STAGES, "", None),
    (Flag(), True, True),
    (Flag(), None, None),
    (Integer(), 0, 0),
    (Integer(), 2**63 - 1, 2**63 - 1),
    (Date(), "2024-02-29", "2024-02-29"),
    (Date(), "", None),
    (Instant(), {"at": -1}, {"at": -1, "zone": "UTC"}),
    (Instant(), {"at": 1, "zone": "Asia/Shanghai"}, {"at": 1, "zone": "Asia/Shanghai"}),
    (Money(), {"minor": -5, "currency": "JPY"}, {"minor": -5, "currency": "JPY"}),
    (Address(), {"street": " A 1 ", "city": ""}, {"street": "A 1"}),
    (Address(), {"city": ""}, None),
    (Several(), [{"id": KEY, "value": "5"}], [{"id": KEY, "label": "", "value": "5"}]),
    (Several(), [{"id": KEY, "value": ""}], None),
    (Several(of="email"), [{"id": KEY, "value": "a@b"}], [{"id": KEY, "label": "", "value": "a@b"}]),
    (Tags(), ["b", "a", "b", ""], ["a", "b"]),
    (Tags(), "one", ["one"]),
    (Tags(), [], None),
    (Content(), None, None),
    (
        Content(),
        {"sha256": bytearray(32), "size": 0, "key": bytes(32)},
        {"sha256": bytes(32), "size": 0, "key": bytes(32)},
    ),
    (Ref(), ID, ID),
    (Ref(), "00010203-0405-0607-0809-0a0b0c0d0e0f", ID),
    (Ref(), "", None),
    (Person(), "Ann Lee", "Ann Lee"),
]

REFUSED: list[tuple[FieldType, Any]] = [
    *[(type_, value) for type_ in (Text(), Notes(), Person()) for value in (1, True, b"x", ["x"], {"x": 1})],
    (Text(), "x" * 501),
    (Text(limit=3), "abcd"),
    (Person(), "x" * 255),
    (Notes(), "x" * (fields.NOTES_MAX + 1)),
    (STAGES, "lost"),
    (STAGES, ["lead"]),
    (STAGES, "Lead"),
    (Flag(), 1),
    (Flag(), "yes"),
    (Integer(), True),
    (Integer(), -1),
    (Integer(), 1.0),
    (Integer(), "1"),
    (Integer(), 2**63),
    (Integer(low=800, high=2200), 799),
    *[
        (Date(), value)
        for value in ("2023-02-29", "0000-01-01", "2026-13-01", "26-1-1", "2026-1-1", "20261122", 5, "2026-11-2\u0662")
    ],
    (Date(), "2026-11-22\n"),
    *[
        (Instant(), value)
        for value in (5, {}, {"at": "1"}, {"at": True}, {"at": 1.5}, {"at": 2**47}, {"at": 1, "x": 1}, {"at": None})
    ],
    *[(Instant(), {"at": 1, "zone": zone}) for zone in ("\ud800", "a b", "x" * 65, 5, "UTC\x00", "Zür/ich")],
    *[
        (Money(), value)
        for value in (
            5, "5", {"minor": 5}, {"minor": 5.0, "currency": "USD"}, {"minor": True, "currency": "USD"},
            {"minor": 2**63, "currency": "USD"}, {"minor": 5, "currency": "usd"}, {"minor": 5, "currency": "USD\n"},
            {"minor": 5, "currency": "USD", "x": 1}, {"minor": 5, "currency": None},
        )
    ],
    *[(Address(), value) for value in ("x", 5, {"planet": "x"}, {"street": 5}, {"street": "x" * 501}, {1: "x"})],
    *[
        (Several(), value)
        for value in (
            5, {"value": "x"}, [5], [{"value": 5}], [{"value": "x", "id": "X" * 16}], [{"value": "x", "id": "a" * 15}],
            [{"value": "x", "id": 5}], [{"value": "x", "extra": 1}], [{"value": "x", "label": "y" * 41}],
            [{"value": str(n)} for n in range(fields.ELEMENTS_MAX + 1)],
            [{"value": "x", "id": KEY}, {"value": "y", "id": KEY}],
        )
    ],
    *[(Several(of="email"), [{"value": value}]) for value in ("a", "a@", "@b", "a b@c", "a@b@c")],
    *[(Tags(), value) for value in (5, [5], ["x" * 61], [str(n) for n in range(fields.ELEMENTS_MAX + 1)], {"a": 1})],
    *[
        (Content(), {"sha256": bytes(32), "size": 1, "key": bytes(32), **other})
        for other in (
            {"sha256": b"x"}, {"sha256": "x" * 32}, {"key": bytes(31)}, {"key": None}, {"size": -1}, {"size": True},
            {"size": 2**63}, {"size": "1"}, {"more": 1},
        )
    ],
    *[(Content(), value) for value in ("contract.pdf", 5, {}, {"size": 1}, [bytes(32)])],
    *[(Ref(), value) for value in (b"x" * 15, b"x" * 17, "x", 5, [ID])],
]  # fmt: skip


@pytest.mark.parametrize(("type_", "given_", "held"), HELD, ids=lambda each: repr(each)[:40])
def test_what_a_field_holds(type_: FieldType, given_: Any, held: Any) -> None:
    assert type_.check("field", given_) == held


@pytest.mark.parametrize(("type_", "given_"), REFUSED, ids=lambda each: repr(each)[:40])
def test_what_a_field_refuses(type_: FieldType, given_: Any) -> None:
    with pytest.raises(FieldProblem) as caught:
        type_.check("field", given_)
    assert caught.value.field == "field"
    assert caught.value.title


def test_a_refusal_does_not_repeat_the_value() -> None:
    """What was refused may be personal, and refusals are logged and sent."""
    marker = "Zanzibar Zebra"
    for type_ in (
        Text(limit=3),
        Date(),
        Flag(),
        Money(),
        Instant(),
        Integer(),
        Ref(),
        Several(of="email"),
        STAGES,
    ):
        with pytest.raises(FieldProblem) as caught:
            type_.parse("field", marker)
        assert marker not in str(caught.value)


def _naughty(real_data: Path) -> list[str]:
    found: list[str] = json.loads((real_data / "strings_blns" / "blns.json").read_text(encoding="utf-8"))
    return found


def test_naughty_strings_are_held_or_refused_and_travel(real_data: Path) -> None:
    held_by_notes = 0
    for text in _naughty(real_data):
        held_by_notes += Notes().check("field", text) is not None
        for type_ in (Text(), Notes(), Person(), Tags()):
            if (held := _or_none(type_, text)) is not None:
                assert type_.check("field", held) == held
                assert codec.unpack(codec.pack(held)) == held
    assert held_by_notes > 400


def test_naughty_strings_do_not_break_what_reads_typing(real_data: Path) -> None:
    readers = (
        Flag(),
        Integer(),
        Date(),
        Instant(),
        Money(),
        Address(),
        Several(of="email"),
        Tags(),
        Ref(),
        STAGES,
    )
    for text in _naughty(real_data):
        for type_ in readers:
            try:
                held = type_.parse("field", text)
            except FieldProblem:
                continue
            assert type_.from_columns(type_.to_columns(held)) == held


def _or_none(type_: FieldType, value: Any) -> Any:
    try:
        return type_.check("field", value)
    except FieldProblem:
        return None


@tries(150)
@given(texts)
def test_clean_text_is_one_line_that_every_store_holds(text: str) -> None:
    held = fields.clean_text(text)
    assert held.encode().decode() == held
    assert "\x00" not in held
    assert len(held.splitlines()) <= 1
    assert fields.clean_text(held) == held


@tries(150)
@given(texts)
def test_clean_notes_keep_their_lines_and_nothing_else_that_controls(text: str) -> None:
    held = fields.clean_text(text, lines=True)
    assert held.encode().decode() == held
    assert not set(held) & {chr(n) for n in range(32) if chr(n) not in "\n\t"}
    assert fields.clean_text(held, lines=True) == held


@pytest.mark.parametrize("letter", ["a", "é", "王", "😀"])
def test_an_edit_of_the_longest_notes_fits_into_one_op(letter: str) -> None:
    room = fields.notes_room(letter * fields.NOTES_MAX)
    longest = Notes().check("notes", letter * room)
    assert len(longest) == room
    assert 2 * len(codec.pack(longest)) < codec.ROW_MAX - 10_000
    with pytest.raises(FieldProblem, match=str(room)):
        Notes().check("notes", letter * (room + 1))


TYPED: list[tuple[FieldType, str, Any]] = [
    (Flag(), " Yes ", True),
    (Flag(), "否", False),
    (Flag(), "-", None),
    (Integer(), "1,250", 1250),
    (Integer(), "1'250", 1250),
    (Integer(), "1 250\u00a0000", 1_250_000),
    (Integer(), "", None),
    (STAGES, " WON ", "won"),
    (Instant(), "2026-11-22T14:30:00.003Z", {"at": 1_795_357_800_003, "zone": "UTC"}),
    (Instant(), "2026-11-22 15:30+01:00", {"at": 1_795_357_800_000, "zone": "UTC"}),
    (Instant(), "1969-12-31T23:59:59.999Z", {"at": -1, "zone": "UTC"}),
    (Instant(), " ", None),
    (Money(), "JPY 1.5", {"minor": 2, "currency": "JPY"}),
    (Tags(), "a; b，c", ["a", "b", "c"]),
    (Address(), "Main St 1", {"street": "Main St 1"}),
]


@pytest.mark.parametrize(("type_", "text", "held"), TYPED, ids=lambda each: repr(each)[:40])
def test_what_a_person_types(type_: FieldType, text: str, held: Any) -> None:
    assert type_.parse("field", text) == held


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (Integer(), "1.5"), (Integer(), "1,25"), (Integer(), "x"), (Integer(), "9" * 5000), (Flag(), "maybe"),
        (Instant(), "0001-01-01"), (Instant(), "9999-12-31T23:59:59.999999-23:59"), (Instant(), "tomorrow"),
        (Instant(), "2026-02-30"), (Money(), "9" * 40), (Money(), "x"), (Ref(), "x"), (STAGES, "x"),
    ],
    ids=lambda each: repr(each)[:40],
)  # fmt: skip
def test_what_a_person_types_in_vain(type_: FieldType, text: str) -> None:
    with pytest.raises(FieldProblem):
        type_.parse("field", text)


@tries(100)
@given(st.integers(-62_000_000_000_000, 140_000_000_000_000))
def test_an_instant_is_exact_to_the_millisecond(at: int) -> None:
    text = (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=at)).isoformat()
    assert Instant().parse("at", text) == {"at": at, "zone": "UTC"}


def test_several_values_typed_at_once() -> None:
    held = Several().parse("phones", "1 ; 2\n3")
    assert [element["value"] for element in held] == ["1", "2", "3"]
    assert len({element["id"] for element in held}) == 3
