"""Found letters are marked where they stand, whatever the case and the script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    ],
)
def test_marks(text: str, query: str, marked: list[str]) -> None:
    assert [text[start:end] for start, end in find_marks(text, query)] == marked


@given(st.text(max_size=30), st.text(max_size=8))
def test_marks_are_in_order_apart_and_inside(text: str, query: str) -> None:
    last = -1
    for start, end in find_marks(text, query):
        assert last < start < end <= len(text)
        last = end


@given(st.text(max_size=20), st.text("abcXYZ长风王芳", min_size=1, max_size=5), st.text(max_size=20))
def test_what_holds_the_query_is_marked(before: str, query: str, after: str) -> None:
    assert find_marks(before + query + after, query)
