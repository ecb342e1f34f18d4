"""The pages say what is so: links and names resolve, commands exist, and requirements are as their source says."""

from __future__ import annotations

import argparse
import ast
import functools
import importlib.util
import re
import sys
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from app.cli import arguments
from sync.compose import admin, server
from tests.house.tree import ROOT, name, parsed, tracked

PAGES = tuple(path for path in tracked() if path.suffix == ".md")
README = ROOT / "README.md"

VERB = re.compile(
    r"[a-z-]+(?: (?:add|list|move|grant|revoke|invite|show|try|publish|sign|leave|(?:admin|key)-(?:add|drop)|roll|rule"
    r"|new|split|join|proof|verify)(?= |$))?"
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CODE_SPAN = re.compile(r"`([^`\n]+)`")
# What a page names in this way is a place in the tree, with a function, class or method of it behind the colons.
PLACE = re.compile(r"(?:app|sync|tests|packaging|docs|resources)(?:/[\w.-]+)+/?(?:::[\w.]+)?")


def _script() -> Any:
    spec = importlib.util.spec_from_file_location(
        "requirements_script", ROOT / "packaging" / "requirements.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


SCRIPT = _script()


# -- links and names


@functools.cache
def _prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#{1,6} (.+)$", _prose(page), re.MULTILINE)
    return {
        "".join(c for c in text.lower() if c in " -_" or unicodedata.category(c)[0] in "LN").replace(" ", "-")
        for text in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    """A broken link costs whoever follows it more than the missing word would have."""
    broken = []
    for link in LINK.findall(_prose(page)):
        if link.startswith(("https://", "mailto:")):
            continue
        place, _sign, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        inside = target.is_relative_to(ROOT) and target.exists()
        if not inside or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert not broken


def _names(path: Path) -> set[str]:
    """Functions and classes of a module, and methods as Class.method."""
    found: set[str] = set()
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    for node in parsed(path).body:
        if isinstance(node, functions | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{each.name}" for each in node.body if isinstance(each, functions)}
    return found


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_places_named_in_pages_are_there(page: Path) -> None:
    """A page that names what was moved leads its reader astray for years."""
    lost = []
    for span in CODE_SPAN.findall(_prose(page)):
        if not PLACE.fullmatch(span):
            continue
        place, _sign, inside = span.partition("::")
        path = ROOT / place
        if not path.exists() or (inside and inside not in _names(path)):
            lost.append(span)
    assert not lost


def test_every_page_of_docs_is_listed() -> None:
    """What no list names, nobody reads."""
    for folder in (ROOT / "docs", ROOT / "docs" / "decisions"):
        index = folder / "README.md"
        listed = {(folder / link.partition("#")[0]).resolve() for link in LINK.findall(_prose(index))}
        there = {page for page in PAGES if page.parent == folder and page != index}
        assert not {name(page) for page in there - listed}


CASES = {"cases-sync.md": 75, "cases-security.md": 96}


@pytest.mark.parametrize("page", sorted(CASES))
def test_cases_are_counted_as_their_rows_say(page: str) -> None:
    """A case without a row counts as open, and is named."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    row = re.compile(r"^\| (\d+)(?:–(\d+))? \|[^|\n]*\| (held|part|open)\b[^|\n]*\| (.*) \|$", re.MULTILINE)
    found = [
        (number, state, shown)
        for first, last, state, shown in row.findall(text)
        for number in range(int(first), int(last or first) + 1)
    ]
    numbers, states = [each[0] for each in found], [each[1] for each in found]
    assert numbers == sorted(set(numbers))
    assert all("::test_" in shown for _number, state, shown in found if state != "open")
    missing = sorted(set(range(1, CASES[page] + 1)) - set(numbers))
    held, part = states.count("held"), states.count("part")
    said = f"Of {CASES[page]} cases {held} are held, {part} in part, {CASES[page] - held - part} open."
    if missing:
        names = ", ".join(map(str, missing[:-1])) + " and " * (len(missing) > 1) + str(missing[-1])
        said += f" The open ones have no row yet: {names}."
    assert said in text


# -- commands


def _commands(language: str) -> str:
    return "\n".join(
        body for kind, body in FENCE.findall(README.read_text(encoding="utf-8")) if kind == language
    )


def test_make_has_the_verbs_that_pages_name() -> None:
    targets = {
        verb
        for line in re.findall(
            r"^([a-z][a-z -]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
        )
        for verb in line.split()
    }
    named = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        code = [
            *CODE_SPAN.findall(text),
            *(line for _kind, body in FENCE.findall(text) for line in body.splitlines()),
        ]
        named |= {found[1] for line in code if (found := re.match(r"\s*make ([a-z-]+)", line))}
    assert {"demo", "test", "run"} <= named
    assert named <= targets


def test_programs_are_those_that_the_project_installs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = set(re.findall(r"^fieldkeep[a-z-]*", _commands("text"), re.MULTILINE))
    assert named == set(project["scripts"])
    assert project["readme"] == "README.md"


Synopsis = dict[str, dict[str, bool]]  # verb -> option -> whether it must be given

NOT_LISTED = {"-h", "--help", "--json", "--version"}


def _options(parser: argparse.ArgumentParser) -> dict[str, bool]:
    one_of = [each._group_actions for each in parser._mutually_exclusive_groups if each.required]
    return {
        option: action.required
        or any(action in group and all(each.option_strings for each in group) for group in one_of)
        for action in parser._actions
        for option in action.option_strings
        if option not in NOT_LISTED
    }


def _accepted(parser: argparse.ArgumentParser, verb: str = "") -> Synopsis:
    """The verbs a parser accepts, those below verbs too, each with its own options."""
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not inner:
        return {verb: _options(parser)}
    found: Synopsis = {}
    for word, below in inner[0].choices.items():
        found |= _accepted(below, f"{verb} {word}".strip())
    return found


def _written(program: str) -> Synopsis:
    """The verbs that README lists for a program; options of the program itself stand before the verb."""
    found: Synopsis = {}
    for line in _commands("text").splitlines():
        words = line.partition("#")[0]
        if not words.startswith(f"{program} "):
            continue
        words = words.removeprefix(program)
        while before := re.match(r"\s*\[?--\w+ [A-Z]+\]?(?=\s|$)", words):
            words = words[before.end() :]
        for verb in filter(None, (part.strip() for part in words.split(" | "))):
            matched = VERB.match(verb)
            assert matched is not None, verb
            named = " ".join(matched[0].split())
            assert named not in found, f"{named} stands twice"
            found[named] = {option: not bracket for bracket, option in re.findall(r"(\[?)(--[a-z-]+)", verb)}
    return found


@pytest.mark.parametrize(
    ("program", "parser"),
    [
        ("fieldkeep", arguments.parser()),
        ("fieldkeep-admin", admin._parser()),
        ("fieldkeep-server", server._parser()),
    ],
    ids=["fieldkeep", "fieldkeep-admin", "fieldkeep-server"],
)
def test_the_command_line_in_readme_is_the_one_that_is_accepted(
    program: str, parser: argparse.ArgumentParser
) -> None:
    """Scripts stand on this list: neither side changes without the other."""
    assert _written(program) == _accepted(parser)


# -- requirements

HERE = "tests/house/test_docs.py"


def test_the_source_of_the_requirements_holds() -> None:
    """Every id stands once and in its place, and every test that is named exists."""
    assert len(SCRIPT.ids()) == 192
    assert SCRIPT.problems(SCRIPT.read()) == []


def test_the_page_of_requirements_is_what_its_source_says() -> None:
    assert SCRIPT.PAGE.read_text(encoding="utf-8") == SCRIPT.page(SCRIPT.read()), "run: make docs"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"state": "done"}, "no such state"),
        ({"state": "met", "where": "somewhere"}, "tests is needed"),
        ({"state": "met", "where": "x", "tests": (f"{HERE}::test_nowhere",)}, "there is no test"),
        ({"state": "met", "where": "x", "tests": ("tests/house/tree.py::tracked",)}, "there is no test"),
        ({"state": "partly", "where": "x", "tests": (f"{HERE}::test_links_lead_somewhere",)}, "missing"),
        ({"where": "somewhere"}, "where is for what is met alone"),
    ],
)  # fmt: skip
def test_a_claim_that_nothing_shows_is_found(change: dict[str, Any], problem: str) -> None:
    points = SCRIPT.read()
    id_ = "LAW-4"
    points[id_] = SCRIPT.Point(id_, points[id_].text, **change)
    assert any(found.startswith(f"{id_}: ") and problem in found for found in SCRIPT.problems(points))


def test_an_id_that_is_missing_is_found() -> None:
    points = SCRIPT.read()
    del points["QUA-9"]
    assert any("QUA-9" in found for found in SCRIPT.problems(points))


def test_an_id_that_stands_twice_is_found(tmp_path: Path) -> None:
    source = tmp_path / "requirements.toml"
    source.write_text('[LAW-1]\ntext = "one"\n\n[LAW-1]\ntext = "two"\n')
    with pytest.raises(tomllib.TOMLDecodeError):
        SCRIPT.read(source)
