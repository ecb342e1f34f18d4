"""UI families by language, with the CJK family of that language in the right place, and type by step."""

from __future__ import annotations

import sys
from functools import cache

from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication

from app.ui.theme.tokens import LINE_HEIGHT, REGULAR, SEMIBOLD, Step
from sync.protocol import texts

# Per language: Windows, macOS, everything else.
_CJK: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "zh_CN": (
        ("Microsoft YaHei UI",),
        ("PingFang SC",),
        ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC"),
    ),
    "zh_TW": (
        ("Microsoft JhengHei UI", "Microsoft JhengHei"),
        ("PingFang TC",),
        ("Noto Sans CJK TC", "Noto Sans TC", "Source Han Sans TC"),
    ),
    "ja": (("Yu Gothic UI",), ("Hiragino Sans",), ("Noto Sans CJK JP", "Noto Sans JP", "Source Han Sans")),
    "ko": (
        ("Malgun Gothic",),
        ("Apple SD Gothic Neo",),
        ("Noto Sans CJK KR", "Noto Sans KR", "Source Han Sans K"),
    ),
}

_LATIN: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]] = (
    ("Segoe UI",),
    (".AppleSystemUIFont", "Helvetica Neue"),
    ("Source Sans 3", "Source Sans Pro", "Noto Sans", "Open Sans", "Cantarell", "DejaVu Sans"),
)

# What a Linux session without a desktop answers when asked for its family: no choice of anybody's.
_NO_CHOICE = frozenset({"", "sans", "sans serif", "sans-serif", "dejavu sans", "bitstream vera sans"})


def families(language: str, platform: str = sys.platform, system: str = "") -> tuple[str, ...]:
    """Families in order of preference for a UI language such as `en` or `zh_CN`.

    `system` is the family that the desktop asks for. With a CJK language its family leads, since the first
    CJK family asked for in a process decides the Han shapes of all later lists; otherwise Latin leads and no CJK
    family is named, so that the system chooses Han for names.
    """
    column = {"win32": 0, "darwin": 1}.get(platform, 2)
    chosen = () if system.lower() in _NO_CHOICE else (system,)
    latin = (*chosen, *(name for name in _LATIN[column] if name != system))
    cjk = _CJK.get(_cjk_key(language))
    return latin if cjk is None else (*cjk[column], *latin)


def base(language: str, scale: float = 1.0) -> QFont:
    """The application's font for a UI language; `scale` from 1.0 to 2.0 enlarges all text."""
    system = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    made = QFont()
    made.setFamilies(list(families(language, sys.platform, system.family())))
    made.setPixelSize(round(Step.BODY * min(max(scale, 1.0), 2.0)))
    made.setWeight(QFont.Weight(REGULAR))
    return made


def font(step: Step = Step.BODY, *, semibold: bool = False, figures: bool = False) -> QFont:
    """Type of one step in the application's family and scale; `figures` makes all digits equally wide."""
    application = QGuiApplication.font()
    return QFont(_font(application.key(), step, semibold, figures))


def scale() -> float:
    """How much larger than drawn the text is now, told by the application's font."""
    pixels = QGuiApplication.font().pixelSize()
    return pixels / Step.BODY if pixels > 0 else 1.0


def px(length: float) -> int:
    """A length of the table of measures at the present text scale, in device-independent pixels."""
    return round(length * scale())


def line_height(step: Step) -> int:
    """Height of a line of that step, the same for every script, in device-independent pixels."""
    return round(step * LINE_HEIGHT * scale())


@cache
def _font(key: str, step: Step, semibold: bool, figures: bool) -> QFont:
    made = QFont(QGuiApplication.font())
    made.setPixelSize(px(step))
    made.setWeight(QFont.Weight(SEMIBOLD if semibold else REGULAR))
    if figures:
        made.setFeature(QFont.Tag("tnum"), 1)
    return made


def _cjk_key(language: str) -> str:
    known = texts.canonical(language)
    return known if known in _CJK else known.split("_")[0]
