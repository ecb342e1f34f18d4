"""What is printed moves no cursor and shows no text as another; what scripts of the world need stays."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.protocol import harmless

INVISIBLE = ("Cc", "Cf", "Zl", "Zp", "Cs")
KEPT = "\n\t\u200c\u200d"
ANY = st.text(st.characters(codec=None, exclude_categories=()))


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("\x1b[2J\x1b]0;owned\x07Anna", "[2J]0;ownedAnna"),
        ("\x9b31mred\x7f", "31mred"),
        ("exe\u202egpj", "exegpj"),
        ("a\u2066b\u2069c\u200ed\u061ce", "abcde"),
        ("An\u200bna\ufeff\u00ad\u2060", "Anna"),
        ("one\u2028two\u2029three\x85four\r\nfive\rsix\x0bseven", "one\ntwo\nthree\nfour\nfive\nsix\nseven"),
        ("tab\tstays", "tab\tstays"),
        ("\u200dAn\u200cna", "Anna"),
        ("\u0645\u06cc\u200c\u062e\u0648", "\u0645\u06cc\u200c\u062e\u0648"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
        ("\u0600\u0661", "\u0600\u0661"),
        ("\ud800", "\ufffd"),
        ("上海 Müller – naïve", "上海 Müller – naïve"),
    ],
    ids=ascii,
)  # fmt: skip
def test_what_is_left_out_and_what_stays(given_: str, shown: str) -> None:
    assert harmless.lines(given_) == shown


def test_a_name_stays_on_its_line() -> None:
    assert harmless.line("one\n\ttwo\u2028three") == "one two three"


@given(ANY)
def test_nothing_is_obeyed_whatever_comes(text: str) -> None:
    shown = harmless.lines(text)
    assert all(c in KEPT or unicodedata.category(c) not in ("Cc", "Zl", "Zp", "Cs") for c in shown)
    assert harmless.lines(shown) == shown
    assert not set(shown) & set(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u200b\ufeff"
    )
    assert "\n" not in harmless.line(text)
    shown.encode()


@given(ANY)
def test_json_says_the_same_and_holds_nothing_invisible(text: str) -> None:
    document = harmless.escaped(json.dumps({"name": text}, ensure_ascii=False))
    assert json.loads(document) == {"name": text}
    assert all(unicodedata.category(c) not in INVISIBLE for c in document if c >= "\x7f")
    document.encode()


def test_every_invisible_character_there_is_is_escaped_in_json() -> None:
    unseen = [c for c in map(chr, range(0x7F, 0x110000)) if unicodedata.category(c) in INVISIBLE]
    assert len(unseen) > 2_000
    assert harmless.escaped("".join(unseen)).isascii()
