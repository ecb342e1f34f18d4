"""The tree as the house tests see it: tracked files and parsed modules."""

from __future__ import annotations

import ast
import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CODE = ("app", "sync")
OURS = (*CODE, "packaging", "tests")


@functools.cache
def tracked() -> tuple[Path, ...]:
    """Every file git tracks or would track (new and not ignored), that is there."""
    # The session's home hides the person's git settings, and CI may run as another user than the tree's owner.
    trusted = ["-c", f"safe.directory={ROOT}"]
    asked = ["git", *trusted, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True).stdout
    return tuple(
        path for name in sorted(listed.decode().split("\0")) if name and (path := ROOT / name).is_file()
    )


def modules(*rooms: str) -> list[Path]:
    """The Python files below `rooms`, all of ours when none is named."""
    wanted = rooms or OURS
    return [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in wanted]


def name(path: Path) -> str:
    """A file as a reader names it: from the root of the tree, with slashes."""
    return path.relative_to(ROOT).as_posix()


def dotted(path: Path) -> str:
    """A module as an import names it."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=name(path))


def imports(path: Path) -> set[str]:
    """The modules that `path` imports by absolute name, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
    return found
