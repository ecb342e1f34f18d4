"""Found letters are marked where they stand, whatever the case and the script; and characters that sound as typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import resources
from app.store import readings
from app.ui.kit.marks import find_marks


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("Betatech", "TECH", ["tech"]),
        ("深圳市博泰电子科技", "博泰 科技", ["博泰", "科技"]),
        ("Straße 5", "strasse", ["Straße"]),
        ("aaaa", "aa", ["aaaa"]),
        ("Acme Corporation", "cme acm", ["Acme"]),
        ("𠮷野家", "野", ["野"]),
        ("Acme", "", []),
        ("Acme", "x", []),
        ("Müller & Söhne", "mueller", ["Müller"]),
        ("Mueller & Soehne", "söhne müll", ["Muell", "Soehne"]),
        ("A\u030angelholm Bär", "aangelh baer", ["A\u030angelh"]),
        ("ООО Москва-Сити", "moskva sit", ["Москва", "Сит"]),
        ("Александр Щукин", "alexand shch", ["Александ", "Щ"]),
        ("Παπαδόπουλος", "papadopou", ["Παπαδόπου"]),
        ("8 (495) 123-45-67", "+7 495", ["8 (495"]),
        ("+7 495 123-45-67", "8 4951", ["7 495 1"]),
        ("+7 495 123-45-67", "7 4951", ["7 495 1"]),
        ("Lot 84 951", "84951", []),
    ],
)
def test_marks(text: str, query: str, marked: list[str]) -> None:
    assert [text[start:end] for start, end in find_marks(text, query)] == marked


@pytest.mark.parametrize(
    ("name", "query", "marked"),
    [
        ("上海恒源医疗", "hengyuan", ["恒源"]),
        ("上海恒源医疗", "shh", ["上海恒"]),
        ("上海恒源医疗", "shang yiliao", ["上", "医疗"]),
        ("ABC上海", "abc shangh", ["ABC上海"]),
        ("重庆 Xi'an 西安", "XI'AN chong", ["重", "Xi'an", "西安"]),
        ("Müller 吕布", "muller lübu", ["Müller", "吕布"]),
        ("Shanghai", "shang", ["Shang"]),
    ],
)
def test_of_a_name_what_was_typed_as_it_sounds_is_marked(name: str, query: str, marked: list[str]) -> None:
    readings.asked("a")  # as search has, before it finds anything by its sound
    assert [name[start:end] for start, end in find_marks(name, query, name=True)] == marked
    assert not [mark for mark in find_marks(name, query) if "\u4e00" <= name[mark[0]] <= "\u9fff"]


def test_nothing_is_read_from_a_disk_to_paint_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "_read", None)
    monkeypatch.setattr(resources, "read_text", lambda _name: pytest.fail("a file was read"))
    assert find_marks("上海 Shanghai", "shang", name=True) == ((3, 8),)


@given(st.text(max_size=30), st.text(max_size=8))
def test_marks_are_in_order_apart_and_inside(text: str, query: str) -> None:
    last = -1
    for start, end in find_marks(text, query):
        assert last < start < end <= len(text)
        last = end


@given(st.text(max_size=20), st.text("abcXYZ长风王芳", min_size=1, max_size=5), st.text(max_size=20))
def test_what_holds_the_query_is_marked(before: str, query: str, after: str) -> None:
    assert find_marks(before + query + after, query)
