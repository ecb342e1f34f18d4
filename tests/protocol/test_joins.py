"""Words, labels and sentences are put together as the reader's language writes them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync.protocol import texts
from sync.protocol.joins import labelled, listed, remarked, sentences, spoken


@pytest.fixture
def chinese() -> Iterator[None]:
    """Chinese, and English again afterwards."""
    texts.use("zh_TW")
    yield
    texts.use("en")


def test_joins_in_english() -> None:
    assert listed(["news", "offers"]) == "news, offers"
    assert spoken(("Acme", "", "waiting")) == "Acme, waiting"
    assert labelled("Stage", "Lead") == "Stage: Lead"
    assert remarked("030 1234", "Work") == "030 1234 (Work)"
    assert sentences("It is locked.", "", "Ask IT.") == "It is locked. Ask IT."
    assert sentences() == sentences("") == ""


@pytest.mark.usefixtures("chinese")
def test_joins_in_chinese_have_no_narrow_signs_and_no_gaps() -> None:
    assert listed(["消息", "優惠"]) == "消息、優惠"
    assert spoken(("長風", "", "待送出")) == "長風，待送出"
    assert labelled("階段", "名單") == "階段：名單"
    assert remarked("030 1234", "工作") == "030 1234（工作）"
    assert sentences("已鎖定。", "請洽 IT 部門。") == "已鎖定。請洽 IT 部門。"
    assert sentences("已鎖定", "請洽 IT 部門。") == "已鎖定 請洽 IT 部門。"
    assert (
        sentences("It is locked.", "請洽 IT 部門。") == "It is locked. 請洽 IT 部門。"
    )  # heard in another language
