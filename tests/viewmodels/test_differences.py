"""What is marked where two values stand side by side."""

from __future__ import annotations

import pytest

from app.viewmodels.differences import spans


def _marked(text: str, other: str) -> list[str]:
    return [text[begin : begin + length] for begin, length in spans(text, other)]


@pytest.mark.parametrize(
    ("text", "other", "marked"),
    [
        ("12 Long Street, Berlin", "14 Long Street, Berlin", ["12"]),
        ("Rang on Monday. Wants tea.", "Rang on Monday.", ["Wants tea."]),
        ("Lead", "Customer", []),  # nothing in common: the whole of both differs, and nothing needs a mark
        ("same", "same", []),
        ("", "Tea", []),
        ("𝒜 12 Long Street", "𝒜 14 Long Street", ["12"]),
        ("x " * 3_000, "x", []),
    ],
)
def test_words_that_the_other_does_not_have_are_marked(text: str, other: str, marked: list[str]) -> None:
    assert _marked(text, other) == marked
