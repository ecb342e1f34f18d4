"""Every text for people is translated, with the same placeholders, and the language can be chosen."""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from app.settings import SETTINGS
from sync.protocol import texts
from tests.house.tree import ROOT, name, tracked

PLACEHOLDER = re.compile(r"\{[^{}]*\}|%(?:\(\w+\))?[#0 +-]*\d*(?:\.\d+)?[sdifrx]")


def _script() -> Any:
    spec = importlib.util.spec_from_file_location("texts_script", ROOT / "packaging" / "texts.py")
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.extract = functools.cache(module.extract)  # no test changes the tree it reads
    return module


SCRIPT = _script()


def _catalogue(language: str, folder: Path = ROOT / "resources" / "locale") -> Catalog:
    with (folder / language / "LC_MESSAGES" / "fieldkeep.po").open("rb") as stream:
        return read_po(stream, locale=language)


def _forms(message: Message) -> tuple[list[str], list[str]]:
    """The English forms and the translated ones."""
    source = [message.id] if isinstance(message.id, str) else list(message.id)
    target = [message.string] if isinstance(message.string, str) else list(message.string or ())
    return source, target


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    texts.use("en")


@pytest.mark.parametrize("language", SCRIPT.LANGUAGES)
def test_the_catalogue_holds_every_marked_text(language: str) -> None:
    """`make texts` takes up what is missing here."""
    held = {(message.context, message.id) for message in _catalogue(language) if message.id}
    marked = {(message.context, message.id) for message in SCRIPT.extract() if message.id}
    assert marked - held == set()
    assert held - marked == set()


MARKS = ("_", "N_", "gettext", "ngettext", "pgettext", "npgettext", "mark")


def _within_f_strings(source: str) -> list[str]:
    """Marked texts that stand within an f-string, or are one: `make texts` does not see them."""

    def is_marked(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS

    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            inside = (each for each in ast.walk(node) if isinstance(each, ast.Call) and is_marked(each))
            # A label of a table is marked where it stands: only a literal is to be taken up here.
            found += [
                ast.unparse(each) for each in inside if each.args and isinstance(each.args[0], ast.Constant)
            ]
        elif (
            isinstance(node, ast.Call)
            and is_marked(node)
            and any(isinstance(a, ast.JoinedStr) for a in node.args)
        ):
            found.append(ast.unparse(node))
    return found


def test_no_marked_text_stands_within_an_f_string() -> None:
    """It would be translated only as long as the same words are marked elsewhere, too."""
    sources = (
        path for path in tracked() if path.suffix == ".py" and path.parts[len(ROOT.parts)] in ("app", "sync")
    )
    found = {
        name(path): wrong
        for path in sources
        if (wrong := _within_f_strings(path.read_text(encoding="utf-8")))
    }
    assert not found


def test_a_marked_text_within_an_f_string_is_found() -> None:
    assert _within_f_strings("x = f\"{_('Try now')} (F5)\"") == ["_('Try now')"]
    assert _within_f_strings("x = _(f'{n} records')") == ["_(f'{n} records')"]
    assert _within_f_strings("x = f'{_(field.label)}: {ngettext(a, b, n)}'") == []


@pytest.mark.parametrize("language", SCRIPT.LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    open_ones = [
        str(message.id)
        for message in _catalogue(language)
        if message.id and (message.fuzzy or not all(_forms(message)[1]))
    ]
    assert not open_ones, f"{len(open_ones)} without translation, such as {open_ones[:5]}"


@pytest.mark.parametrize("language", SCRIPT.LANGUAGES)
def test_translations_keep_the_placeholders(language: str) -> None:
    """A placeholder that is lost shows a sentence with a hole; one too many ends in an error."""
    wrong = []
    for message in _catalogue(language):
        source, target = _forms(message)
        wanted = sorted(set(PLACEHOLDER.findall(source[-1])))
        wrong += [
            text
            for text in target
            if message.id and text and sorted(set(PLACEHOLDER.findall(text))) != wanted
        ]
    assert not wrong


# The character set of a script before Unicode holds what is written in it, and little of the other one.
@pytest.mark.parametrize(("language", "encoding"), [("zh_CN", "gb2312"), ("zh_TW", "big5")])
def test_chinese_keeps_to_its_script(language: str, encoding: str) -> None:
    foreign = set()
    for message in _catalogue(language):
        han = re.sub(r"[^\u4e00-\u9fff]", "", "".join(_forms(message)[1]) if message.id else "")
        foreign |= {sign for sign in han if not sign.encode(encoding, "ignore")}
    assert foreign == set()


def test_every_language_is_offered() -> None:
    offered = {value for value, _label in SETTINGS["language"].choices}
    assert offered == {"auto", texts.SOURCE, *SCRIPT.LANGUAGES}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("zh_CN.UTF-8", "zh_CN"),
        ("zh-Hans-CN", "zh_CN"),
        ("zh", "zh_CN"),
        ("zh-Hant", "zh_TW"),
        ("zh_TW.UTF-8", "zh_TW"),
        ("zh_HK", "zh_TW"),
        ("zh_MO.Big5@radical", "zh_TW"),
        ("zh-Hant-US", "zh_TW"),
        ("zh-Hans-HK", "zh_CN"),
        ("zh_SG", "zh_CN"),
        ("de_AT@euro", "de_AT"),
        ("C.UTF-8", "en"),
        ("en_GB", "en"),
        ("", "en"),
    ],
)
def test_languages_are_named_one_way(asked: str, expected: str) -> None:
    assert texts.canonical(asked) == expected


def test_a_text_comes_from_its_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a catalogue made here, through our own compiler, so that it holds whatever is translated."""
    source = tmp_path / "zh_CN" / "LC_MESSAGES" / "fieldkeep.po"
    source.parent.mkdir(parents=True)
    source.write_text(
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
        'msgid "Save"\nmsgstr "保存"\n\n'
        'msgid "{n} customer"\nmsgid_plural "{n} customers"\nmsgstr[0] "{n} 位客户"\n\n'
        'msgctxt "verb"\nmsgid "Open"\nmsgstr "打开"\n\n'
        '#, fuzzy\nmsgid "Guessed"\nmsgstr "猜"\n',
        encoding="utf-8",
    )
    assert SCRIPT.compile_all(tmp_path) == [source.with_suffix(".mo")]
    assert SCRIPT.compile_all(tmp_path) == []
    monkeypatch.setattr(texts, "_folder", lambda: tmp_path)
    texts.use("zh-Hans")
    assert texts.language() == "zh_CN"
    assert texts.gettext("Save") == "保存"
    assert texts.ngettext("{n} customer", "{n} customers", 2) == "{n} 位客户"
    assert texts.pgettext("verb", "Open") == "打开"
    assert texts.gettext("Guessed") == "Guessed"
    texts.use("de")
    assert (texts.language(), texts.gettext("Save")) == ("en", "Save")


def test_the_system_is_asked_when_nobody_chose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    SCRIPT.compile_all()
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    texts.use(None)
    assert (texts.language(), texts.gettext("Contacts")) == ("zh_CN", "联系人")
    monkeypatch.setenv("LANG", "zh_HK.UTF-8")
    texts.use(None)
    assert (texts.language(), texts.gettext("Contacts")) == ("zh_TW", "聯絡人")
    monkeypatch.setenv("LANGUAGE", "fr:en:zh_CN")
    texts.use(None)
    assert texts.language() == "en"


@pytest.mark.parametrize("language", SCRIPT.LANGUAGES)
def test_update_loses_no_translation(language: str, tmp_path: Path) -> None:
    target = tmp_path / language / "LC_MESSAGES" / "fieldkeep.po"
    SCRIPT.update(tmp_path)
    text = target.read_text(encoding="utf-8")
    first = re.search(r'^msgid ("(?!").+")\nmsgstr ""$', text, flags=re.MULTILINE)
    assert first is not None
    done = text[: first.start()] + f'msgid {first[1]}\nmsgstr "译"' + text[first.end() :]
    target.write_text(done, encoding="utf-8")
    SCRIPT.update(tmp_path)
    assert target.read_text(encoding="utf-8") == done
