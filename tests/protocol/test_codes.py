"""The enrolment code survives paper, and a wrong letter anywhere is noticed."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.protocol import codes
from sync.protocol.codes import EnrolCode
from sync.protocol.errors import KnownError
from tests.protocol.strategies import tries

CODE = EnrolCode("https://sales.example.com:8443", "ab" * 32, bytes(range(16)))
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def _written(body: bytes) -> str:
    """Any body in letters, its check made right."""
    check = hashlib.sha256(body).digest()[:4]
    return "FK1" + base64.b32encode(body + check).decode().rstrip("=")


def test_a_code_is_read_back() -> None:
    assert codes.read(codes.write(CODE)) == CODE


def test_a_code_is_read_however_it_was_spaced() -> None:
    text = codes.write(CODE)
    for other in (text.lower(), text.replace("-", " "), text.replace("-", ""), f"\n {text}\t\n"):
        assert codes.read(other) == CODE


def test_a_code_does_not_show_its_secret() -> None:
    assert CODE.secret.hex() not in repr(CODE)
    assert repr(CODE.secret) not in repr(CODE)


def _places() -> list[int]:
    return [at for at, letter in enumerate(codes.write(CODE)) if at > 3 and letter != "-"]


@pytest.mark.parametrize("at", _places())
def test_a_wrong_letter_is_noticed(at: int) -> None:
    text = codes.write(CODE)
    for letter in LETTERS:
        if letter != text[at]:
            with pytest.raises(KnownError):
                codes.read(text[:at] + letter + text[at + 1 :])


def test_a_lost_letter_is_noticed() -> None:
    text = codes.write(CODE)
    for at in _places():
        with pytest.raises(KnownError):
            codes.read(text[:at] + text[at + 1 :])


def test_two_letters_that_changed_places_are_noticed() -> None:
    letters = codes.write(CODE).replace("-", "")
    for at in range(3, len(letters) - 1):
        if letters[at] != letters[at + 1]:
            with pytest.raises(KnownError):
                codes.read(letters[:at] + letters[at + 1] + letters[at] + letters[at + 2 :])


@pytest.mark.parametrize(
    "text",
    [
        "", "FK1", "FK1-", "FK2-AAAAA", "hello", "FK1-é", "FK1-\u2013", "FK1-11111", "FK1-\ud800", "FK1-" + "A" * 2000,
        codes.write(CODE).replace("-", "\u2013"),
    ],
)  # fmt: skip
def test_what_is_no_code_is_refused_in_words(text: str) -> None:
    with pytest.raises(KnownError) as caught:
        codes.read(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    "url", ["", "http://a.example", "https://", "ftp://a.example", "https://[::1", "//a.example"]
)
def test_a_code_must_name_a_server_reached_safely(url: str) -> None:
    with pytest.raises(KnownError):
        codes.read(_written(CODE.secret + bytes(32) + url.encode()))


@tries(150)
@given(st.binary(max_size=120) | st.text().map(str.encode))
def test_any_letters_are_a_code_or_refused(body: bytes) -> None:
    for text in (_written(body), "FK1" + base64.b32encode(body).decode(), body.decode("latin-1")):
        try:
            found = codes.read(text)
        except KnownError:
            continue
        assert codes.read(codes.write(found)) == found
