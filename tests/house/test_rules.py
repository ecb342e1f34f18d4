"""The house rules that no linter knows. Each says why it stands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import CODE, ROOT, modules, name, parsed, tracked

# Rooms that speak to a terminal; everything else has the log, and a window has no terminal to print on.
SPEAKING = ("app/cli/", "app/__main__.py", "sync/compose/", "sync/console/")
SQL_ROOMS = ("app/store/", "sync/server/db/")
BINARY = {".png", ".svg", ".ico", ".ttf", ".otf", ".woff2", ".gz", ".zst", ".bin"}

# A statement, not the English word: verb and its object in capitals as our SQL is written.
SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM"
    r"|(CREATE|DROP|ALTER)\s+(VIRTUAL\s+)?(TABLE|INDEX|TRIGGER|VIEW)|PRAGMA\s+\w+)\b",
    re.DOTALL,
)

# Calls that put a text before a person's eyes, or in the ears of one who cannot see.
SHOWING = {
    "setText", "setToolTip", "setAccessibleName", "setAccessibleDescription", "setPlaceholderText",
    "setWindowTitle", "setStatusTip", "setWhatsThis", "setTitle", "setInformativeText", "setLabelText",
    "QLabel", "QPushButton", "QToolButton", "QCheckBox", "QRadioButton", "QGroupBox", "QAction", "addAction",
    "addTab", "addMenu", "drawText",
}  # fmt: skip
MARKING = {"_", "gettext", "ngettext", "pgettext", "N_", "mark"}


def _strings(path: Path) -> Iterator[tuple[int, str]]:
    """The strings of a module that are no docstrings, with their lines; f-strings without their fields."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(parsed(path))
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            kept = (part.value for part in node.values if isinstance(part, ast.Constant))
            yield node.lineno, "x".join(str(part) for part in kept)


def _called(node: ast.Call) -> str:
    """The last word of what is called."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(parsed(path)) if isinstance(node, ast.Call))


def test_every_module_says_what_it_is_for() -> None:
    """The first sentence of a file is how a reader finds the room."""
    silent = [name(path) for path in modules() if not ast.get_docstring(parsed(path))]
    assert not silent


def test_modules_are_named_by_what_they_hold() -> None:
    """A room of this name collects whatever nobody placed."""
    vague = re.compile(r"^(utils?|managers?|helpers?|handlers?|misc|common)$")
    assert not [name(path) for path in modules() if vague.match(path.stem) or vague.match(path.parent.name)]


def test_only_speaking_rooms_print() -> None:
    """What is printed elsewhere reaches nobody, or a log that nobody cleans of personal data."""
    printing = [
        f"{name(path)}:{call.lineno}"
        for path in modules(*CODE)
        if not name(path).startswith(SPEAKING)
        for call in _calls(path)
        if isinstance(call.func, ast.Name) and call.func.id == "print"
    ]
    assert not printing


def test_nothing_secret_is_drawn_from_random() -> None:
    """The module's numbers can be foretold from a few; keys and ids come from secrets and os.urandom."""
    allowed = {
        "packaging/sample.py",  # the sample must be the same on every machine
        "sync/client/engine.py",  # jitter keeps devices apart; who foretells it gains nothing
        "sync/client/listener.py",  # likewise
    }
    drawing = [
        name(path)
        for path in modules("app", "sync", "packaging")
        if name(path) not in allowed
        for node in ast.walk(parsed(path))
        if (isinstance(node, ast.Import) and any(alias.name == "random" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == "random")
    ]  # fmt: skip
    assert not drawing


def test_a_broad_except_says_why() -> None:
    """Who catches everything hides what nobody thought of: raise it again, or say beside it why not."""
    reason = re.compile(r"#(?! noqa: [A-Z0-9, ]+$).*\w{4}")
    unexplained = []
    for path in modules():
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(parsed(path)):
            if (
                isinstance(node, ast.ExceptHandler)
                and _is_broad(node)
                and not isinstance(node.body[-1], ast.Raise)
            ):
                beside = lines[node.lineno - 1], lines[node.lineno].strip()
                if not reason.search(beside[0]) and not reason.match(beside[1]):
                    unexplained.append(f"{name(path)}:{node.lineno}")
    assert not unexplained


def _is_broad(handler: ast.ExceptHandler) -> bool:
    """Whether it catches what no one named."""
    caught = handler.type
    each = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"})
        for kind in each
    )


def test_sql_stays_in_its_rooms() -> None:
    """One room per store knows its columns, so that a column can change."""
    strays = [
        f"{name(path)}:{line}"
        for path in modules(*CODE)
        if not name(path).startswith(SQL_ROOMS)
        for line, text in _strings(path)
        if SQL.search(text)
    ]
    assert not strays


def test_no_key_passes_through_a_statement() -> None:
    """A key in a statement stays in SQLite's caches, in traces and in error texts: set_key takes bytes."""
    keyed = re.compile(r"PRAGMA\s+(?:\w+\.)?(?:hex)?(?:re)?key\b", re.IGNORECASE)
    strays = [
        f"{name(path)}:{line}"
        for path in modules(*CODE)
        for line, text in _strings(path)
        if keyed.search(text)
    ]
    assert not strays


def test_texts_on_the_screen_are_marked() -> None:
    """A literal given to a widget is a text that no translator ever sees."""
    unmarked = [
        f"{name(path)}:{call.lineno} {_called(call)}({text!r})"
        for path in modules("app")
        if name(path).startswith("app/ui/")
        for call in _calls(path)
        if _called(call) in SHOWING
        for text in _literals(call)
        if re.search(r"[^\W\d_]{2}", text)
    ]
    assert not unmarked, "\n".join(unmarked)


def _literals(call: ast.Call) -> Iterator[str]:
    """Strings among a call's own arguments, f-strings too."""
    for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield argument.value
        elif isinstance(argument, ast.JoinedStr):
            yield "".join(str(part.value) for part in argument.values if isinstance(part, ast.Constant))


def test_only_literal_texts_are_marked() -> None:
    """The catalogue is made by reading the sources: what is put together in the call is never found."""
    put_together = [
        f"{name(path)}:{call.lineno}"
        for path in modules(*CODE)
        if name(path) != "sync/protocol/texts.py"
        for call in _calls(path)
        if isinstance(call.func, ast.Name) and call.func.id in MARKING and call.args
        if isinstance(call.args[0], ast.JoinedStr | ast.BinOp | ast.Call)
    ]
    assert not put_together


def test_waiting_is_for_an_event() -> None:
    """A sleep is too short on a busy machine and too long on a fast one; poll a condition with a deadline."""
    sleeping = [
        f"{name(path)}:{call.lineno}"
        for path in modules("tests")
        for call in _calls(path)
        if _called(call) == "sleep"
    ]
    assert not sleeping


def test_packaging_is_no_package() -> None:
    """A package of this name at the root would hide the `packaging` that pip, pytest and build import."""
    assert not (ROOT / "packaging" / "__init__.py").exists()


FOREIGN = {
    "a folder of one machine": re.compile(r"(?<![\w.~-])/(?:work|root|home/[a-z]\w*|Users/\w+)/\w"),
    "a folder beside the repository": re.compile(r"\.\./(?:\.\./)*shared/(?!data\b)"),
    "a package index": re.compile(
        r"index-url\b(?!\W*[,\]])|find-links\s*=|trusted-host|pythonhosted|pypi\.org|file:///\w"
    ),
}


@pytest.mark.parametrize("what", sorted(FOREIGN))
def test_the_repository_speaks_of_itself_alone(what: str) -> None:
    """A clone must read and build the same anywhere."""
    pattern = FOREIGN[what]
    strays = [
        f"{name(path)}:{number}: {found[0]}"
        for path in tracked()
        if path.suffix not in BINARY and path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if (found := pattern.search(line))
    ]
    assert not strays, "\n".join(strays)
