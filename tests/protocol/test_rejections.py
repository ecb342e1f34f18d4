"""Why a change was not taken is told in the reader's language, whatever language it was heard in."""

from __future__ import annotations

import pytest

from sync.protocol import rejections, texts
from sync.protocol.texts import gettext, speaking


@pytest.mark.parametrize("known", rejections.KNOWN)
@pytest.mark.parametrize("heard_in", ["en", "zh_CN", "zh_TW"])
@pytest.mark.parametrize("read_in", ["en", "zh_CN", "zh_TW"])
def test_a_sentence_of_ours_is_told_in_the_language_in_use(known: str, heard_in: str, read_in: str) -> None:
    with speaking(heard_in):
        heard = gettext(known)
    with speaking(read_in):
        assert rejections.told(heard) == gettext(known)
        assert texts.language() == read_in


def test_what_is_no_sentence_of_ours_stays_as_it_came() -> None:
    with speaking("zh_CN"):
        assert rejections.told("Ask your manager.") == "Ask your manager."
        assert rejections.told("") == ""
