"""Texts are folded and cut alike, whether in pieces that are kept in mind or as a whole."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.store import words

KEPT = words.Known()  # as a store keeps it, from text to text


@settings(max_examples=500, deadline=None)
@given(
    text=st.text(
        st.characters()
        | st.sampled_from("aZ é\u0301\u0308\u3099ﾞﾊ가ᄀ\u1161İΣςßﬁǅ王公司か_9٣ि.-´\u00a0\u3000\x1c"),
        max_size=16,
    )
)
def test_a_text_is_folded_and_cut_alike_in_pieces_and_as_a_whole(text: str) -> None:
    assert words.fold(text) == words._fold_any(text)
    for cut, kept in ((words._cut_words, KEPT.pieces), (words._cut_notes, KEPT.notes)):
        whole = set(cut(text).split())
        for _again in range(2):
            assert set(words._tokens(text, kept, cut).split()) == whole
