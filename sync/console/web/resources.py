"""The console's own door to its pages and what they load: `resources/console` in a tree, packed beside it in a wheel.

The server side never looks at app, so it does not go through the desktop's door.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Part:
    """A file that pages load."""

    data: bytes
    media: str
    tag: str  # names its content, for a browser that has it already


def root() -> Path:
    """The folder of pages and parts. Raises FileNotFoundError when the installation is incomplete."""
    for folder in (_PACKAGE / "_resources", _PACKAGE.parents[2] / "resources" / "console"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("the console's pages are missing; install it again")


def parts() -> dict[str, Part]:
    """All that pages load, by name."""
    found = {}
    for path in sorted((root() / "static").iterdir()):
        if path.suffix in _TYPES:
            data = path.read_bytes()
            tag = f'"{hashlib.sha256(data).hexdigest()[:20]}"'
            found[path.name] = Part(data, _TYPES[path.suffix], tag)
    return found
