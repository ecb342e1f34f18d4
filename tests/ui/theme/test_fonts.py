"""The family of the UI language leads where it is Chinese, Japanese or Korean, and Latin leads elsewhere."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QApplication

from app.ui.theme import fonts
from app.ui.theme.style import Theme
from app.ui.theme.tokens import Step


@pytest.mark.parametrize(
    ("language", "platform", "leads"),
    [
        ("zh_CN", "win32", "Microsoft YaHei UI"),
        ("zh_CN", "darwin", "PingFang SC"),
        ("zh_CN", "linux", "Noto Sans CJK SC"),
        ("zh_TW", "win32", "Microsoft JhengHei UI"),
        ("zh-Hant-TW", "linux", "Noto Sans CJK TC"),
        ("zh-Hans-HK", "linux", "Noto Sans CJK SC"),
        ("zh_HK.UTF-8", "darwin", "PingFang TC"),
        ("ja_JP", "win32", "Yu Gothic UI"),
        ("ko", "linux", "Noto Sans CJK KR"),
    ],
)
def test_cjk_languages_lead_with_their_own_family(language: str, platform: str, leads: str) -> None:
    assert fonts.families(language, platform, "Cantarell")[0] == leads


@pytest.mark.parametrize(
    ("language", "script", "monday"),
    [
        ("zh_CN", QLocale.Script.SimplifiedHanScript, "周一"),
        ("zh_TW", QLocale.Script.TraditionalHanScript, "週一"),
    ],
)
def test_qt_knows_our_name_of_a_language(language: str, script: QLocale.Script, monday: str) -> None:
    locale = QLocale(language)
    assert (locale.name(), locale.script()) == (language, script)
    assert locale.dayName(1, QLocale.FormatType.ShortFormat) == monday


@pytest.mark.parametrize("platform", ["win32", "darwin", "linux"])
def test_latin_languages_name_no_cjk_family(platform: str) -> None:
    named = fonts.families("en", platform)
    assert named
    assert not any(part in family for family in named for part in ("CJK", "PingFang", "YaHei", "Gothic"))


def test_family_that_the_desktop_chose_leads_and_a_generic_name_does_not() -> None:
    assert fonts.families("en", "linux", "Cantarell")[0] == "Cantarell"
    assert fonts.families("en", "linux", "Sans Serif")[0] != "Sans Serif"


def test_steps_follow_the_scale(qapp: QApplication) -> None:
    for scale in (2.0, 1.0):
        Theme(qapp, "en", scale).deleteLater()
        for step in Step:
            assert fonts.font(step).pixelSize() == round(step * scale)
            assert fonts.line_height(step) >= 1.4 * step * scale
        assert fonts.px(32) == round(32 * scale)


def test_figures_are_equally_wide(qapp: QApplication) -> None:
    metrics = QFontMetricsF(fonts.font(figures=True))
    assert metrics.horizontalAdvance("1" * 20) == pytest.approx(metrics.horizontalAdvance("8" * 20))
