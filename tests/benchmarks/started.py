"""The desktop as `fieldkeep` starts it, which prints when its first list was painted, and ends.

Whoever starts it takes the time before. Nothing is imported ahead of the program's own imports: the watch is laid
into `app.ui.run` in the moment in which the program itself loads it.
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
import time
from types import ModuleType
from typing import Any

_WATCHED = "app.ui.run"


class _Finder:
    """Finds the one module that is watched as everything else finds it, and lays the watch into it."""

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> Any:
        """The module's own spec, with our word after its loading."""
        if fullname != _WATCHED:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        assert spec is not None and spec.loader is not None
        load = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            _watch(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _watch(module: ModuleType) -> None:
    begin = module.Desktop.open

    def open_watched(desktop: Any) -> None:
        begin(desktop)
        from PySide6.QtCore import QEvent, QObject, QTimer

        class First(QObject):
            def eventFilter(self, watched: QObject, event: QEvent) -> bool:
                rows = desktop.window.shown.list.rows
                if event.type() is QEvent.Type.Paint and desktop.shell.desk.list.ready and _all_here(rows):
                    watched.removeEventFilter(self)
                    QTimer.singleShot(0, _tell)
                return False

        first = First(desktop.window)

        def look() -> None:
            found = getattr(desktop.window.shown, "list", None)
            if found is not None and not getattr(desktop, "watched", False):
                desktop.watched = True
                found.rows.viewport().installEventFilter(first)

        desktop.shell.watch(look)

    module.Desktop.open = open_watched


def _all_here(rows: Any) -> bool:
    from app.ui.kit.rows import RowRole

    model, last = rows.model(), rows.rowAt(rows.viewport().height() - 1)
    shown = range(rows.rowAt(0), (last if last >= 0 else model.rowCount() - 1) + 1)
    return bool(shown) and all(model.index(at, 0).data(RowRole.ROW) is not None for at in shown)


def _tell() -> None:
    sys.stdout.write(f"{time.monotonic_ns()}\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    sys.meta_path.insert(0, _Finder())
    from app.__main__ import main

    sys.exit(main())
