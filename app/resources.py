"""The one door to files that ship with the program: icons, styles, fonts, samples.

Finds `resources/` beside the packages in a source tree and `app/_resources` in an installed wheel (an
editable install does not get the wheel's copied files, so both places are looked at).
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

_PACKAGE = Path(__file__).resolve().parent


def root() -> Path:
    """The folder the names below are in; raises FileNotFoundError when the installation is incomplete."""
    for folder in (_PACKAGE / "_resources", _PACKAGE.parent / "resources"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("the program's resources are missing; install it again")


def path(name: str) -> Path:
    """Where `name` is, such as `icons/search.svg`; raises ValueError for a name that leads outside.

    Whether the file exists is not looked at: reading it says so.
    """
    pure = PurePosixPath(name)
    if not pure.parts or pure.is_absolute() or ".." in pure.parts:
        raise ValueError("a resource is named by a relative path without '..'")
    return root().joinpath(*pure.parts)


def read_bytes(name: str) -> bytes:
    """The bytes of `name`; raises FileNotFoundError when there is no such resource."""
    return path(name).read_bytes()


def read_text(name: str) -> str:
    """The text of `name`, read as UTF-8; raises FileNotFoundError when there is no such resource."""
    return path(name).read_text(encoding="utf-8")
