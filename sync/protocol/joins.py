"""Words, labels and sentences put together as the reader's language writes them: commas, colons and gaps differ."""

from __future__ import annotations

from collections.abc import Iterable

from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext, pgettext


def listed(words: Iterable[str]) -> str:
    """Words or names in a list: "news, offers"."""
    return pgettext("between the words of a list", ", ").join(words)


def spoken(parts: Iterable[str]) -> str:
    """What is read out in one sentence, without what is empty: "Acme, Technology, waiting"."""
    return pgettext("between the parts of a sentence that is read out", ", ").join(
        part for part in parts if part
    )


def labelled(label: str, value: str) -> str:
    """A label before its value: "Stage: Lead"."""
    return pgettext("a label and its value", "{label}: {value}").format(label=label, value=value)


def remarked(value: str, remark: str) -> str:
    """A value and a word about it: "030 1234 (Work)"."""
    return pgettext("a value and a word about it", "{value} ({remark})").format(value=value, remark=remark)


def sentences(*parts: str) -> str:
    """Sentences one after the other, without what is empty.

    After one that has no full stop a gap stays, and so it does after one in a script that is written with gaps.
    """
    joined = ""
    for part in parts:
        if not joined or not part:
            joined = joined or part
        elif joined[-1].isalnum() or joined[-1].isascii():
            joined = f"{joined} {part}"
        else:
            both = pgettext("two sentences, one after the other", "{first} {second}")
            joined = both.format(first=joined, second=part)
    return joined


def sized(size: int) -> str:
    """How large a file is, in the unit that people know it by: "840 kB"."""
    if size < 1_000:
        return ngettext("{n} byte", "{n} bytes", size).format(n=size)
    thousands = 1 if size < 10**6 else 2 if size < 10**9 else 3
    figure = size / 1_000**thousands
    unit = (_("{n} kB"), _("{n} MB"), _("{n} GB"))[thousands - 1]
    return unit.format(n=f"{figure:.1f}" if figure < 10 else f"{figure:.0f}")
