"""Texts for people: English in the source, other languages from the message catalogues.

Every room marks its texts with `from sync.protocol.texts import gettext as _`. The language is chosen once at
the start with `use`; until then, and wherever a text is missing, the English source is shown.
"""

from __future__ import annotations

import contextlib
import functools
import gettext as _catalogues
import os
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

DOMAIN = "fieldkeep"
SOURCE = "en"
LANGUAGES = (SOURCE, "zh_CN", "zh_TW")  # that we have a catalogue of
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_PACKAGE = Path(__file__).resolve().parent.parent

# Chinese is written in two scripts; a locale may name the script or only the place.
_TRADITIONAL = ("hant", "tw", "hk", "mo")

Speech = tuple[str, _catalogues.NullTranslations]

_chosen: Speech = (SOURCE, _catalogues.NullTranslations())
_here: ContextVar[Speech | None] = ContextVar("language", default=None)  # of one request, not of the program


def gettext(text: str) -> str:
    """`text` in the language in use."""
    return (_here.get() or _chosen)[1].gettext(text)


def ngettext(one: str, many: str, n: int) -> str:
    """`one` or `many`, as the language in use counts `n`."""
    return (_here.get() or _chosen)[1].ngettext(one, many, n)


def pgettext(context: str, text: str) -> str:
    """`text` where the same English word needs two translations; `context` says which."""
    return (_here.get() or _chosen)[1].pgettext(context, text)


def mark(text: str) -> str:
    """`text` as it is: marks a table's English label for the catalogues; who shows it calls `gettext`."""
    return text


def language() -> str:
    """The language in use, as its catalogue is named: `en`, `zh_CN`."""
    return (_here.get() or _chosen)[0]


@contextlib.contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak this language within the block, whatever the program speaks: who asks a server need not be its operator."""
    before = _here.set(_speech(canonical(language)))
    try:
        yield
    finally:
        _here.reset(before)


@functools.lru_cache(16)
def _speech(name: str) -> Speech:
    if name != SOURCE:
        with contextlib.suppress(OSError):  # no catalogue for it
            return name, _catalogues.translation(DOMAIN, _folder(), [name])
    return SOURCE, _catalogues.NullTranslations()


def use(language: str | None) -> None:
    """Choose the language: a name such as `zh_CN` or `zh-Hans-CN`, or None for what the system asks for.

    The first wanted language that we have wins; English where we have none of them.
    """
    global _chosen
    wanted = [language] if language is not None else list(_asked_for())
    for name in (canonical(each) for each in wanted):
        if name == SOURCE:
            break
        try:
            found = _catalogues.translation(DOMAIN, _folder(), [name])
        except OSError:  # no catalogue for this language: try the next one
            continue
        _chosen = (name, found)
        return
    _chosen = (SOURCE, _catalogues.NullTranslations())


def canonical(name: str) -> str:
    """A system's name of a language as our catalogues are named: `zh-Hans`, `zh_CN.UTF-8` give `zh_CN`."""
    parts = name.split(".")[0].split("@")[0].replace("-", "_").split("_")
    first = parts[0].lower()
    if first in ("", "c", "posix", SOURCE):
        return SOURCE
    rest = [part.lower() for part in parts[1:]]
    if first == "zh":
        return "zh_TW" if any(part in _TRADITIONAL for part in rest) and "hans" not in rest else "zh_CN"
    return "_".join([first, *(part.upper() for part in rest)])


def _asked_for() -> Iterator[str]:
    """What the environment asks for, in its order; LANGUAGE may name several."""
    for variable in _VARIABLES:
        value = os.environ.get(variable, "")
        if value:
            yield from (each for each in value.split(":") if each)
            return


def _folder() -> Path:
    """Where the catalogues are: `sync/_locale` in an installed wheel, else `resources/locale` of the tree."""
    packed = _PACKAGE / "_locale"
    return packed if packed.is_dir() else _PACKAGE.parent / "resources" / "locale"
