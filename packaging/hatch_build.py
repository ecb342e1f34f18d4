"""The wheel's build hook: compiled catalogues and resources go in beside the code.

Catalogues go to `sync/_locale`, where both programs look, the console's pages beside its code, and every other
resource to `app/_resources`.
Sources of catalogues, unfinished files and dot files stay out.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))
import texts

_LEFT_OUT = {".po", ".pot", ".part", ".pyc"}


class ResourcesHook(BuildHookInterface[Any]):
    """Adds what is no Python to a wheel; an editable install reads the tree and gets nothing."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it packs; raises OSError when a catalogue cannot be written."""
        if self.target_name != "wheel" or version == "editable":
            return
        texts.compile_all()
        resources = Path(self.root) / "resources"
        into = build_data["force_include"]
        for path in sorted(resources.rglob("*")):
            inside = path.relative_to(resources)
            if not path.is_file() or path.suffix in _LEFT_OUT or any(p.startswith(".") for p in inside.parts):
                continue
            if inside.parts[0] == "locale":
                place = Path("sync", "_locale", *inside.parts[1:])
            elif inside.parts[0] == "console":
                place = Path("sync", "console", "web", "_resources", *inside.parts[1:])
            else:
                place = Path("app", "_resources", inside)
            into[str(path)] = str(place)
