"""The desktop of a profile as it starts, up to its first painted list: prints what is loaded by then, and ends."""

from __future__ import annotations

import builtins
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import PySide6.QtGui
import PySide6.QtWidgets

from app import compose
from app.keys import beside
from app.paths import Profile
from app.services.early import Early
from app.ui.run import Desktop, make_application


class FirstList(Desktop):
    """Ends with the first painted list."""

    def _after_paint(self, call: Callable[[], None]) -> None:
        self.window.after_paint(self._tell)

    def _tell(self) -> None:
        desk = self.shell.desk
        rows = 0 if desk is None else sum(desk.list.row(at) is not None for at in range(desk.list.count()))
        sys.stdout.write(
            json.dumps(
                {
                    "rows": rows,
                    "modules": sorted(sys.modules),
                    "classes": [*vars(PySide6.QtGui), *vars(PySide6.QtWidgets)],
                    "import": repr(builtins.__import__),
                }
            )
        )
        sys.stdout.flush()
        os._exit(0)  # what is loaded at the end of a program is not asked for


def main() -> int:
    """As `fieldkeep` does, without its arguments."""
    profile = Profile(Path(sys.argv[1]))
    compose.prepare()
    compose.take_profile(profile)
    beside.begin()
    early = Early(profile)
    application = make_application()
    FirstList(profile, application, early).open()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())
